"""Verdicts: on phantoms only what needs no data, on clinical data everything; refusals by name."""

import json
import shutil
from pathlib import Path

import pytest

from dsn_saal.audit.claims import Outcome
from dsn_saal.audit.forensics import examine, forensics_json
from dsn_saal.audit.verdicts import read_measured, verdict_of_reading, verdicts_json
from dsn_saal.cli import main
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures.margins import draw_figure
from dsn_saal.params.audit_jobs import compared_experiments, verdicts_job
from dsn_saal.params.figure_jobs import figure_job
from dsn_saal.params.reported import read_reported
from dsn_saal.params.table_jobs import table_job
from dsn_saal.storage.atomic import write_json
from dsn_saal.tables.audit import make_table
from dsn_saal.tables.table import to_markdown

FILE = Path(__file__).parents[3] / "data/reported/hu2021.yaml"
REPORTED = read_reported(FILE)


@pytest.fixture(scope="module")
def forensics():
    """Of everything but the rates, whose search takes a minute."""
    counted = REPORTED.model_copy(update={"reported": tuple(row for row in REPORTED.reported if row.std is None)})
    return forensics_json(examine(counted), Path("data/reported/hu2021.yaml"))


@pytest.fixture
def measured(cohort, small_settings, forensics):
    """Makes what the verdicts rest on: a cohort of an origin, weights, and summaries that `edit` changes."""

    made = []

    def make(origin="clinical", weights="imagenet", edit=lambda name, summary: None, **change):
        made.append(origin)
        fake, settings = cohort(f"cohort{len(made)}", origin=origin), small_settings(**change)
        job = verdicts_job(settings).model_copy(update={"weights": weights})
        names = compared_experiments(job.audit)
        first = fake.evaluate(names[0]) / "summary.json"
        summaries = {}
        for name in names:
            summaries[name] = fake.root / "evaluate" / name / "summary.json"
            summaries[name].parent.mkdir(exist_ok=True)
            if name != names[0]:
                shutil.copyfile(first, summaries[name])
            summary = json.loads(summaries[name].read_text()) | {"experiment": name}
            edit(name, summary)
            write_json(summaries[name], summary)
        return read_measured(job, forensics=forensics, reported=REPORTED, summaries=summaries)

    return make


def set_runs(summary, value, sd=0.001, cases=0.001, runs=10):
    """Every metric of a summary around a value, over ten runs."""
    summary["finished"], summary["n_runs"] = list(range(runs)), runs
    values = [value + sd * (1 if run % 2 else -1) for run in range(runs)]
    for held in summary["metrics"].values():
        held |= {"mean": value, "sd": sd, "values": values, "interval": [value - cases, value + cases]}


def number(verdicts, metric):
    return next(one for one in verdicts["numbers"] if one["metric"] == metric and one["table"] == "3")


def claim(verdicts, name):
    return next(one for one in verdicts["claims"] if one["id"] == name)


class TestOnPhantoms:
    def test_nothing_that_needs_data_has_a_verdict_and_nothing_is_subtracted(self, measured):
        verdicts = verdicts_json(measured(origin="phantom"))
        held = number(verdicts, "ACC")
        assert held["verdict"] == "NOT COMPARABLE" and held["reason"].startswith("phantom data")
        assert held["ours"] and all(one["difference"] is None and one["margin"] is None for one in held["ours"])
        assert {one["verdict"] for one in verdicts["claims"]} == {"NOT COMPARABLE", "REPRODUCED"}

    def test_what_needs_no_data_has_one(self, measured):
        verdicts = verdicts_json(measured(origin="phantom"))
        assert claim(verdicts, "dsn_params")["verdict"] == "REPRODUCED"
        by_value = {
            (one["table"], one["metric"], one["reported"]["value"]): one["verdict"] for one in verdicts["numbers"]
        }
        assert (
            by_value["text", "cases", 69] == "IMPOSSIBLE AS STATED" and by_value["2", "train_cases", 43] == "REPRODUCED"
        )
        assert by_value["text", "images", 1229] == "AMBIGUOUS DEFINITION"
        assert by_value["6", "train_slices", 13] == "REPRODUCED"

    def test_orders_are_tested_all_the_same_and_said_to_be_of_phantoms(self, measured):
        def edit(name, summary):
            set_runs(summary, 0.9 if name.startswith("dsn_saal") else 0.8)

        verdicts = verdicts_json(measured(origin="phantom", edit=edit))
        best = claim(verdicts, "best_table3")
        assert best["verdict"] == "NOT COMPARABLE" and "it holds in the mean, in 10 of 10 runs" in best["reason"]
        assert best["lack"] == pytest.approx(-0.1)

    def test_second_place_is_a_claim_and_rivals_that_were_only_quoted_are_named(self, measured):
        def edit(name, summary):
            set_runs(summary, 0.86 if name == "covid_ct_self_trans" else 0.85)

        verdicts = verdicts_json(measured(origin="phantom", edit=edit))
        second, above = claim(verdicts, "ucsd_auc_second"), claim(verdicts, "ucsd_above_selftrans")
        assert second["lack"] == pytest.approx(-0.01) and above["lack"] == pytest.approx(0.01)
        assert "no experiment for 'COVIDNet-CT'" in claim(verdicts, "covidx_full")["reason"]
        theirs = next(one for one in verdicts["numbers"] if one["table"] == "8" and one["metric"] == "AUC")
        quoted = next(one for one in verdicts["numbers"] if one["method"] == "xDNN")
        assert quoted["reason"] == "params audit name nothing here that measures it" and not quoted["ours"]
        assert theirs["method"] == "Self-Trans" and theirs["ours"][0]["mean"] == pytest.approx(0.86)


