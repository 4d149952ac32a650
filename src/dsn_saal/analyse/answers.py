"""The stored predictions of experiments, trusted only where they can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.origin import Origin, common_origin
from dsn_saal.domain.run import RunKey
from dsn_saal.params.analyse_jobs import AnalysisJob
from dsn_saal.statistics.clusters import CaseCounts, Level, count_cases
from dsn_saal.storage.tables import read_table

Floats = NDArray[np.float64]

SUM_TOLERANCE = 1e-9
"""How far the probabilities of a row may miss the sum 1."""


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
    if set(wanted) != set(predictions):
        raise BadRequest(
            "every experiment of the analysis needs one folder of predictions and no other is read",
            value=f"predictions of {', '.join(predictions) or 'nothing'}",
            where=f"experiments {', '.join(wanted)}",
            next_step="name one --predictions for each experiment",
        )
    columns = [f"p_{name}" for name in job.classes]
    slices: TestSlices | None = None
    answers = {}
    for row in job.rows:
        folder, runs, failed = predictions[row.name], dict[int, Floats](), list[int]()
        _require_no_more(folder, row.name, job.runs)
        for run in range(job.runs):
            path = folder / RunKey(row.name, run).run_name / "predictions.parquet"
            table = _read(path, row.name, columns)
            if table is None:
                failed.append(run)
                continue
            slices = slices or _slices(table, path, job)
            if not table[["row", "case", "label"]].equals(slices.table[["row", "case", "label"]]):
                raise CheckFailed("predictions are of other slices than the first run's", where=path,
                                  next_step=f"evaluate {row.name} again")  # fmt: skip
            runs[run] = _probabilities(table, columns, path, row.name)
        answers[row.name] = Answers(row.name, row.title, runs, tuple(failed))
    if slices is None:
        raise CheckFailed(
            "every run of every experiment diverged: there is nothing to analyse",
            value=", ".join(wanted),
            next_step="look at results/train/<experiment>/run-NN/failed.json",
        )
    return slices, answers


def _require_no_more(folder: Path, name: str, runs: int) -> None:
    surplus = folder / RunKey(name, runs).run_name
    if surplus.exists():
        raise CheckFailed(
            "there are predictions of more runs than the params name", value=surplus.name, where=folder,
            next_step=f"evaluate {name} again",
        )  # fmt: skip


def _read(path: Path, experiment: str, columns: list[str]) -> pd.DataFrame | None:
    """Predictions of a run; None where it diverged, which its metrics.json must say."""
    again = f"evaluate {experiment} again"
    if not path.is_file():
        raise CheckFailed("a run has no predictions", where=path, next_step=again)
    table = read_table(path)
    missing = sorted({"row", "case", "label", "origin", *columns} - set(table.columns))
    if missing:
        raise CheckFailed("predictions lack a column", value=", ".join(missing), where=path, next_step=again)
    if len(table):
        return table
    record = path.with_name("metrics.json")
    try:
        diverged = json.loads(record.read_text(encoding="utf-8")).get("failed")
    except (OSError, ValueError):
        diverged = None
    if not diverged:
        raise CheckFailed("a run has no predictions and does not say that it diverged", where=path, next_step=again)
    return None


def _probabilities(table: pd.DataFrame, columns: list[str], path: Path, experiment: str) -> Floats:
    values = table[columns].to_numpy(np.float64)
    again = f"evaluate {experiment} again"
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        row, column = map(int, np.argwhere(wrong)[0])
        raise CheckFailed(
            "predictions hold something that is no probability",
            value=f"{values[row, column]} in column {columns[column]}, row {int(table['row'].iloc[row])}",
            where=path,
            next_step=again,
        )
    sums = values.sum(axis=1)
    apart = abs(sums - 1) > SUM_TOLERANCE
    if apart.any():
        first = int(np.argmax(apart))
        raise CheckFailed(
            "probabilities of a slice do not sum to 1",
            value=f"{sums[first]} over {', '.join(columns)}, row {int(table['row'].iloc[first])}",
            where=path,
            next_step=again,
        )
    return values


def _slices(table: pd.DataFrame, path: Path, job: AnalysisJob) -> TestSlices:
    if (table["case"] == "").any():
        raise CheckFailed(
            "slices without a case cannot be analysed by case", value=f"{int((table['case'] == '').sum())} slices",
            where=f"{path}: case", next_step="analyse a data set whose cases are known",
        )  # fmt: skip
    if not table["label"].between(0, len(job.classes) - 1).all():
        raise CheckFailed("predictions speak of other classes than the params", where=f"{path}: label")
    numbers, names = pd.factorize(table["case"], sort=True)
    by_case = table.groupby("case", sort=True)["label"]
    mixed = by_case.nunique() > 1
    if mixed.any():
        raise CheckFailed(
            "a case has slices of two classes, so it has no label", value=mixed.index[mixed][0],
            where=f"{path}: label", next_step="analyse a data set whose cases have one label each",
        )  # fmt: skip
    strata = by_case.first().to_numpy(np.int64)
    absent = [title for label, title in enumerate(job.classes.values()) if label not in strata]
    if absent:
        raise CheckFailed(
            "a class has no test case: its sensitivity and every mean over classes are undefined",
            value=", ".join(absent), where=f"{path}: label", next_step="split again with more test cases",
        )  # fmt: skip
    return TestSlices(table, numbers.astype(np.int64), tuple(map(str, names)), strata, common_origin(table["origin"]))
