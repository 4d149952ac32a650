"""The stored predictions of experiments, trusted only where they can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.named import require_named
from dsn_saal.domain.origin import Origin, common_origin
from dsn_saal.evaluate.stored import read_runs, require_same_slices, stored_probabilities
from dsn_saal.params.analyse_jobs import AnalysisJob
from dsn_saal.statistics.clusters import CaseCounts, Level, count_cases

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TestSlices:
    """The slices that every experiment answered for.

    Attributes:
        table: row, case, label, origin; n rows.
        cases: (n,) numbers the cases from 0 in the order of their hashed ids.
        names: (cases,) those ids.
        strata: (cases,) label of each case.
        origin: phantom where any slice is one.
    """

    table: pd.DataFrame
    cases: NDArray[np.int64]
    names: tuple[str, ...]
    strata: NDArray[np.int64]
    origin: Origin

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """True class of each slice, (n,)."""
        return self.table["label"].to_numpy(np.int64)


@dataclass(frozen=True)
class Answers:
    """One experiment.

    Attributes:
        name: of the experiment.
        title: as it is printed.
        runs: probabilities (n, C) of each run that finished, by run number.
        failed: numbers of those that diverged.
    """

    name: str
    title: str
    runs: Mapping[int, Floats]
    failed: tuple[int, ...]

    def counts(self, slices: TestSlices, level: Level = "slice") -> dict[int, CaseCounts]:
        """What each case contributes, a run each."""
        return {
            run: count_cases(slices.labels, probabilities, slices.cases, level=level)
            for run, probabilities in self.runs.items()
        }

    @property
    def missing(self) -> str | None:
        """Why nothing can be said of the experiment; None where something can."""
        return None if self.runs else f"all {len(self.failed)} runs of {self.title} diverged"


def read_answers(job: AnalysisJob, predictions: Mapping[str, Path]) -> tuple[TestSlices, dict[str, Answers]]:
    """Predictions of every experiment of a job, in its order.

    Args:
        job: experiments, classes, number of runs.
        predictions: experiment to the folder that evaluate wrote.

    Raises:
        BadRequest: where an experiment has no folder, or a folder no experiment.
        CheckFailed: naming file and column, where runs are missing or surplus, speak of other slices, hold something
            that is no probability, a case has no id or two labels, or a class has no test case.
    """
    wanted = [row.name for row in job.rows]
    require_named("--predictions", predictions, wanted)
    slices: TestSlices | None = None
    answers = {}
    for row in job.rows:
        folder = predictions[row.name]
        tables = dict(enumerate(read_runs(folder, row.name, job.runs, job.classes)))
        finished = {run: table for run, table in tables.items() if len(table)}
        if finished:
            first = next(iter(finished.values()))
            slices = slices or _slices(first, folder, job)
            require_same_slices(first, slices.table, row.name, where=folder)
        runs = {run: stored_probabilities(table, job.classes) for run, table in finished.items()}
        answers[row.name] = Answers(row.name, row.title, runs, tuple(tables.keys() - finished.keys()))
    if slices is None:
        raise CheckFailed(
            "every run of every experiment diverged: there is nothing to analyse",
            value=", ".join(wanted),
            next_step="look at results/train/<experiment>/run-NN/failed.json",
        )
    return slices, answers


def _slices(table: pd.DataFrame, folder: Path, job: AnalysisJob) -> TestSlices:
    if (table["case"] == "").any():
        raise CheckFailed(
            "slices without a case cannot be analysed by case", value=f"{int((table['case'] == '').sum())} slices",
            where=f"{folder}: case", next_step="analyse a data set whose cases are known",
        )  # fmt: skip
    numbers, names = pd.factorize(table["case"], sort=True)
    by_case = table.groupby("case", sort=True)["label"]
    mixed = by_case.nunique() > 1
    if mixed.any():
        raise CheckFailed(
            "a case has slices of two classes, so it has no label", value=mixed.index[mixed][0],
            where=f"{folder}: label", next_step="analyse a data set whose cases have one label each",
        )  # fmt: skip
    strata = by_case.first().to_numpy(np.int64)
    absent = [title for label, title in enumerate(job.classes.values()) if label not in strata]
    if absent:
        raise CheckFailed(
            "a class has no test case: its sensitivity and every mean over classes are undefined",
            value=", ".join(absent), where=f"{folder}: label", next_step="split again with more test cases",
        )  # fmt: skip
    return TestSlices(table, numbers.astype(np.int64), tuple(map(str, names)), strata, common_origin(table["origin"]))