class TestOnClinicalData:
    def test_other_initialisation_is_not_comparable(self, measured):
        held = number(verdicts_json(measured(weights="none")), "F1")
        assert held["verdict"] == "NOT COMPARABLE" and "initialisation" in held["reason"]

    @pytest.mark.parametrize(
        ("value", "cases", "verdict"),
        [(0.920, 0.001, "REPRODUCED"), (0.80, 0.001, "NOT REPRODUCED"), (0.93, 0.15, "UNDERPOWERED")],
    )
    def test_a_number_is_reproduced_or_not_or_it_cannot_be_told(self, measured, value, cases, verdict):
        verdicts = verdicts_json(measured(edit=lambda name, summary: set_runs(summary, value, cases=cases)))
        held = number(verdicts, "ACC")
        assert held["verdict"] == verdict
        first = held["ours"][0]
        assert first["metric"] == "accuracy.overall" and first["difference"] == pytest.approx(value - 0.920)
        assert "reported sd" in first["margin"]["origin"] and "the split differs" in first["margin"]["origin"]
        assert first["bound"] == pytest.approx(0.053) and "gain_acc" in first["bound_origin"]

    def test_a_number_that_depends_on_the_convention_is_ambiguous(self, measured):
        def edit(name, summary):
            set_runs(summary, 0.5)
            summary["metrics"]["f1.weighted"] |= {"mean": 0.873, "interval": [0.872, 0.874]}

        held = number(verdicts_json(measured(edit=edit)), "F1")
        assert held["verdict"] == "AMBIGUOUS DEFINITION" and "f1.weighted REPRODUCED" in held["reason"]

    def test_an_order_needs_every_run(self, measured):
        def better(name, summary):
            set_runs(summary, 0.9 if name == "dsn_saal" else 0.8)

        def worse(name, summary):
            set_runs(summary, 0.7 if name == "dsn_saal" else 0.8)

        def mixed(name, summary):
            set_runs(summary, 0.8005 if name == "dsn_saal" else 0.8, sd=0.01)
            if name == "dsn_saal":
                for held in summary["metrics"].values():
                    held["values"] = held["values"][::-1]

        found = [claim(verdicts_json(measured(edit=edit)), "best_table3") for edit in (better, worse)]
        assert [one["verdict"] for one in found] == ["REPRODUCED", "NOT REPRODUCED"]
        assert claim(verdicts_json(measured(edit=mixed)), "best_table3")["verdict"] == "UNDERPOWERED"

    def test_gains_in_the_printed_range_hold_under_one_reading(self, measured):
        others = {"vgg16_bn_ce": 0.836, "resnext50_ce": 0.867}

        def edit(name, summary):
            set_runs(summary, 0.920 if name == "dsn_saal" else others.get(name, 0.85), sd=0.0)

        held = claim(verdicts_json(measured(edit=edit)), "gain_acc")
        assert held["lack"] == pytest.approx(-0.0005) and held["verdict"] == "REPRODUCED"

    def test_falling_shares(self, measured):
        levels = {"": 0.9, "_25": 0.8, "_10": 0.7, "_5": 0.6, "_1": 0.5}

        def edit(name, summary):
            share = name.partition("_covid")[2]
            steepness = 0.5 if name.startswith("dsn_saal") else 1.0
            set_runs(summary, 0.9 - steepness * (0.9 - levels.get(share, 0.9)))

        verdicts = verdicts_json(measured(edit=edit))
        names = ("imb_all_fall", "imb_sen_slower", "imb_one_percent")
        assert [claim(verdicts, name)["verdict"] for name in names] == ["REPRODUCED"] * 3
        assert claim(verdicts, "imb_spe")["lack"] == pytest.approx(-0.2)  # above the baseline's

    def test_the_curve_counts_what_lacks_less_than_the_margin(self, measured):
        verdicts = verdicts_json(measured())
        lacks = [one["lack"] for one in verdicts["claims"] if one["lack"] is not None]
        curve = verdicts["curve"]
        assert curve["claims"] == len(lacks) and len(curve["left_out"]) == len(verdicts["claims"]) - len(lacks)
        for margin, held in zip(curve["margins"], curve["hold"], strict=True):
            assert held == sum(lack < max(margin, 0.0) for lack in lacks)


