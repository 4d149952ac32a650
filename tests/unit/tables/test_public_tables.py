"""Tables 1 and 7 to 9: ours and quoted apart, digits as their source has them, nothing filled in."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from fake_sets import FakeSets
from scipy import stats

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.public_table_jobs import PUBLIC_TABLES
from dsn_saal.params.reported import read_reported
from dsn_saal.params.table_jobs import table_job
from dsn_saal.tables import compositions, public
from dsn_saal.tables.quoted import quoted_rows, recomputed
from dsn_saal.tables.table import to_csv, to_latex, to_markdown

FILE = Path(__file__).parents[3] / "data/reported/hu2021.yaml"


@pytest.fixture
def sets(tmp_path, small_settings):
    return FakeSets(tmp_path, small_settings())


def made(sets, name, **change):
    given = {"summaries": sets.summaries_of(name), "certificates": sets.proofs_of(name)} | change
    return public.make_table(table_job(sets.settings, name), reported=FILE, **given)


def by_method(table, numbers):
    """Rows of one kind by method and split, each as head to cell."""
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return {(row["method"], row["split"]): row for row in rows if row["numbers"].startswith(numbers)}


@pytest.mark.parametrize("name", PUBLIC_TABLES)
def test_ours_and_quoted_rows_never_share_a_panel(sets, name):
    table = made(sets, name)
    kind = [row[table.columns.index("numbers")].split(",")[0] for row in table.rows]
    shown = [{kind[at] for at in panel.rows} for panel in table.panels]
    on_folds = [{"ours"}] if name == "table9" else []
    assert shown == [{"ours"}, {"ours"}, *on_folds, {"quoted"}]
    assert {at for panel in table.panels for at in panel.rows} == set(range(len(table.rows)))
    assert any("not comparable by test" in note for note in table.footnotes)
    assert "phantom" in table.title and "quoted" in table.title
    parts = to_latex(table).split(r"\toprule")
    assert "[1]" in parts[-1] and not any("[1]" in part.split(r"\bottomrule")[0] for part in parts[1:-1])
    assert all(row.count(",") >= len(table.columns) - 1 for row in to_csv(table).splitlines())
    assert table.title in to_markdown(table)


def test_folds_are_tested_with_the_variance_that_overlapping_training_parts_have(sets):
    """Against the formula written out, and a plain t-test, which is too sure of itself."""
    table = made(sets, "table9")
    rows = by_method(table, "ours")
    summaries = {name: json.loads(path.read_text()) for name, path in sets.summaries_of("table9").items()}
    job = table_job(sets.settings, "table9")
    p_values, planned = {}, 0
    for row in job.rows:
        last = [other for other in job.rows if other.protocol == row.protocol][-1]
        cells = rows[row.title, row.split]
        if row == last:
            assert cells["p (Nadeau-Bengio)"] == cells["ACC, last − this"] == "–"
            continue
        ours, theirs = (summaries[one.name]["metrics"]["accuracy.overall"]["values"] for one in (last, row))
        apart, planned = np.subtract(ours, theirs), planned + 1
        if not apart.std() > 1e-12:  # no spread tells nothing of chance; the test was planned, and counts
            assert cells["p (Nadeau-Bengio)"] == cells["p (Holm)"] == "–"
            continue
        t = apart.mean() / (apart.std(ddof=1) * np.sqrt(1 / len(apart) + 1 / 4))
        p_values[row.title, row.split] = 2 * stats.t.sf(abs(t), len(apart) - 1)
        assert cells["p (Nadeau-Bengio)"] == f"{p_values[row.title, row.split]:.3f}"
        assert p_values[row.title, row.split] >= stats.ttest_rel(ours, theirs).pvalue
        assert cells["ACC, last − this"].startswith(f"{apart.mean():+.3f}".replace("-", "−"))
    ordered = sorted(p_values, key=lambda key: p_values[key])
    steps = [(planned - place) * p_values[key] for place, key in enumerate(ordered)]
    assert len(ordered) > 2
    adjusted = np.minimum(1, np.maximum.accumulate(steps))
    assert [rows[key]["p (Holm)"] for key in ordered] == [f"{p:.3f}" for p in adjusted]
    assert any("Nadeau and Bengio" in note and f"all {planned} tests" in note for note in table.footnotes)
    assert not any("Nadeau" in note for note in made(sets, "table8").footnotes)


def test_quoted_digits_are_those_of_the_source(sets):
    rows = by_method(made(sets, "table7a"), "quoted")
    a = rows["COVIDNet-CT-A", "–"]
    assert (a["ACC"], a["SEN Normal"], a["SEN COVID-19"], a["status"]) == (
        "0.991 [1]", "1.000 [1]", "0.973 [1]", "repository",
    )  # fmt: skip
    eight = by_method(made(sets, "table8"), "quoted")["Self-Trans", "–"]
    assert eight["ACC"].startswith("0.86 ") and eight["AUC"].startswith("0.94 ")
    nine = by_method(made(sets, "table9"), "quoted")["xDNN", "–"]
    assert nine["ACC"].startswith("0.9738 ") and nine["status"] == "second-hand, repository"
    assert nine["AUC"] == "–" and nine["PRE COVID-19"] == "–"


def test_every_mark_of_a_cell_is_a_footnote_with_its_source(sets):
    import re

    for name in PUBLIC_TABLES:
        table = made(sets, name)
        marks = {mark for row in table.rows for cell in row for mark in re.findall(r"\[\d+\]", cell)}
        noted = {note.split(" ")[0] for note in table.footnotes if re.match(r"\[\d+\]", note)}
        assert marks == noted and marks


def test_rows_that_cannot_be_cited_are_there_and_empty(sets):
    rows = by_method(made(sets, "table7a"), "quoted")
    theirs, vision = rows["DSN-SAAL (the paper's)", "–"], rows["VisionPro", "–"]
    for row in (theirs, vision):
        assert {row[head] for head in row if head[:3] in ("ACC", "SEN", "PRE")} == {"–"}
        assert row["status"].startswith("not citable")
    notes = " ".join(made(sets, "table7a").footnotes)
    assert "F-scores above 99" in notes and "not publicly citable" in notes


def test_anchors_are_left_out_by_name(sets):
    table = made(sets, "table7b")
    assert not any("Single-shot model" in row[0] or "DenseNet-121" in row[0] for row in table.rows)
    assert any("left out here: Single-shot model; ResNet-50" in note for note in table.footnotes)
    assert any("May not be a row" in note for note in made(sets, "table8").footnotes)


def test_our_cells_are_the_summaries(sets):
    import json

    for name in ("table7a", "table9"):
        summaries = sets.summaries_of(name)
        table = made(sets, name, summaries=summaries)
        rows = by_method(table, "ours")
        for row in table_job(sets.settings, name).rows:
            metrics = json.loads(summaries[row.name].read_text())["metrics"]
            held = rows[row.title, row.split]
            mean, sd = (metrics["sensitivity.covid19"][key] for key in ("mean", "sd"))
            assert held["SEN COVID-19"] == f"{mean:.3f} ± {sd:.3f}"
            low, high = metrics["accuracy.overall"]["interval"]
            assert held["ACC 95 %"] == f"[{low:.3f}, {high:.3f}]"


def test_footnotes_say_runs_folds_units_and_features(sets):
    notes = " ".join(made(sets, "table9").footnotes)
    for part in (
        "5 runs that differ in their fold and their seed, one on each of 5 folds", "n − 1", "phantom data",
        "features, not pixels (Decision tree and AdaBoost)", "random initialisation (VGG-16 and DSN-SAAL)",
        "cpu (fp32)", "cpu (float64)", "the last epoch is tested", "whole test images", "whole test blocks",
        "a grey histogram of 32 bins and a thumbnail of 16 × 16", "metrics of all test parts together",
        "unknown cases", "(5 folds by block): PROVEN",
    ):  # fmt: skip
        assert part in notes, part
    seven = " ".join(made(sets, "table7a").footnotes)
    assert "3 runs that differ in their seed; the split is the same, there are no folds" in seven
    assert "fold and their seed" not in seven and "features" not in seven


def test_what_a_certificate_found_stands_below_the_table(sets):
    sets.write_certificate("covid_ct", "official", verdict="VIOLATED", article=3, near_duplicate=1)
    notes = " ".join(made(sets, "table8").footnotes)
    assert "VIOLATED, 3 findings at level article and 1 finding at level near duplicate, accepted" in notes
    with pytest.raises(BadRequest, match="no file was named"):
        made(sets, "table8", certificates={})


@pytest.mark.parametrize("change", [("7b", "ACC", 90.0), ("7b", "F1_macro", 91.68), ("7b", "PRE_CP", 93.65)])
def test_a_computed_number_that_is_not_that_of_its_matrix_is_refused(tmp_path, change):
    table, metric, value = change
    raw = yaml.safe_load(FILE.read_text())
    entry = next(
        row for row in raw["reported"] if (row["table"], row["metric"], row["status"]) == (table, metric, "computed")
    )
    entry["value"] = value
    path = tmp_path / "reported.yaml"
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(CheckFailed, match=f"{metric} of {entry['method'].split(' (')[0]}"):
        quoted_rows(read_reported(path), table, ["ACC"])


def test_every_computed_row_agrees_with_its_confusion_matrix():
    """By hand for one, and by the loop for all: no row computed without a matrix, no matrix without a row."""
    numbers = read_reported(FILE)
    assert recomputed(numbers.confusion[1])["ACC"] == round(100 * (9158 + 7030 + 4080) / 21191, 2) == 95.64
    for published in numbers.confusion:
        held = {metric: row.value for metric, row in numbers.of_method("7b", published.method).items()}
        assert held == recomputed(published)
    computed = {row.method for row in numbers.of_table("7b") if row.status == "computed"}
    assert computed == {published.method for published in numbers.confusion}


class TestCompositions:
    def table(self, sets):
        job = table_job(sets.settings, "table1")
        return compositions.make_table(job, reported=FILE, flows=sets.flows, certificates=sets.certificates)

    def test_only_what_is_known_is_printed(self, sets):
        rows = [row for row in self.table(sets).rows if "quoted" in row[-1] or row[-1] == "unknown"]
        unknown = [row[0].split(" ")[0] for row in rows if row[-1] == "unknown"]
        assert unknown == ["Shi", "Ying", "Li", "Chen", "Jin", "Xu", "Wang"]
        assert all(set(row[2:7]) == {"–"} for row in rows if row[-1] == "unknown")
        assert [row[2:7] for row in rows if row[0] == "Wang et al. (reference 18)"] == [
            ("COVID-19", "–", "325", "160", "–"), ("typical viral pneumonia", "–", "740", "160", "–"),
        ]  # fmt: skip

    def test_our_sets_are_as_read_and_called_phantoms(self, sets):
        rows = [row for row in self.table(sets).rows if row[-1].startswith("read")]
        assert len(rows) == sum(len(dataset.classes) for dataset in sets.settings.datasets.values())
        assert {row[3:] for row in rows} == {("5", "20", "14", "6", "read, phantoms")}

    def test_a_composition_that_does_not_add_up_is_refused(self, tmp_path):
        for change, told in (
            (lambda entry: entry.update(total=1066), "1065 images together, not 1066"),
            (lambda entry: entry["classes"][0].update(train=400), "larger than the class"),
            (lambda entry: entry.update(source=None), "needs status and source"),
        ):
            raw = yaml.safe_load(FILE.read_text())
            change(raw["compositions"][-1])
            path = tmp_path / "reported.yaml"
            path.write_text(yaml.safe_dump(raw))
            with pytest.raises(BadRequest, match=told):
                read_reported(path)


def test_a_method_without_a_row_is_named(tmp_path):
    raw = yaml.safe_load(FILE.read_text())
    raw["rows"] = [row for row in raw["rows"] if row["method"] != "xDNN"]
    path = tmp_path / "reported.yaml"
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(BadRequest, match="'xDNN' of table 9 must stand in rows"):
        read_reported(path)
