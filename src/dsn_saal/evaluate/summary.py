"""From predictions to metrics.json of a run, and from runs to summary.json."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.origin import common_origin
from dsn_saal.evaluate.design import ONE_SPLIT, Design, Pooled, pooled_confusions
from dsn_saal.evaluate.stored import columns_of
from dsn_saal.evaluate.summaries import Json
from dsn_saal.params.jobs import EvaluateJob
from dsn_saal.statistics.confusion import confusion_metrics
from dsn_saal.statistics.intervals import bootstrap_intervals
from dsn_saal.statistics.measures import measure
from dsn_saal.statistics.runs import mean_and_sd, spread_components

Interval = tuple[float, float] | None

FEWEST_UNITS = 2
"""Fewest cases of a class that an interval over cases can be drawn from."""


def probability_columns(classes: ClassSet) -> list[str]:
    """Columns of predictions.parquet that hold the probabilities, in label order."""
    return columns_of(classes.names)


def run_metrics(predictions: pd.DataFrame, classes: ClassSet) -> dict[str, float]:
    """Every metric of one run's predictions, NaN where undefined."""
    probabilities = predictions[probability_columns(classes)].to_numpy(np.float64)
    return measure(predictions["label"].to_numpy(), probabilities, classes)


def without_nan(values: dict[str, float]) -> dict[str, float | None]:
    """The same with None for NaN, as JSON writes a missing value."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def header_of(job: EvaluateJob, slices: pd.DataFrame) -> Json:
    """What metrics.json and summary.json say of the slices they measure: case, label and origin a row."""
    per_class = {name: slices[slices["label"] == label] for label, name in enumerate(job.classes)}
    return {
        "experiment": job.name,
        "origin": common_origin(slices["origin"]),
        "classes": list(job.classes),
        "positive": job.positive,
        "n_slices": len(slices),
        "n_cases": _known_cases(slices),
        "class_slices": {name: len(part) for name, part in per_class.items()},
        "class_cases": {name: _known_cases(part) for name, part in per_class.items()},
    }


def _known_cases(slices: pd.DataFrame) -> int:
    return int(slices.loc[slices["case"] != "", "case"].nunique())


def summary_of(
    job: EvaluateJob,
    runs: Mapping[int, dict[str, float]],
    predictions: Mapping[int, pd.DataFrame],
    *,
    n_runs: int,
    design: Design = ONE_SPLIT,
) -> Json:
    """Mean, sd over runs and interval over cases of every metric, with the conventions they follow.

    Args:
        job: the experiment with its conventions, ddof and bootstrap.
        runs: metrics by run number, NaN where undefined; runs that diverged are not among them.
        predictions: the same runs' predictions, each of the test part of its draw.
        n_runs: how many runs there are, those that diverged among them.
        design: what differs between the runs besides their seed, and what the intervals draw.

    Returns:
        JSON in which `values` of a metric are those of the runs that `finished` names, in its order; every mean is
        None where no run finished. Where the draws test different slices, `interval` and `pooled` are of all test
        parts together.
    """
    evaluate = job.evaluate
    pooled = pooled_confusions(design, predictions, len(job.classes)) if predictions else None
    intervals = _intervals(job, pooled) if pooled else {}
    more = _of_draws(job, design, runs, pooled)
    return {
        "n_runs": n_runs,
        "n_failed": n_runs - len(runs),
        "finished": list(runs),
        "ddof": evaluate.std_ddof,
        "predict_from": evaluate.predict_from,
        "varies": design.varies,
        "draws": design.draws,
        "interval": {"level": evaluate.interval_level, "draws": evaluate.bootstrap_draws, "unit": design.unit},
        "primary": {
            "accuracy": f"accuracy.{evaluate.accuracy}",
            "f1": f"f1.{evaluate.f1}",
            "g_mean": f"g_mean.{evaluate.g_mean}",
            "auc": f"auc.{evaluate.auc}",
        },
        "metrics": {
            name: _over_runs(name, list(runs.values()), evaluate.std_ddof, intervals.get(name)) | more.get(name, {})
            for name in _metric_names(job)
        },
    }


def _metric_names(job: EvaluateJob) -> list[str]:
    """Names of all metrics, known without any run: those of a perfect answer."""
    labels = np.arange(len(job.classes))
    return sorted(measure(labels, np.eye(len(labels)), ClassSet(job.classes, job.classes, job.positive)))


def _over_runs(name: str, runs: list[dict[str, float]], ddof: int, interval: Interval) -> Json:
    values = [run[name] for run in runs]
    mean, sd = mean_and_sd(values, ddof)
    shown = [None if math.isnan(value) else value for value in values]
    return {"mean": mean, "sd": sd, "values": shown, "interval": interval}


def _intervals(job: EvaluateJob, pooled: Pooled) -> dict[str, Interval]:
    """Intervals over cases; none where a class has a single one, which every draw would take again."""
    if min(np.unique(pooled.strata, return_counts=True)[1]) < FEWEST_UNITS:
        return {}
    return bootstrap_intervals(
        pooled.confusions,
        pooled.strata,
        positive=job.classes.index(job.positive),
        level=job.evaluate.interval_level,
        draws=job.evaluate.bootstrap_draws,
        seed=job.evaluate.bootstrap_seed,
    )


def _of_draws(
    job: EvaluateJob, design: Design, runs: Mapping[int, dict[str, float]], pooled: Pooled | None
) -> dict[str, Json]:
    """What each metric's entry says besides where draws differ: its spread by cause, its value over all test parts."""
    if design.varies == "nothing":
        return {}
    entries: dict[str, Json] = {name: {} for name in _metric_names(job)}
    for name, entry in entries.items():
        held = spread_components([run[name] for run in runs.values()], [run % design.draws for run in runs])
        entry["sd_of_seeds"], entry["sd_of_draws"] = held or (None, None)
    if design.tests_apart and pooled is not None:
        whole = confusion_metrics(pooled.confusions.sum(axis=1), job.classes.index(job.positive))
        for name, values in whole.items():
            mean = float(values.mean())
            entries[name]["pooled"] = None if math.isnan(mean) else mean
    return entries
