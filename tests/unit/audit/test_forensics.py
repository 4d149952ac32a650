"""Forensics of reported numbers: what it must find in the file that travels, and in files with planted faults."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from dsn_saal.audit.budget import added_parameters, budget_findings, linear_layers
from dsn_saal.audit.counts import count_findings
from dsn_saal.audit.matrices import matrix_findings
from dsn_saal.audit.rates import rate_findings
from dsn_saal.audit.rows import decimals_in_shares, rate_rows
from dsn_saal.audit.words import word_findings
from dsn_saal.cli import main
from dsn_saal.models import build_network
from dsn_saal.params.reported import ReportedNumbers, read_reported

FILE = Path(__file__).parents[3] / "data/reported/hu2021.yaml"
RAW = yaml.safe_load(FILE.read_text())
REPORTED = read_reported(FILE)


def with_its_rows(raw):
    """The raw file with the quoted rows that still have a number, none else."""
    held = {(row["table"], row["method"]) for row in raw["reported"]}
    return raw | {"rows": [row for row in raw["rows"] if (row["table"], row["method"]) in held]}


def changed(change):
    raw = copy.deepcopy(RAW)
    change(raw)
    return ReportedNumbers.model_validate(with_its_rows(raw))


def by_id(findings):
    return {finding.id: finding for finding in findings}


def row_of(raw, **wanted):
    return next(row for row in raw["reported"] if all(row[key] == value for key, value in wanted.items()))


class TestCounts:
    FOUND = by_id(count_findings(REPORTED))

    def test_the_text_has_one_case_more_than_the_whole(self):
        finding = self.FOUND["sum.covid19_diag.cases.the_text"]
        assert finding.kind == "CONFLICT" and finding.numbers == {"sum": 226, "printed": 225}
        assert "69 + 95 + 62 = 226" in finding.sentence

    def test_table_2_adds_up_and_contradicts_the_text_class_by_class(self):
        assert self.FOUND["sum.covid19_diag.cases.the_sum_of_its_parts_in_table_2"].kind == "CONSISTENT"
        covid, bacterial = (
            self.FOUND[f"two_counts.covid19_diag.{name}.cases"] for name in ("covid_19", "bacterial_pneumonia")
        )
        assert (covid.numbers, bacterial.numbers) == ({"first": 69, "second": 61}, {"first": 62, "second": 69})
        assert "two_counts.covid19_diag.normal.cases" not in self.FOUND

    def test_two_counts_of_negatives(self):
        assert self.FOUND["two_counts.sars_cov_2_ct_scan.non_covid.images"].numbers == {"first": 1229, "second": 1230}

    def test_the_split_was_rounded_half_up_and_takes_another_share_of_the_slices(self):
        assert self.FOUND["split_rounding.covid19_diag"].numbers["agreeing"] == ("floor(x + 0.5)",)
        shares = self.FOUND["split_slices.covid19_diag"].numbers
        assert shares["all"] == pytest.approx(4910 / 6982) and shares["by_class"]["Normal"] == pytest.approx(
            2674 / 3824
        )

    def test_three_thousand_images_are_not_five_per_cent(self):
        finding = self.FOUND["share_of_set.covidx_ct_1_3000"]
        assert finding.kind == "IMPRECISE" and "4.86 %; 5 % is printed" in finding.sentence

    def test_thirteen_slices_fit_two_readings_and_no_whole_case(self):
        assert "int" not in self.FOUND["kept.covid19_diag.1"].numbers["agreeing"]
        assert self.FOUND["kept.covid19_diag.1"].kind == "AMBIGUOUS"
        assert self.FOUND["kept_cases.covid19_diag.1"].numbers["cases"] == 43

    def test_without_a_validation_part_the_epoch_is_untestable(self):
        assert self.FOUND["no_validation.covid19_diag"].kind == "UNTESTABLE"
        assert "no_validation.covid19_ct" not in self.FOUND

    def test_a_planted_fault_is_found_and_a_mended_one_is_not(self):
        planted = changed(lambda raw: row_of(raw, table="2", metric="test_slices", value=513).update(value=514))
        assert by_id(count_findings(planted))["split_sum.covid19_diag.test"].kind == "CONFLICT"
        mended = changed(lambda raw: row_of(raw, table="text", metric="cases", value=69).update(value=68))
        assert by_id(count_findings(mended))["sum.covid19_diag.cases.the_text"].kind == "CONSISTENT"


class TestMatrices:
    FOUND = by_id(matrix_findings(REPORTED))

    def test_nine_test_items_are_missing_in_one_matrix_only(self):
        sums = {name: finding for name, finding in self.FOUND.items() if name.startswith("matrix_sum")}
        wrong = {name for name, finding in sums.items() if finding.kind == "CONFLICT"}
        assert len(sums) == 4 and wrong == {"matrix_sum.covidx_ct_1_3000.covid_ct_mask_net_v1"}
        assert "9 CP test items fewer" in sums[wrong.pop()].sentence

    def test_one_rate_of_the_journal_is_not_that_of_the_matrix(self):
        wrong = [
            finding
            for name, finding in self.FOUND.items()
            if name.startswith("recomputed") and finding.kind == "CONFLICT"
        ]
        assert [list(finding.numbers["wrong"]) for finding in wrong] == [["F1"]]

    def test_a_planted_rate_is_found(self):
        raw = {"table": "7b", "method": "Two-stage model (merged masks)", "metric": "SEN_CP"}
        planted = changed(lambda whole: row_of(whole, **raw).update(value=96.96))
        kinds = [f.kind for f in matrix_findings(planted) if "merged" in f.id and f.id.startswith("recomputed")]
        assert kinds == ["CONFLICT"]


class TestParameters:
    @pytest.mark.parametrize(("merge", "fused", "norm"), [("sum", 1, False), ("concat", 21, True)])
    def test_added_parameters_are_the_difference_of_two_networks(self, merge, fused, norm):
        side = {
            "tap": "after_relu",
            "channels": 21,
            "merge": merge,
            "fuse_channels": fused,
            "side_bn": norm,
            "side_init": "framework",
        }
        common = {"n_classes": 3, "image_size": 224, "width": 1.0, "conv1": "repeat", "dropout": 0.5}
        with_side, without = (
            sum(p.numel() for p in build_network("densenet169", side=given, **common).parameters())
            for given in (side, None)
        )
        assert added_parameters("densenet169", merge=merge, fuse_channels=fused, side_bn=norm)[0] == with_side - without

    def test_only_one_fused_channel_keeps_the_bound_everywhere(self):
        found = by_id(budget_findings(REPORTED))
        readings = found["parameters.dsn_params"].numbers["readings"]
        assert all(one["within"] for one in readings if one["fuse_channels"] == 1)
        assert not all(one["within"] for one in readings if one["fuse_channels"] == 21)
        assert {one["added"] for one in readings if one["backbone"] == "VGG-16-BN"} >= {89837, 90005, 106737, 110265}

    def test_a_wrong_count_in_the_file_is_found(self):
        planted = changed(lambda raw: raw["derived_params"][0].update(added=89838))
        assert by_id(budget_findings(planted))["derived.vgg_16_bn.sum.1"].kind == "CONFLICT"

    def test_the_head_of_vgg_excludes_plain_activation_maps(self):
        assert linear_layers("vgg16_bn") == 3
        assert by_id(budget_findings(REPORTED))["attention.vgg16_bn"].kind == "CONFLICT"


class TestWords:
    FOUND = by_id(word_findings(REPORTED))

    def test_statements_that_contradict_each_other(self):
        conflicts = {name for name, finding in self.FOUND.items() if name.startswith("statements.")}
        assert {
            "statements.covid19_diag.slice_thickness", "statements.covid19_diag.what_follows_the_plus_minus_sign",
            "statements.initial_values_of_the_network", "statements.map_of_attention", "statements.how_alpha_is_set",
            "statements.covid19_ct.name_of_the_data_set",
        } <= conflicts  # fmt: skip

    def test_indicators_fall_and_one_rises(self):
        assert "trends.imb_all_fall.imb_spe" in self.FOUND

    def test_nothing_printed_can_be_above_100_per_cent(self):
        ceilings = [finding for name, finding in self.FOUND.items() if name.startswith("ceiling.")]
        assert [finding.kind for finding in ceilings] == ["UNTESTABLE"] and "99.95" in ceilings[0].sentence

    def test_gains_have_two_readings_whose_bounds_are_those_of_the_file(self):
        implied = self.FOUND["gain.gain_acc"].numbers["implied"]
        assert implied["absolute"] == pytest.approx([0.836, 0.867])
        assert implied["relative"] == pytest.approx([0.920 / 1.084, 0.920 / 1.053])
        bounds = [finding.kind for name, finding in self.FOUND.items() if name.startswith("bound.")]
        assert bounds == ["CONSISTENT"] * 6

    def test_alpha_does_nothing_below_0_995(self):
        finding = self.FOUND["alpha.covid19_diag"]
        assert finding.kind == "INEFFECTIVE" and finding.numbers["threshold"] == pytest.approx(0.9953, abs=1e-4)


class TestRates:
    def test_decimals_come_from_the_whole_row(self):
        rows = {row.method: row for row in rate_rows(REPORTED)}
        assert rows["DSN-SAAL (VGG-16)"].decimals == 3 and rows["COVIDNet-CT-A"].decimals == 3
        assert decimals_in_shares(rows["Lightweight model, ResNet34+FPN"].rates) == 4
        assert rows["DSN-SAAL (VGG-16)"].combinations[0] == ("accuracy.overall", "f1.macro", "g_mean.multiclass")

    def test_an_accuracy_that_its_recalls_exclude_is_found(self):
        def only(raw):
            raw["reported"] = [row for row in raw["reported"] if row["unit"] == "count" or "ResNet34" in row["method"]]

        found = by_id(rate_findings(changed(only), lambda words: None))
        finding = found["matrix.covidx_ct_1_3000.lightweight_model_resnet34_fpn"]
        assert finding.kind == "CONFLICT" and "accuracy.overall" in finding.sentence
        first = finding.numbers["readings"][0]
        assert first["verdict"] == "impossible" and first["no_smaller_miss_than"] > finding.numbers["half_unit"]

    def test_a_share_of_few_items_that_no_count_gives_is_found(self):
        def only(raw):
            kept = [row for row in raw["reported"] if row["unit"] == "count"]
            row = row_of(raw, table="8", method="DenseNet-169 (data-set baseline)", metric="ACC")
            raw["reported"] = [*kept, row | {"value": 0.849}]

        finding = by_id(rate_findings(changed(only), lambda words: None))[
            "granular.covid19_ct.densenet_169_data_set_baseline.acc"
        ]
        assert finding.kind == "IMPOSSIBLE" and finding.numbers["counts"] == ()

    def test_the_spread_is_far_smaller_than_67_cases_allow(self):
        def only(raw):
            raw["reported"] = [
                row
                for row in raw["reported"]
                if row["unit"] == "count" or (row["metric"] == "ACC" and row["table"] == "3")
            ]

        finding = by_id(rate_findings(changed(only), lambda words: None))["spread.covid19_diag.dsn_saal_vgg_16.acc"]
        assert (finding.numbers["low"], finding.numbers["high"]) == pytest.approx((0.83, 0.96), abs=0.005)


class TestCommand:
    @pytest.fixture
    def small(self, tmp_path):
        """The file without the row that takes a minute."""
        raw = copy.deepcopy(RAW)
        raw["reported"] = [row for row in raw["reported"] if row["unit"] == "count" or row["table"] == "9"]
        path = tmp_path / "other.yaml"
        path.write_text(yaml.safe_dump(with_its_rows(raw)))
        return path

    def test_prints_findings_in_plain_words_and_writes_them(self, small, tmp_path, capsys):
        out = tmp_path / "findings.json"
        assert main(["forensics", "--reported", str(small), "--out", str(out)]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "CONFLICT" in said and "226" in said and "further checks hold" in said
        held = json.loads(out.read_text())
        assert held["reported"] == small.as_posix() and held["kinds"]["CONFLICT"]["findings"] > 3
        assert all(
            finding["computed_from"] and finding["sentence"].endswith((".", ")")) for finding in held["findings"]
        )

    def test_brackets_in_a_path_are_no_markup(self, small, tmp_path, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "300")
        odd = tmp_path / "a [" / "b] c.yaml"
        odd.parent.mkdir()
        small.rename(odd)
        assert main(["forensics", "--reported", str(odd), "--out", str(tmp_path / "f.json")]) == 0
        assert f"What {odd} says of itself" in " ".join(capsys.readouterr().out.split())

    def test_a_wrong_key_is_an_error_that_names_it(self, small, tmp_path, capsys):
        raw = yaml.safe_load(small.read_text())
        raw["statements"][0]["quantiy"] = "x"
        small.write_text(yaml.safe_dump(raw))
        assert main(["forensics", "--reported", str(small), "--out", str(tmp_path / "f.json")]) == 2
        assert "statements.0.quantiy" in capsys.readouterr().err
