"""The metrics of each method by slice, by case-weighted slice and by case, with intervals over cases and runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dsn_saal.analyse.answers import Answers, TestSlices, read_answers
from dsn_saal.analyse.shared import head, of_experiment, with_interval
from dsn_saal.analyse.written import Json
from dsn_saal.params.analyse_jobs import LevelsJob
from dsn_saal.statistics.clusters import LEVELS, Level, resampled_metrics
from dsn_saal.statistics.intervals import wilson
from dsn_saal.statistics.nested import nested_bootstrap


def analyse(job: LevelsJob, *, predictions: Mapping[str, Path]) -> Json:
    """Every metric of every experiment at the three levels.

    Args:
        job: experiments, classes, runs and draws.
        predictions: experiment to the folder that evaluate wrote.

    Returns:
        JSON; see `answers.read_answers` for what is refused.
    """
    slices, answers = read_answers(job, predictions)
    return head("levels", job, slices) | {
        "primary": job.primary,
        "ddof": job.std_ddof,
        "aggregation": "mean probability over the slices of a case",
        "experiments": [
            of_experiment(held) | {"levels": {level: _at(job, slices, held, level) for level in LEVELS}}
            for held in answers.values()
        ],
    }


def _at(job: LevelsJob, slices: TestSlices, held: Answers, level: Level) -> Json | None:
    if not held.runs:
        return None
    names, positive = tuple(job.classes), list(job.classes).index(job.positive)
    counts = list(held.counts(slices, level).values())
    whole = np.ones((1, len(slices.names)))
    measured = [resampled_metrics(one, whole, positive=positive, classes=names) for one in counts]
    draws = nested_bootstrap(
        counts, slices.strata, positive=positive, classes=names, draws=job.interval.draws, seed=job.interval.seed
    )
    metrics = {
        name: with_interval(
            np.array([one[name][0] for one in measured]), draws[name], level=job.interval.level, ddof=job.std_ddof
        )
        for name in sorted(draws)
    }
    entry: Json = {"metrics": metrics}
    if level == "case":
        right = np.mean([[one.confusions[:, c, c].sum() for c in range(len(names))] for one in counts], axis=0)
        entry["recognised"] = {
            name: _recognised(float(right[c]), int((slices.strata == c).sum()), job.interval.level)
            for c, name in enumerate(names)
        }
    return entry


def _recognised(right: float, cases: int, level: float) -> Json:
    """Cases of a class that are named rightly, mean over runs, with Wilson's interval: few cases, no normal theory."""
    return {"right": right, "cases": cases, "share": right / cases, "wilson": wilson(right, cases, level)}
