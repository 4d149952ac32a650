"""Calibration of the test part's probabilities, as they are and after temperature scaling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dsn_saal.analyse.answers import Answers, Floats, TestSlices, read_answers
from dsn_saal.analyse.shared import drawn_cases, head, nulls, of_experiment, or_null, with_interval
from dsn_saal.analyse.written import Json
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.run import RunKey
from dsn_saal.evaluate.stored import columns_of, require_columns, require_probabilities, stored_probabilities
from dsn_saal.params.analyse_jobs import CalibrationJob
from dsn_saal.statistics import calibration as measures
from dsn_saal.statistics.confusion import ratio
from dsn_saal.statistics.nested import percentile_interval
from dsn_saal.storage.tables import read_table

FITTED_ON = {
    "validation": "validation cases, which each run held out of training to select its epoch: the epoch was chosen on "
    "the same cases, so the temperature is a little optimistic",
    "train": "training cases, since no validation part was held out: the network has seen them and is right on "
    "them more often than on new cases, so the temperature is optimistic: it comes out too low",
}


def analyse(job: CalibrationJob, *, predictions: Mapping[str, Path]) -> Json:
    """Brier score, log-loss, class-wise calibration error and reliability, before and after temperature scaling.

    Args:
        job: experiments, bins, classes, runs and draws.
        predictions: experiment to the folder that evaluate wrote, with train_predictions.parquet in each run.

    Returns:
        JSON; see `answers.read_answers` for what is refused.

    Raises:
        CheckFailed: where a run has no answers for its training part.
    """
    slices, answers = read_answers(job, predictions)
    times = drawn_cases(job, slices)
    part = "validation" if job.select_epoch == "best_validation" else "train"
    return head("calibration", job, slices) | {
        "bins": np.linspace(0, 1, job.bins + 1).tolist(),
        "least_probability": job.least_probability,
        "fitted_on": part,
        "fitted_on_because": FITTED_ON[part],
        "intervals": "percentiles; of calibration errors (ece) reflected at the estimate, which resampling raises",
        "experiments": [
            of_experiment(held) | _experiment(job, slices, held, predictions[held.name], part, times)
            for held in answers.values()
        ],
    }


def _experiment(job: CalibrationJob, slices: TestSlices, held: Answers, folder: Path, part: str, times: Floats) -> Json:
    if not held.runs:
        return {"temperatures": [], "before": None, "after": None, "after_missing_because": held.missing}
    fitted = {run: _temperature(job, folder / RunKey(held.name, run).run_name, part) for run in held.runs}
    temperatures = [
        {"run": run, "value": or_null(found.value), "missing_because": found.missing_because}
        for run, found in fitted.items()
    ]
    without = [run for run, found in fitted.items() if found.value is None]
    scaled = {run: measures.scaled(held.runs[run], found.value) for run, found in fitted.items() if found.value}
    because = f"run {without[0]}: {fitted[without[0]].missing_because}" if without else None
    return {
        "temperatures": temperatures,
        "before": _measured(job, slices, held.runs, times),
        "after": None if without else _measured(job, slices, scaled, times),
        "after_missing_because": because,
    }


def _temperature(job: CalibrationJob, folder: Path, part: str) -> measures.Temperature:
    path = folder / "train_predictions.parquet"
    if not path.is_file():
        raise CheckFailed(
            "a run has no answers for its training part",
            where=path,
            next_step="run dsn-saal predict for its experiment",
        )
    table, again = read_table(path), "run dsn-saal predict for its experiment again"
    require_columns(table, ["row", "label", "part", *columns_of(job.classes)], where=path, next_step=again)
    if table.empty:
        return measures.Temperature(None, "its weights were not kept, so its training part cannot be asked")
    chosen = table[table["part"] == part]
    require_probabilities(chosen, job.classes, where=path, next_step=again)
    return measures.fit_temperature(chosen["label"].to_numpy(np.int64), stored_probabilities(chosen, job.classes))


def _measured(job: CalibrationJob, slices: TestSlices, runs: Mapping[int, Floats], times: Floats) -> Json:
    """Scores by run and over draws of cases; reliability of all runs' answers together."""
    labels, cases, level = slices.labels, slices.cases, job.interval.level
    sizes = times @ np.bincount(cases)
    brier, loss, errors = list[Floats](), list[Floats](), list[Floats]()
    sums = list[measures.Reliability]()
    for probabilities in runs.values():
        for found, terms in (
            (brier, measures.brier_terms(labels, probabilities)),
            (loss, measures.log_loss_terms(labels, probabilities, least=job.least_probability)),
        ):
            found.append(times @ np.bincount(cases, terms) / sizes)
        drawn = measures.drawn(measures.reliability(labels, probabilities, cases, bins=job.bins), times)
        errors.append(measures.class_errors(drawn))
        sums.append(drawn)
    by_class = np.array(errors)  # (runs, 1 + draws, C)
    scores = {"brier": np.array(brier), "log_loss": np.array(loss), "ece.macro": by_class.mean(axis=2)}
    scores |= {f"ece.{name}": by_class[:, :, c] for c, name in enumerate(job.classes)}
    pooled = measures.Reliability(
        *(np.sum([getattr(one, key) for one in sums], axis=0) for key in ("slices", "predicted", "observed"))
    )
    return {
        "scores": {
            name: with_interval(values[:, 0], values.mean(axis=0)[1:], level=level, reflected=name.startswith("ece."))
            for name, values in scores.items()
        },
        "reliability": {name: _curve(pooled, c, len(runs), level) for c, name in enumerate(job.classes)},
    }


def _curve(pooled: measures.Reliability, c: int, n_runs: int, level: float) -> Json:
    """Reliability of one class: per bin the mean predicted probability, the observed share and its band."""
    observed = measures.observed_share(pooled)[:, c]
    draws = observed[1:]
    ends = [
        percentile_interval(column[~np.isnan(column)], level) if _mostly(column, level) else None for column in draws.T
    ]
    empty = np.isnan(draws).sum(axis=0)
    return {
        "slices": (pooled.slices[0, c] / n_runs).tolist(),
        "predicted": nulls(ratio(pooled.predicted[0, c], pooled.slices[0, c])),
        "observed": nulls(observed[0]),
        "low": [None if end is None or end.bounds is None else end.bounds[0] for end in ends],
        "high": [None if end is None or end.bounds is None else end.bounds[1] for end in ends],
        "band_missing_because": [
            None if end is not None else f"no slice in the bin in {int(n)} of {len(draws)} draws"
            for end, n in zip(ends, empty, strict=True)
        ],
    }


def _mostly(column: Floats, level: float) -> bool:
    """Whether a bin is empty in so few draws that they fit into one tail of the band."""
    return bool(np.isnan(column).mean() <= (1 - level) / 2)
