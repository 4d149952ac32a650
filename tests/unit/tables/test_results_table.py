"""Table 3 from summaries; what cannot be compared is refused."""

import json

import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.table_jobs import table_job
from dsn_saal.statistics.printed import interval, mean_and_sd
from dsn_saal.tables.results import make_table
from dsn_saal.tables.switchboard import make_table as make_switchboard


class Evaluated:
    def __init__(self, cohort, settings):
        self.settings, self.job = settings, table_job(settings, "table3")
        self.files = {
            row.name: cohort.evaluate(row.name, skill=1 + number, seed=number, settings=settings) / "summary.json"
            for number, row in enumerate(self.job.rows)
        }

    def table(self):
        return make_table(self.job, summaries=self.files)

    def change(self, name, **values):
        held = json.loads(self.files[name].read_text())
        self.files[name].write_text(json.dumps(held | values))


@pytest.fixture
def evaluated(cohort, small_settings):
    return Evaluated(cohort(), small_settings())


def test_cells_are_the_summaries_mean_and_sd(evaluated):
    table = evaluated.table()
    for row, cells in zip(evaluated.job.rows, table.rows, strict=True):
        metrics = json.loads(evaluated.files[row.name].read_text())["metrics"]
        printed = dict(zip(table.columns, cells, strict=True))
        for head, name in (
            ("ACC", "accuracy.overall"), ("F1", "f1.macro"), ("G-mean", "g_mean.multiclass"), ("AUC", "auc.ovr_macro"),
            ("macro recall", "sensitivity.macro"), ("ACC mean recall", "accuracy.balanced"),
            ("F1 COVID-19", "f1.positive"), ("G-mean root of means", "g_mean.root_of_means"),
            ("SPE Normal", "specificity.normal"),
        ):  # fmt: skip
            assert printed[head] == f"{metrics[name]['mean']:.3f} ± {metrics[name]['sd']:.3f}", head
        low, high = metrics["f1.macro"]["interval"]
        assert printed["F1 95 %"] == f"[{low:.3f}, {high:.3f}]"
        assert printed["method"] == row.title


def test_every_convention_of_the_params_is_printed(evaluated):
    for section, conventions in (("ACC", 4), ("F1", 4), ("G-mean", 4), ("AUC", 3)):
        heads = [head for head in evaluated.table().columns if head.split(" ")[0] == section and "95" not in head]
        assert len(heads) == conventions


def test_another_primary_convention_moves_to_the_front(cohort, small_settings):
    other = Evaluated(cohort(), small_settings(evaluate__accuracy="balanced"))
    table = other.table()
    metrics = json.loads(next(iter(other.files.values())).read_text())["metrics"]
    assert table.rows[0][1].startswith(f"{metrics['accuracy.balanced']['mean']:.3f}")
    assert "ACC right/all" in table.columns and "ACC mean recall" not in table.columns


def test_panels_show_every_column_once(evaluated):
    table = evaluated.table()
    shown = [column for panel in table.panels for column in panel.columns if column]
    assert sorted(shown) == list(range(1, len(table.columns))) and all(panel.columns[0] == 0 for panel in table.panels)


def test_footnotes_say_of_what_the_spread_is(evaluated):
    notes = " ".join(evaluated.table().footnotes)
    for part in ("3 runs", "n − 1", "200 draws", "phantom data", "cpu (fp32)", "Scale demo", "0.02 of the published"):
        assert part in notes, part


def test_footnotes_name_the_rows_that_started_otherwise_or_kept_cases_apart(evaluated):
    assert "channel numbers, ImageNet weights; trained" in " ".join(evaluated.table().footnotes)
    held = json.loads(evaluated.files["dsn_saal"].read_text())
    meta = {"unit": "case", "counts": {"covid19": 10, "normal": 10}, "cases": {}, "slices_set_aside": 51}
    for entry in held["training"]:
        entry["record"] |= {"initialisation": "CheXNet checkpoint 0123456789ab", "meta_set": meta}
    evaluated.change("dsn_saal", training=held["training"])
    notes = evaluated.table().footnotes
    assert "CheXNet checkpoint 0123456789ab (DSN-SAAL); trained" in " ".join(notes)
    assert "ImageNet weights (VGG-16" in " ".join(notes)
    assert [note for note in notes if "meta" in note or "learns its weights" in note] == [
        "DSN-SAAL learns its weights from 10 training slices of each class, drawn anew for each run; the whole cases "
        "that they are of, 51 slices, leave its training part."
    ]


def test_footnotes_name_the_rows_whose_epochs_vote(evaluated):
    assert "means over the networks" not in " ".join(evaluated.table().footnotes)
    held = json.loads(evaluated.files["self_trans"].read_text())
    for entry in held["training"]:
        entry["record"]["voting_epochs"] = [6, 7, 8]
    evaluated.change("self_trans", training=held["training"])
    notes = [note for note in evaluated.table().footnotes if "means over the networks" in note]
    assert notes == ["The probabilities of Self-Trans are means over the networks of the last 3 epochs of a run."]


