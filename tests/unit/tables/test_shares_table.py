"""Table 6: shares, changes against the whole, and of how many cases the slices are."""

import json

import pytest

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.params.table_jobs import table_job
from dsn_saal.tables.shares import make_table


class Thinned:
    def __init__(self, cohort, settings):
        self.job = table_job(settings, "table6")
        self.files = {
            row.name: cohort.evaluate(row.name, skill=3 * row.share + 0.5, seed=n, settings=settings) / "summary.json"
            for n, row in enumerate(self.job.rows)
        }

    def read(self, name):
        return json.loads(self.files[name].read_text())

    def rows(self):
        table = make_table(self.job, summaries=self.files)
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


@pytest.fixture
def thinned(cohort, small_settings):
    return Thinned(cohort(), small_settings())


def test_each_change_is_against_the_same_methods_whole_training_part(thinned):
    rows, wholes = thinned.rows(), {}
    for row, printed in zip(thinned.job.rows, rows, strict=True):
        sensitivity = thinned.read(row.name)["metrics"]["sensitivity.covid19"]
        whole = wholes.setdefault(row.method, sensitivity["mean"])
        text = f"{sensitivity['mean']:.3f} ± {sensitivity['sd']:.3f}"
        if row.share < 1:
            text += f" ({sensitivity['mean'] - whole:+.3f})".replace("-", "−")
        assert printed["SEN COVID-19"] == text and printed["method"] == row.method
    assert [row["COVID-19 share"] for row in rows[:5]] == ["100 %", "25 %", "10 %", "5 %", "1 %"]
    assert len(wholes) == 2 and "(" not in rows[5]["SEN COVID-19"] and "(" in rows[6]["SEN COVID-19"]


def test_slices_and_the_cases_they_are_of_come_from_the_runs(thinned):
    name = thinned.job.rows[4].name
    held = thinned.read(name)
    for run, entry in enumerate(held["training"]):
        entry["record"]["counts"]["covid19"], entry["record"]["cases"]["covid19"] = 13, 2 + run
    thinned.files[name].write_text(json.dumps(held))
    printed = thinned.rows()[4]
    assert (printed["COVID-19 slices"], printed["of cases"]) == ("13", "2 to 4")


def test_an_undefined_mean_has_no_change(thinned):
    name = thinned.job.rows[2].name
    held = thinned.read(name)
    held["metrics"]["sensitivity.covid19"].update(mean=None, sd=None)
    thinned.files[name].write_text(json.dumps(held))
    assert thinned.rows()[2]["SEN COVID-19"] == "–"


def test_another_test_part_is_refused(thinned):
    name = thinned.job.rows[3].name
    held = thinned.read(name)
    held["class_slices"]["covid19"] += 1
    thinned.files[name].write_text(json.dumps(held))
    with pytest.raises(CheckFailed, match="test slices of"):
        thinned.rows()


def test_a_change_is_of_the_runs_that_finished_in_both(thinned):
    whole, thin = (thinned.job.rows[n].name for n in (0, 1))
    held = thinned.read(thin)
    metric = held["metrics"]["sensitivity.covid19"]
    values = metric["values"][1:]
    metric.update(values=values, mean=sum(values) / 2)
    held.update(finished=[1, 2], n_failed=1)
    for other in held["metrics"].values():
        if other is not metric:
            other["values"] = other["values"][1:]
    thinned.files[thin].write_text(json.dumps(held))
    before = thinned.read(whole)["metrics"]["sensitivity.covid19"]["values"]
    change = sum(value - before[run] for run, value in zip((1, 2), values, strict=True)) / 2
    assert thinned.rows()[1]["SEN COVID-19"].endswith(f"({change:+.3f})".replace("-", "−"))


def test_numbers_name_their_experiment_and_changes_the_whole_they_are_against(thinned):
    table = make_table(thinned.job, summaries=thinned.files)
    wholes = {}
    for row, sources in zip(thinned.job.rows, table.sources, strict=True):
        whole = wholes.setdefault(row.method, row.name)
        assert [source.metric for source in sources[2:4]] == ["counts.covid19", "cases.covid19"]
        assert {source.experiment for source in sources[2:]} == {row.name}
        expected = ("mean_sd", None) if row.name == whole else ("change", whole)
        assert {(source.kind, source.reference) for source in sources[4:]} == {expected}


def test_the_footnote_says_in_what_the_runs_of_each_row_differ(thinned):
    for row in thinned.job.rows:
        if row.share < 1:
            held = thinned.read(row.name) | {"varies": "training_part", "draws": 5}
            thinned.files[row.name].write_text(json.dumps(held))
    note = next(
        note for note in make_table(thinned.job, summaries=thinned.files).footnotes if note.startswith("Mean ±")
    )
    assert "the split is the same, there are no folds (VGG-16 at 100 % and DSN-SAAL at 100 %)" in note
    assert "and in the draw of their training part; the test part is the same" in note and "(all other rows)" in note
    assert "a spread over what differs, not a confidence interval" in note
