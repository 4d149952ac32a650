"""Decision curves of the positive class against the rest, by slice and by case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsn_saal.analyse.answers import Answers, Floats, TestSlices, read_answers
from dsn_saal.analyse.shared import banded, drawn_cases, head, nulls, of_experiment
from dsn_saal.analyse.written import Json
from dsn_saal.params.analyse_jobs import DecisionJob
from dsn_saal.statistics.clusters import case_answers
from dsn_saal.statistics.decision import acted_on, net_benefit, treat_all

Unit = tuple[NDArray[np.bool_], NDArray[np.int64]]
"""Which of what is counted is positive, and the case of each."""


def analyse(job: DecisionJob, *, predictions: Mapping[str, Path]) -> Json:
    """Net benefit at each threshold, mean over runs, with a band over cases, beside acting on all and on none.

    Args:
        job: experiments, thresholds, classes, runs and draws.
        predictions: experiment to the folder that evaluate wrote.

    Returns:
        JSON; see `answers.read_answers` for what is refused.
    """
    slices, answers = read_answers(job, predictions)
    times, thresholds = drawn_cases(job, slices), np.linspace(job.first, job.last, job.count)
    positive = list(job.classes).index(job.positive)
    units: dict[str, Unit] = {
        "slice": (slices.labels == positive, slices.cases),
        "case": (slices.strata == positive, np.arange(len(slices.names))),
    }
    everyone = {name: treat_all(np.float64(f.sum()), np.float64(f.size), thresholds) for name, (f, _) in units.items()}
    return head("decision", job, slices) | {
        "thresholds": thresholds.tolist(),
        "prevalence": {name: float(flags.mean()) for name, (flags, _) in units.items()},
        "treat_all": {name: nulls(values) for name, values in everyone.items()},
        "treat_none": 0.0,
        "experiments": [
            of_experiment(held)
            | {name: _curve(job, slices, held, name, units[name], thresholds, times, positive) for name in units}
            for held in answers.values()
        ],
    }


def _curve(
    job: DecisionJob, slices: TestSlices, held: Answers, name: str, unit: Unit, thresholds: Floats, times: Floats,
    positive: int,
) -> Json | None:  # fmt: skip
    if not held.runs:
        return None
    flags, cases = unit
    curves = []
    for probabilities in held.runs.values():
        if name == "case":
            probabilities = case_answers(slices.labels, probabilities, slices.cases)[1]
        hits, false_alarms = acted_on(flags, probabilities[:, positive], cases, thresholds)
        curves.append(net_benefit(times @ hits, times @ false_alarms, times @ np.bincount(cases), thresholds))
    return banded(np.mean(curves, axis=0), job.interval.level)