def test_a_row_without_a_summary_is_refused(evaluated):
    evaluated.files.pop("dsn_saal")
    with pytest.raises(BadRequest, match="missing: dsn_saal\n  where: --summary"):
        evaluated.table()


def test_a_summary_without_a_row_is_refused(evaluated):
    evaluated.files["vgg16_bn_ce_permuted"] = evaluated.files["dsn_saal"]
    with pytest.raises(BadRequest, match="not wanted: vgg16_bn_ce_permuted"):
        evaluated.table()


@pytest.mark.parametrize(
    ("law", "values"),
    [
        ("runs", {"n_runs": 2}),
        ("classes", {"classes": ["a", "b", "c"]}),
        ("conventions", {"primary": {"accuracy": "accuracy.balanced"}}),
        ("test slices", {"class_slices": {"covid19": 1, "normal": 1, "bacterial_pneumonia": 1}}),
        ("origin", {"origin": "clinical"}),
        ("divisor of the sd", {"ddof": 0}),
    ],
)
def test_summaries_of_different_things_are_not_set_side_by_side(evaluated, law, values):
    evaluated.change("dsn_saal", **values)
    with pytest.raises(CheckFailed, match=f"{law} of dsn_saal"):
        evaluated.table()


def test_an_undefined_metric_is_shown_as_missing_with_its_reason(evaluated):
    held = json.loads(evaluated.files["dsn_saal"].read_text())
    held["metrics"]["precision.normal"] = {"mean": None, "sd": None, "values": [None] * 3, "interval": None}
    evaluated.change("dsn_saal", metrics=held["metrics"])
    table = evaluated.table()
    assert table.rows[-1][table.columns.index("PRE Normal")] == "–"
    assert any("undefined" in note for note in table.footnotes)


def test_one_run_prints_no_spread(cohort, small_settings):
    single = Evaluated(cohort(), small_settings(train__runs=1))
    table = single.table()
    assert not any("±" in cell for row in table.rows for cell in row)
    assert any("no spread" in note for note in table.footnotes)


def test_switchboard_prints_what_was_chosen(small_settings):
    chosen = {row[0]: row[3] for row in make_switchboard(table_job(small_settings(), "switchboard")).rows}
    changed = small_settings(evaluate__f1="weighted")
    other = {row[0]: row[3] for row in make_switchboard(table_job(changed, "switchboard")).rows}
    assert {key for key in chosen if chosen[key] != other[key]} == {"evaluate.f1"} and other[
        "evaluate.f1"
    ] == "weighted"


class OneFailed(Evaluated):
    """The last row lost runs."""

    def __init__(self, cohort, settings, failed):
        super().__init__(cohort, settings)
        name = self.job.rows[-1].name
        self.files[name] = cohort.evaluate(name, skill=2, seed=5, settings=settings, failed=failed) / "summary.json"


def test_runs_that_diverged_are_counted_and_in_no_number(cohort, small_settings):
    evaluated = OneFailed(cohort(), small_settings(), failed=(1,))
    name, title = evaluated.job.rows[-1].name, evaluated.job.rows[-1].title
    held = json.loads(evaluated.files[name].read_text())["metrics"]["accuracy.overall"]
    table = evaluated.table()
    assert len(held["values"]) == 2
    assert table.rows[-1][table.columns.index("ACC")] == f"{held['mean']:.3f} ± {held['sd']:.3f}"
    assert f"1 of 3 runs diverged for {title}: its numbers are of those that finished." in table.footnotes
    assert "over the runs that finished, of 3 runs" in table.footnotes[0]
    assert not any("undefined" in note for note in table.footnotes)


def test_a_row_whose_runs_all_diverged_is_printed_without_a_number(cohort, small_settings):
    evaluated = OneFailed(cohort(), small_settings(), failed=(0, 1, 2))
    table = evaluated.table()
    assert set(table.rows[-1][1:]) == {"–"}
    assert any(note.startswith("3 of 3 runs diverged for") and "no numbers" in note for note in table.footnotes)


def test_nothing_diverged_and_nothing_is_said(evaluated):
    assert "diverged" not in " ".join(evaluated.table().footnotes)


def test_every_number_names_the_summary_and_the_metric_that_it_is_of(evaluated):
    table = evaluated.table()
    for row, cells, sources in zip(evaluated.job.rows, table.rows, table.sources, strict=True):
        metrics = json.loads(evaluated.files[row.name].read_text())["metrics"]
        assert sources[0] is None and None not in sources[1:]
        for cell, source in zip(cells[1:], sources[1:], strict=True):
            held = metrics[source.metric]
            expected = {"mean_sd": mean_and_sd(held["mean"], held["sd"]), "interval": interval(held["interval"])}
            assert source.experiment == row.name and cell == expected[source.kind]
