"""From predictions to metrics of runs and of an experiment."""

import json

import numpy as np
import pandas as pd
import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.evaluate.collect import collect_metrics
from dsn_saal.evaluate.summaries import differences, read_summary
from dsn_saal.evaluate.summary import header_of, run_metrics, summary_of
from dsn_saal.params.jobs import evaluate_job


def read(folder):
    return json.loads((folder / "summary.json").read_text())


def test_mean_and_sd_are_of_the_runs_own_metrics(cohort):
    folder = cohort().evaluate("dsn_saal", skill=1.5)
    metric = read(folder)["metrics"]["accuracy.overall"]
    runs = []
    for run in range(3):
        table = pd.read_parquet(folder / f"run-{run:02d}" / "predictions.parquet")
        predicted = table[["p_covid19", "p_normal", "p_bacterial_pneumonia"]].to_numpy().argmax(axis=1)
        runs.append((predicted == table["label"]).mean())
    assert metric["values"] == pytest.approx(runs)
    assert metric["mean"] == pytest.approx(np.mean(runs)) and metric["sd"] == pytest.approx(np.std(runs, ddof=1))
    assert metric["interval"][0] <= metric["mean"] <= metric["interval"][1]


def test_ddof_comes_from_the_params(cohort, small_settings):
    settings = small_settings(evaluate__std_ddof=0)
    summary = read(cohort().evaluate("dsn_saal", settings=settings))
    metric = summary["metrics"]["f1.macro"]
    assert summary["ddof"] == 0 and metric["sd"] == pytest.approx(np.std(metric["values"], ddof=0))


def test_primary_conventions_come_from_the_params(cohort, small_settings):
    settings = small_settings(evaluate__accuracy="balanced", evaluate__auc="ovo_macro")
    primary = read(cohort().evaluate("dsn_saal", settings=settings))["primary"]
    assert primary["accuracy"] == "accuracy.balanced" and primary["auc"] == "auc.ovo_macro"


def test_every_metric_of_the_switchboard_is_there(cohort, small_settings):
    metrics = read(cohort().evaluate("dsn_saal"))["metrics"]
    for section in ("accuracy", "f1", "g_mean", "auc"):
        annotation = type(small_settings().evaluate).model_fields[section].annotation
        for convention in annotation.__args__:
            assert f"{section}.{convention}" in metrics


def test_a_run_that_never_predicts_a_class_leaves_precision_missing(cohort, small_settings):
    fake, job = cohort(), evaluate_job(small_settings(), "dsn_saal")
    slices = fake.index.loc[fake.parts == "test", ["row", "case", "label", "origin"]].reset_index(drop=True)
    table = slices.assign(p_covid19=0.2, p_normal=0.5, p_bacterial_pneumonia=0.3)
    from dsn_saal.domain.classes import ClassSet

    metrics = run_metrics(table, ClassSet(job.classes, job.classes, job.positive))
    summary = header_of(job, slices) | summary_of(job, {0: metrics}, {0: table}, n_runs=1)
    missing = summary["metrics"]["precision.macro"]
    assert missing == {"mean": None, "sd": None, "values": [None], "interval": None}
    assert summary["metrics"]["accuracy.overall"]["sd"] is None
    json.dumps(summary, allow_nan=False)


def test_origin_is_phantom_as_soon_as_one_slice_is(cohort, small_settings):
    assert read(cohort(origin="clinical").evaluate("dsn_saal"))["origin"] == "clinical"
    slices = pd.DataFrame({"case": ["a", "b"], "label": [0, 1], "origin": ["clinical", "phantom"]})
    assert header_of(evaluate_job(small_settings(), "dsn_saal"), slices)["origin"] == "phantom"


def test_a_summary_of_another_experiment_is_refused(cohort):
    path = cohort().evaluate("dsn_saal") / "summary.json"
    with pytest.raises(CheckFailed, match="not the summary of vgg16_bn_ce"):
        read_summary(path, "vgg16_bn_ce")


def test_a_missing_or_damaged_summary_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="no such summary"):
        read_summary(tmp_path / "summary.json", "dsn_saal")
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(CheckFailed, match="damaged"):
        read_summary(tmp_path / "summary.json", "dsn_saal")


def test_collected_metrics_are_the_summaries_headlines(cohort, tmp_path):
    fake = cohort()
    folders = {name: fake.evaluate(name, seed=seed) for seed, name in enumerate(("dsn_saal", "vgg16_bn_ce"))}
    collect_metrics({name: folder / "summary.json" for name, folder in folders.items()}, tmp_path / "metrics.json")
    collected = json.loads((tmp_path / "metrics.json").read_text())
    for name, folder in folders.items():
        metrics = read(folder)["metrics"]
        assert collected[name]["accuracy"]["mean"] == metrics["accuracy.overall"]["mean"]
        assert collected[name]["macro_recall"]["sd"] == metrics["sensitivity.macro"]["sd"]
        assert collected[name]["origin"] == "phantom"


def test_differences_pair_the_runs_that_finished_in_both(cohort):
    fake = cohort()
    before = read(fake.evaluate("vgg16_bn_ce", seed=1, failed=(1,)))
    after = read(fake.evaluate("dsn_saal", seed=2))
    name = "accuracy.overall"
    ours, theirs = after["metrics"][name]["values"], before["metrics"][name]["values"]
    assert before["finished"] == [0, 2] and len(ours) == 3
    assert differences(before, after, name) == [ours[0] - theirs[0], ours[2] - theirs[1]]
    assert differences(read(fake.evaluate("vgg16_bn_ce", failed=(0, 1, 2))), after, name) is None
    after["metrics"][name]["values"][2] = None
    assert differences(before, after, name) is None


def test_collected_metrics_count_what_diverged(cohort, tmp_path):
    folder = cohort().evaluate("dsn_saal", failed=(0, 1, 2))
    collect_metrics({"dsn_saal": folder / "summary.json"}, tmp_path / "metrics.json")
    held = json.loads((tmp_path / "metrics.json").read_text())["dsn_saal"]
    assert (held["n_runs"], held["n_failed"], held["accuracy"]) == (3, 3, {"mean": None, "sd": None})
