"""Analyses of a small cohort: right numbers, and a null with its reason where there is none."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss

from dsn_saal.analyse import calibration, cases, comparisons, decision, levels, positions
from dsn_saal.analyse.written import read_analysis
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.evaluate.summaries import differences
from dsn_saal.params.analyse_jobs import analyse_job
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.storage.tables import read_table, write_table

PAIR = ["vgg16_bn_ce", "dsn_saal"]
COLUMNS = ["p_covid19", "p_normal", "p_bacterial_pneumonia"]


@pytest.fixture
def study(cohort, small_settings):
    """A job by name, the predictions of a baseline and of a better method; `change` goes to their evaluation."""

    def make(name, families=None, settings=None, **change):
        fake = cohort(cases=(8, 9, 7), test_cases=3)
        chosen = small_settings(
            report__table3=PAIR, report__table5=PAIR, report__table4=["vgg16_bn_ce", "dsn_vgg16_bn_ce"],
            analyse__families=families or {"table3": {"kind": "against", "reference": "dsn_saal"}},
            **(settings or {}),
        )  # fmt: skip
        job = analyse_job(chosen, name)
        folders = {}
        for place, row in enumerate(job.rows):
            folders[row.name] = fake.evaluate(
                row.name,
                skill=1 + 2 * (row.name == "dsn_saal"),
                seed=place,
                settings=chosen,
                **change.get(row.name, {}),
            )
            fake.fit(row.name, chosen)
        return fake, job, folders

    return make


def rewrite(folder, run, change):
    path = folder / f"run-{run:02d}" / "predictions.parquet"
    write_table(path, change(read_table(path)))
    return path


def test_a_comparison_pairs_the_runs_and_says_what_they_can_show(study):
    _, job, folders = study("comparisons")
    found = json.loads(json.dumps(comparisons.analyse(job, predictions=folders)))
    family = found["families"]["table3"]
    assert family["tests"] == 3 and [one["metric"] for one in family["comparisons"]] == ["accuracy", "f1", "g_mean"]
    one = family["comparisons"][0]
    read = {name: json.loads((folders[name] / "summary.json").read_text()) for name in PAIR}
    expected = differences(read["vgg16_bn_ce"], read["dsn_saal"], "accuracy.overall")
    assert one["difference"]["values"] == pytest.approx(expected) and one["difference"]["mean"] == pytest.approx(
        np.mean(expected)
    )
    assert one["smallest_p_seeds"] == 0.25 and one["smallest_p_seeds_holm"] == 0.75
    assert one["p_seeds"] in (0.25, 0.5, 0.75, 1.0) and one["p_seeds_holm"] in (0.75, 1.0)
    assert one["reading"] in ("cases_only", "too_few_runs")
    assert "smallest two-sided sign-flip p there can be is 0.250" in one["claim"]
    assert one["claim"].endswith("All runs share one split of the cases: nothing here speaks of other splits.")


def test_two_methods_with_the_same_answers_differ_by_nothing(study):
    _, job, folders = study("comparisons")
    for run in range(3):
        source = folders["dsn_saal"] / f"run-{run:02d}" / "predictions.parquet"
        write_table(folders["vgg16_bn_ce"] / f"run-{run:02d}" / "predictions.parquet", read_table(source))
    one = comparisons.analyse(job, predictions=folders)["families"]["table3"]["comparisons"][0]
    assert one["difference"]["mean"] == 0 and one["difference"]["interval"] == (0, 0)
    assert one["p_seeds"] == one["p_cases"] == 1 and one["p_improvement"] is not None


def test_families_take_their_rows_from_the_tables(study):
    families = {"table4": {"kind": "deep_supervision"}, "table5": {"kind": "against", "reference": "focal"}}
    families["table5"]["reference"] = "vgg16_bn_ce"
    _, job, _ = study("comparisons", families)
    pairs = {name: [(pair.ours, pair.theirs) for pair in found] for name, found in job.families.items()}
    assert pairs == {"table4": [("dsn_vgg16_bn_ce", "vgg16_bn_ce")], "table5": [("vgg16_bn_ce", "dsn_saal")]}


def test_only_runs_that_finished_in_both_are_paired(study):
    _, job, folders = study("comparisons", dsn_saal={"failed": (1,)})
    one = comparisons.analyse(job, predictions=folders)["families"]["table3"]["comparisons"][0]
    assert one["runs"] == [0, 2] and len(one["difference"]["values"]) == 2 and one["smallest_p_seeds"] == 0.5


def test_a_method_whose_runs_all_diverged_is_null_with_its_reason(study):
    _, job, folders = study("comparisons", dsn_saal={"failed": (0, 1, 2)})
    one = comparisons.analyse(job, predictions=folders)["families"]["table3"]["comparisons"][0]
    assert one["difference"]["mean"] is None and one["p_seeds"] is None and one["p_seeds_holm"] is None
    assert one["missing_because"] == "all 3 runs of DSN-SAAL diverged" and one["reading"] == "undefined"
    assert "cannot be compared in accuracy: all 3 runs of DSN-SAAL diverged" in one["claim"]


@pytest.mark.parametrize("name", ["levels", "calibration", "decision", "positions", "cases"])
def test_every_analysis_goes_on_without_the_method_that_diverged(study, name):
    fake, job, folders = study(name, dsn_saal={"failed": (0, 1, 2)})
    rooms = {"levels": levels, "calibration": calibration, "decision": decision, "positions": positions, "cases": cases}
    more = {"index": fake.index_path} if name == "positions" else {}
    found = rooms[name].analyse(job, predictions=folders, **more)
    write_json(fake.root / "analysis.json", found)  # refuses NaN
    whole, gone = read_analysis(fake.root / "analysis.json", name)["experiments"]
    assert whole["missing_because"] is None and gone["missing_because"] == "all 3 runs of DSN-SAAL diverged"
    assert gone["finished"] == [] and gone["n_failed"] == 3


def test_levels_hold_what_evaluate_measured_and_count_cases(study):
    _, job, folders = study("levels")
    found = levels.analyse(job, predictions=folders)
    for entry in found["experiments"]:
        summary = json.loads((folders[entry["experiment"]] / "summary.json").read_text())
        for name, held in summary["metrics"].items():
            assert entry["levels"]["slice"]["metrics"][name]["mean"] == pytest.approx(
                held["mean"], abs=1e-12, nan_ok=True
            )
        at_case = entry["levels"]["case"]
        right = sum(at_case["recognised"][name]["right"] for name in found["classes"])
        assert right / found["n_cases"] == pytest.approx(at_case["metrics"]["accuracy.overall"]["mean"])
        low, high = at_case["recognised"]["covid19"]["wilson"]
        assert 0 <= low <= at_case["recognised"]["covid19"]["share"] <= high <= 1


def test_constant_predictions_give_null_with_the_number_of_runs(study):
    _, job, folders = study("levels")
    for run in range(3):
        rewrite(folders["dsn_saal"], run, lambda table: table.assign(**dict.fromkeys(COLUMNS, 1 / 3)))
    at = levels.analyse(job, predictions=folders)["experiments"][1]["levels"]["slice"]["metrics"]
    assert at["precision.macro"]["mean"] is None and at["precision.macro"]["interval"] is None
    assert at["precision.macro"]["missing_because"] == "undefined in 3 of 3 runs"
    assert at["auc.ovr_macro"]["mean"] == 0.5 and at["sensitivity.macro"]["mean"] == pytest.approx(1 / 3)


def test_calibration_is_measured_by_run_and_fitted_on_the_training_part_only(study):
    fake, job, folders = study("calibration")
    found = calibration.analyse(job, predictions=folders)
    assert found["fitted_on"] == "train" and "optimistic" in found["fitted_on_because"]
    entry = found["experiments"][0]
    tables = [read_table(folders["vgg16_bn_ce"] / f"run-{run:02d}" / "predictions.parquet") for run in range(3)]
    expected = [brier_score_loss(table["label"], table[COLUMNS].to_numpy()) for table in tables]
    assert entry["before"]["scores"]["brier"]["values"] == pytest.approx(expected)
    curve = entry["before"]["reliability"]["covid19"]
    assert sum(curve["slices"]) == pytest.approx(found["n_slices"]) and len(curve["observed"]) == job.bins
    before = [one["value"] for one in entry["temperatures"]]
    for run in range(3):  # what the test part says must not move the temperature
        rewrite(folders["vgg16_bn_ce"], run, lambda table: table.assign(**dict.fromkeys(COLUMNS, 1 / 3)))
    again = calibration.analyse(job, predictions=folders)["experiments"][0]
    assert [one["value"] for one in again["temperatures"]] == before
    fake.fit("vgg16_bn_ce", skill=0.3)
    weaker = calibration.analyse(job, predictions=folders)["experiments"][0]
    assert all(one["value"] > other for one, other in zip(weaker["temperatures"], before, strict=True))


def test_an_ece_interval_holds_its_estimate(study):
    _, job, folders = study("calibration")
    for entry in calibration.analyse(job, predictions=folders)["experiments"]:
        for name in ("ece.macro", "ece.covid19"):
            score = entry["before"]["scores"][name]
            assert 0 <= score["interval"][0] <= score["mean"]


def test_a_validation_part_is_preferred(study):
    settings = {"train__select_epoch": "best_validation", "train__validation_share": 0.2}
    settings |= {f"{where}regimens__self_trans__vote_epochs": 1 for where in ("", "scales__paper__")}
    fake, job, folders = study("calibration", settings=settings)
    assert (
        "no slices to fit" in calibration.analyse(job, predictions=folders)["experiments"][0]["after_missing_because"]
    )
    for name in PAIR:
        fake.fit(name, part="validation")
    found = calibration.analyse(job, predictions=folders)
    assert found["fitted_on"] == "validation" and found["experiments"][0]["after"] is not None


def test_a_temperature_that_is_missing_is_null_with_its_reason(study):
    _, job, folders = study("calibration")
    path = folders["dsn_saal"] / "run-01" / "train_predictions.parquet"
    write_table(path, read_table(path).iloc[:0])
    entry = calibration.analyse(job, predictions=folders)["experiments"][1]
    assert entry["after"] is None and entry["after_missing_because"].startswith("run 1: its weights were not kept")
    assert entry["before"] is not None
    path.unlink()
    with pytest.raises(CheckFailed, match="no answers for its training part"):
        calibration.analyse(job, predictions=folders)


def test_the_decision_curve_of_certain_answers_is_the_prevalence(study):
    _, job, folders = study("decision")

    def right(table):
        return table.assign(**{name: (table["label"] == c).astype(float) for c, name in enumerate(COLUMNS)})

    for run in range(3):
        rewrite(folders["dsn_saal"], run, right)
    found = decision.analyse(job, predictions=folders)
    for unit in ("slice", "case"):
        np.testing.assert_allclose(found["experiments"][1][unit]["values"], found["prevalence"][unit], atol=1e-12)
    assert found["experiments"][1]["case"]["low"] == pytest.approx(found["experiments"][1]["case"]["high"])


def test_positions_run_from_the_head_to_the_feet():
    heights = pd.DataFrame(
        {"row": [4, 5, 6, 7, 8, 9], "case": ["a"] * 3 + ["b", "c", "c"], "series": ["a"] * 3 + ["b", "c", "c"],
         "z_mm": [0.0, 5.0, 20.0, 7.0, np.nan, 1.0]}
    )  # fmt: skip
    found = positions.relative_positions(heights)
    assert found.loc[[4, 5, 6]].tolist() == [1.0, 0.75, 0.0] and found.loc[[7, 8, 9]].isna().all()


def test_recall_by_position_is_the_slow_count(study):
    fake, job, folders = study("positions")
    found = positions.analyse(job, predictions=folders, index=fake.index_path)
    place = positions.relative_positions(fake.index)
    tables = [read_table(folders["dsn_saal"] / f"run-{run:02d}" / "predictions.parquet") for run in range(3)]
    table = tables[0]
    bins = np.minimum((place.loc[table["row"]].to_numpy() * job.bins).astype(int), job.bins - 1)
    curve = found["experiments"][1]["recall"]
    for b, (label, name) in itertools.product(range(job.bins), enumerate(job.classes)):
        chosen = (bins == b) & (table["label"].to_numpy() == label)
        assert found["slices"][name][b] == chosen.sum()
        right = [(t[COLUMNS].to_numpy()[chosen].argmax(axis=1) == label).mean() for t in tables] if chosen.any() else []
        expected = float(np.mean(right)) if right else None
        assert curve[name]["values"][b] == (None if expected is None else pytest.approx(expected))
        if expected is None:
            assert curve[name]["band_missing_because"][b].startswith("undefined in 200 of 200")


def test_without_heights_there_are_no_positions_and_the_reason_is_said(study):
    fake, job, folders = study("positions")
    write_table(fake.index_path, fake.index.assign(z_mm=np.nan))
    found = positions.analyse(job, predictions=folders, index=fake.index_path)
    assert "no slice has a height" in found["missing_because"] and found["unplaced"] == found["n_slices"]
    assert found["experiments"][0]["recall"] is None
    write_table(fake.index_path, fake.index.iloc[5:])
    with pytest.raises(CheckFailed, match="index does not hold"):
        positions.analyse(job, predictions=folders, index=fake.index_path)


def test_each_case_is_named_by_its_mean_probability(study):
    _, job, folders = study("cases")
    entry = cases.analyse(job, predictions=folders)["experiments"][0]
    table = read_table(folders["vgg16_bn_ce"] / "run-00" / "predictions.parquet")
    for one in entry["cases"]:
        means = table.loc[table["case"] == one["case"], COLUMNS].mean()
        assert one["named"][0] == list(job.classes)[int(means.to_numpy().argmax())]
    assert sum(entry["counts"].values()) == len(entry["cases"])


@pytest.mark.parametrize(
    ("change", "message", "where"),
    [
        (lambda t: t.assign(p_normal=np.nan), "no probability", "p_normal"),
        (lambda t: t.assign(p_normal=t["p_normal"] + 0.1), "do not sum to 1", "p_covid19"),
        (lambda t: t.assign(p_normal=-t["p_normal"]), "no probability", "p_normal"),
        (lambda t: t.drop(columns="p_normal"), "lack a column", "p_normal"),
        (lambda t: t.iloc[1:], "other slices", "run-01"),
        (lambda t: t.iloc[:0], "does not say that it diverged", "run-01"),
    ],
)
def test_predictions_that_are_none_are_refused_by_file_and_column(study, change, message, where):
    _, job, folders = study("cases")
    rewrite(folders["dsn_saal"], 1, change)
    with pytest.raises(CheckFailed, match=message) as caught:
        cases.analyse(job, predictions=folders)
    assert where in str(caught.value) and "run-01/predictions.parquet" in str(caught.value)


def test_runs_missing_surplus_or_of_another_number_are_refused(study):
    _, job, folders = study("cases")
    path = folders["dsn_saal"] / "run-02" / "predictions.parquet"
    held = read_table(path)
    path.unlink()
    with pytest.raises(CheckFailed, match="a run has no predictions"):
        cases.analyse(job, predictions=folders)
    write_table(path, held)
    write_table(folders["dsn_saal"] / "run-03" / "predictions.parquet", held)
    with pytest.raises(CheckFailed, match="more runs than the params name"):
        cases.analyse(job, predictions=folders)
    with pytest.raises(BadRequest, match="missing: vgg16_bn_ce\n  where: --predictions"):
        cases.analyse(job, predictions={"dsn_saal": folders["dsn_saal"]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[t["label"] != 1], "class has no test case"),
        (lambda t: t.assign(case=""), "without a case"),
        (lambda t: t.assign(case="one"), "slices of two classes"),
        (lambda t: t.assign(label=t["label"] + 1), "other classes"),
    ],
)
def test_a_test_part_that_cannot_be_analysed_is_refused(study, change, message):
    _, job, folders = study("levels")
    for folder, run in itertools.product(folders.values(), range(3)):
        rewrite(folder, run, change)
    with pytest.raises(CheckFailed, match=message):
        levels.analyse(job, predictions=folders)


def test_nothing_but_diverged_runs_is_refused(study):
    failed = {"failed": (0, 1, 2)}
    _, job, folders = study("cases", vgg16_bn_ce=failed, dsn_saal=failed)
    with pytest.raises(CheckFailed, match="every run of every experiment diverged"):
        cases.analyse(job, predictions=folders)


def test_one_case_of_each_class_has_intervals_without_width(cohort, small_settings):
    fake = cohort(cases=(3, 3, 3), test_cases=1)
    settings = small_settings(report__table3=["dsn_saal"], analyse__experiments=["dsn_saal"])
    folders = {"dsn_saal": fake.evaluate("dsn_saal", settings=settings)}
    found = decision.analyse(analyse_job(settings, "decision"), predictions=folders)["experiments"][0]["case"]
    assert found["low"] == found["high"] == found["values"]


def test_an_analysis_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="no such analysis"):
        read_analysis(tmp_path / "no.json", "cases")
    write_text(tmp_path / "half.json", '{"analysis": ')
    with pytest.raises(CheckFailed, match="damaged"):
        read_analysis(tmp_path / "half.json", "cases")
    write_json(tmp_path / "other.json", {"analysis": "levels"})
    with pytest.raises(CheckFailed, match="not the analysis cases"):
        read_analysis(tmp_path / "other.json", "cases")