@pytest.mark.parametrize(("runs", "verdict"), [(3, "UNDERPOWERED"), (6, "REPRODUCED")])
def test_a_few_runs_are_too_few_for_an_order_even_if_all_agree(runs, verdict):
    assert verdict_of_reading(Outcome(("f1.macro",), -0.1, (-0.1,) * runs), 0.95) == verdict


class TestRefusals:
    def test_a_missing_summary_is_named(self, measured, forensics):
        whole = measured()
        with pytest.raises(BadRequest, match="vgg16_bn_saal"):
            read_measured(
                whole.job, forensics=forensics, reported=REPORTED,
                summaries={name: Path("x") for name in whole.summaries if name != "vgg16_bn_saal"},
            )  # fmt: skip

    def test_forensics_of_another_file_are_refused(self, measured, forensics):
        whole = measured()
        with pytest.raises(BadRequest, match="another file"):
            read_measured(
                whole.job, forensics=forensics | {"reported": "other.yaml"}, reported=REPORTED,
                summaries={name: Path("x") for name in whole.summaries},
            )  # fmt: skip

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"audit__claims": {"best_of_all": "above_all"}}, "best_of_all"),
            ({"audit__sets": {"X": {"dataset": "nowhere", "methods": {}, "falling": None}}}, "nowhere"),
            (
                {"audit__sets": {"X": {"dataset": "covid19_diag", "methods": {"A": ["no_such"]}, "falling": None}}},
                "no_such",
            ),
        ],
    )
    def test_names_that_nothing_bears_are_refused(self, measured, change, named):
        with pytest.raises(BadRequest, match=named):
            measured(**change)


class TestTableAndFigure:
    def written(self, held, tmp_path):
        path = tmp_path / "verdicts.json"
        write_json(path, held)
        return path

    def test_a_phantoms_number_never_stands_beside_a_reported_one(self, measured, small_settings, tmp_path):
        held = verdicts_json(measured(origin="phantom"))
        table = make_table(table_job(small_settings(), "verdicts"), audit=self.written(held, tmp_path))
        row = next(row for row in table.rows if row[1].startswith("ACC, DSN-SAAL"))
        assert row[2] == "0.92 ± 0.004" and row[3:6] == ("–", "–", "–") and row[6] == "NOT COMPARABLE"
        assert "phantom data" in table.heading

    def test_a_clinical_number_stands_beside_it_with_its_margin(self, measured, small_settings, tmp_path):
        held = verdicts_json(measured(edit=lambda name, summary: set_runs(summary, 0.92)))
        table = make_table(table_job(small_settings(), "verdicts"), audit=self.written(held, tmp_path))
        row = next(row for row in table.rows if row[1].startswith("ACC, DSN-SAAL"))
        assert row[3].startswith("0.920 ±") and row[4] == "+0.000" and row[6] == "REPRODUCED"

    def test_forensics_print_what_does_not_hold(self, forensics, small_settings, tmp_path):
        path = tmp_path / "forensics.json"
        write_json(path, forensics)
        text = to_markdown(make_table(table_job(small_settings(), "forensics"), audit=path))
        assert "69 + 95 + 62 = 226" in text and "| CONSISTENT |" not in text

    def test_the_figure_is_drawn_and_a_file_of_another_is_refused(self, measured, small_settings, tmp_path):
        held = verdicts_json(measured(origin="phantom"))
        job = figure_job(small_settings(), "margins")
        draw_figure(job, verdicts=self.written(held, tmp_path), out=tmp_path / "margins")
        assert (tmp_path / "margins.png").stat().st_size > 10_000 and (tmp_path / "margins.svg").exists()
        with pytest.raises(CheckFailed, match="another file of reported numbers"):
            draw_figure(
                job, verdicts=self.written(held | {"reported": "other.yaml"}, tmp_path), out=tmp_path / "margins"
            )


def test_the_command_refuses_a_summary_that_is_missing(tmp_path, forensics, capsys):
    path = tmp_path / "forensics.json"
    write_json(path, forensics)
    given = ["--summary", f"dsn_saal={tmp_path / 'none.json'}", "--out", str(tmp_path / "v.json")]
    assert main(["verdicts", "--forensics", str(path), *given]) == 2
    assert "where: --summary" in capsys.readouterr().err
