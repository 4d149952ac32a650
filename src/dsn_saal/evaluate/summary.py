"""From predictions to metrics.json of a run, and from runs to summary.json."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.origin import common_origin
from dsn_saal.params.jobs import EvaluateJob
from dsn_saal.statistics.intervals import bootstrap_intervals, case_confusions
from dsn_saal.statistics.measures import measure
from dsn_saal.statistics.runs import mean_and_sd

Json = dict[str, Any]
Interval = tuple[float, float] | None


def probability_columns(classes: ClassSet) -> list[str]:
    """Columns of predictions.parquet that hold the probabilities, in label order."""
    return [f"p_{name}" for name in classes.names]


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
        "n_cases": int(slices["case"].nunique()),
        "class_slices": {name: len(part) for name, part in per_class.items()},
        "class_cases": {name: int(part["case"].nunique()) for name, part in per_class.items()},
    }


def summary_of(job: EvaluateJob, runs: list[dict[str, float]], predictions: list[pd.DataFrame]) -> Json:
    """Mean, sd over runs and interval over cases of every metric, with the conventions they follow.

    Args:
        job: the experiment with its conventions, ddof and bootstrap.
        runs: metrics per run, NaN where undefined.
        predictions: the runs' predictions, all of the same slices in the same order.
    """
    evaluate = job.evaluate
    intervals = _case_intervals(job, predictions)
    return {
        "n_runs": len(runs),
        "ddof": evaluate.std_ddof,
        "predict_from": evaluate.predict_from,
        "interval": {"level": evaluate.interval_level, "draws": evaluate.bootstrap_draws, "unit": "case"},
        "primary": {
            "accuracy": f"accuracy.{evaluate.accuracy}",
            "f1": f"f1.{evaluate.f1}",
            "g_mean": f"g_mean.{evaluate.g_mean}",
            "auc": f"auc.{evaluate.auc}",
        },
        "metrics": {name: _over_runs(name, runs, evaluate.std_ddof, intervals.get(name)) for name in sorted(runs[0])},
    }


def _over_runs(name: str, runs: list[dict[str, float]], ddof: int, interval: Interval) -> Json:
    values = [run[name] for run in runs]
    mean, sd = mean_and_sd(values, ddof)
    shown = [None if math.isnan(value) else value for value in values]
    return {"mean": mean, "sd": sd, "values": shown, "interval": interval}


def _case_intervals(job: EvaluateJob, predictions: list[pd.DataFrame]) -> dict[str, Interval]:
    classes = ClassSet(job.classes, job.classes, job.positive)
    numbers: NDArray[np.integer] = pd.factorize(predictions[0]["case"], sort=True)[0]
    labels = predictions[0]["label"].to_numpy()
    first_slices = np.unique(numbers, return_index=True)[1]
    columns = probability_columns(classes)
    predicted = [run[columns].to_numpy().argmax(axis=1) for run in predictions]
    return bootstrap_intervals(
        np.stack([case_confusions(labels, run, numbers, len(classes)) for run in predicted]),
        labels[first_slices],
        positive=classes.label(classes.positive),
        level=job.evaluate.interval_level,
        draws=job.evaluate.bootstrap_draws,
        seed=job.evaluate.bootstrap_seed,
    )


def read_summary(path: Path, experiment: str) -> Json:
    """Read summary.json of an experiment.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged or speaks of another experiment.
    """
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest("there is no such summary", value=path, next_step=f"evaluate {experiment} first") from None
    except ValueError as error:
        raise CheckFailed("a summary is damaged", value=str(error), where=path, next_step="evaluate again") from None
    if summary.get("experiment") != experiment:
        raise CheckFailed(
            f"this is not the summary of {experiment}",
            value=summary.get("experiment"),
            where=path,
            next_step="name the file of the same experiment",
        )
    return summary
