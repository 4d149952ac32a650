"""What became of each test case: its mean probabilities, and in how many runs it was named rightly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dsn_saal.analyse.answers import Answers, TestSlices, read_answers
from dsn_saal.analyse.shared import head, of_experiment
from dsn_saal.analyse.written import Json
from dsn_saal.params.analyse_jobs import AnalysisJob
from dsn_saal.statistics.clusters import case_answers


def analyse(job: AnalysisJob, *, predictions: Mapping[str, Path]) -> Json:
    """Every case of every experiment, by its hashed id.

    Args:
        job: experiments, classes, runs.
        predictions: experiment to the folder that evaluate wrote.

    Returns:
        JSON; see `answers.read_answers` for what is refused.
    """
    slices, answers = read_answers(job, predictions)
    return head("cases", job, slices) | {
        "experiments": [of_experiment(held) | _cases(job, slices, held) for held in answers.values()]
    }


def _cases(job: AnalysisJob, slices: TestSlices, held: Answers) -> Json:
    if not held.runs:
        return {"cases": None, "counts": None}
    names = list(job.classes)
    means = np.array([case_answers(slices.labels, run, slices.cases)[1] for run in held.runs.values()])
    named = means.argmax(axis=2)  # (runs, cases)
    right = named == slices.strata
    by_slice = np.array([run.argmax(axis=1) == slices.labels for run in held.runs.values()]).mean(axis=0)
    sizes = np.bincount(slices.cases)
    slices_right = np.bincount(slices.cases, by_slice) / sizes
    cases = [
        {
            "case": case,
            "class": names[slices.strata[place]],
            "slices": int(sizes[place]),
            "probabilities": {name: float(means[:, place, c].mean()) for c, name in enumerate(names)},
            "named": [names[label] for label in named[:, place]],
            "runs_right": int(right[:, place].sum()),
            "slices_right": float(slices_right[place]),
        }
        for place, case in enumerate(slices.names)
    ]
    runs, hits = len(held.runs), right.sum(axis=0)
    counts = {
        "always_right": int((hits == runs).sum()),
        "never_right": int((hits == 0).sum()),
        "depends_on_the_run": int(((hits > 0) & (hits < runs)).sum()),
    }
    return {"cases": cases, "counts": counts}
