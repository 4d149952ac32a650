"""Stored predictions of an experiment's runs, trusted only where they are predictions of these runs."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.run import RunKey
from dsn_saal.storage.tables import read_table

PREDICTIONS = "predictions.parquet"

SLICE = ["row", "case", "label"]
"""What tells a slice of the test part, and its class."""

SUM_TOLERANCE = 1e-9
"""How far the probabilities of a row may miss the sum 1."""


def columns_of(classes: Collection[str]) -> list[str]:
    """Columns of predictions.parquet that hold the probabilities, in label order."""
    return [f"p_{name}" for name in classes]


def read_runs(folder: Path, experiment: str, runs: int, classes: Collection[str]) -> list[pd.DataFrame]:
    """Predictions of every run, in the order of runs; one that diverged has no row.

    Args:
        folder: what evaluate wrote for the experiment.
        experiment: its name.
        runs: how many runs params name.
        classes: names in label order.

    Raises:
        CheckFailed: naming file and column, where a run is missing or surplus, is empty but did not diverge, speaks of
            other slices or classes, or holds something that is no probability.
    """
    again = f"evaluate {experiment} again"
    surplus = folder / RunKey(experiment, runs).run_name
    if surplus.exists():
        raise CheckFailed(
            "there are predictions of more runs than the params name", value=surplus.name, where=folder, next_step=again
        )
    paths = [folder / RunKey(experiment, run).run_name / PREDICTIONS for run in range(runs)]
    tables = [_read_run(path, classes, again) for path in paths]
    finished = [(table, path) for table, path in zip(tables, paths, strict=True) if len(table)]
    for table, path in finished:
        require_same_slices(table, finished[0][0], experiment, where=path)
    return tables


def require_same_slices(table: pd.DataFrame, first: pd.DataFrame, experiment: str, *, where: Path) -> None:
    """Raise CheckFailed where two tables hold predictions of different slices."""
    if not table[SLICE].equals(first[SLICE]):
        raise CheckFailed(
            "predictions are of other slices than the first run's",
            where=where,
            next_step=f"evaluate {experiment} again",
        )


def stored_probabilities(table: pd.DataFrame, classes: Collection[str]) -> NDArray[np.float64]:
    """Probabilities (n, C) of a table of predictions."""
    return table[columns_of(classes)].to_numpy(np.float64)


def require_probabilities(table: pd.DataFrame, classes: Collection[str], *, where: Path, next_step: str) -> None:
    """Raise CheckFailed, naming column and row, where a table holds something that is no probability."""
    columns, values = columns_of(classes), stored_probabilities(table, classes)
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        row, column = map(int, np.argwhere(wrong)[0])
        raise CheckFailed(
            "predictions hold something that is no probability",
            value=f"{values[row, column]} in column {columns[column]}, row {int(table['row'].iloc[row])}",
            where=where,
            next_step=next_step,
        )
    sums = values.sum(axis=1)
    apart = abs(sums - 1) > SUM_TOLERANCE
    if apart.any():
        first = int(np.argmax(apart))
        raise CheckFailed(
            "probabilities of a slice do not sum to 1",
            value=f"{sums[first]} over {', '.join(columns)}, row {int(table['row'].iloc[first])}",
            where=where,
            next_step=next_step,
        )


def require_columns(table: pd.DataFrame, wanted: Collection[str], *, where: Path, next_step: str) -> None:
    """Raise CheckFailed where a table of predictions lacks a column."""
    missing = sorted(set(wanted) - set(table.columns))
    if missing:
        raise CheckFailed("predictions lack a column", value=", ".join(missing), where=where, next_step=next_step)


def _read_run(path: Path, classes: Collection[str], again: str) -> pd.DataFrame:
    if not path.is_file():
        raise CheckFailed("a run has no predictions", where=path, next_step=again)
    table = read_table(path)
    require_columns(table, [*SLICE, "origin", *columns_of(classes)], where=path, next_step=again)
    if table.empty:
        if not _diverged(path.with_name("metrics.json")):
            raise CheckFailed("a run has no predictions and does not say that it diverged", where=path, next_step=again)
        return table
    outside = ~table["label"].between(0, len(classes) - 1)
    if outside.any():
        raise CheckFailed(
            "predictions speak of other classes than the params",
            value=f"label {int(table.loc[outside, 'label'].iloc[0])}",
            where=f"{path}: label",
            next_step=again,
        )
    require_probabilities(table, classes, where=path, next_step=again)
    return table


def _diverged(record: Path) -> bool:
    try:
        return bool(json.loads(record.read_text(encoding="utf-8")).get("failed"))
    except (OSError, ValueError, AttributeError):
        return False
