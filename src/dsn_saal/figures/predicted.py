"""Predictions of the runs of one experiment, as figures read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.run import RunKey
from dsn_saal.storage.tables import read_table


def require_named(wanted: Collection[str], given: Mapping[str, Path], option: str) -> None:
    """Raise BadRequest where a figure's experiments are not those whose folders were named."""
    if set(wanted) != set(given):
        raise BadRequest(
            "every experiment of the figure needs one folder and no other is read",
            value=f"{option} of {', '.join(given) or 'nothing'}", where=f"experiments {', '.join(wanted)}",
            next_step=f"name one {option} for each experiment",
        )  # fmt: skip


def read_predictions(folder: Path, experiment: str, runs: int, classes: Collection[str]) -> list[pd.DataFrame]:
    """Predictions of every run; one that diverged has no row.

    Raises:
        CheckFailed: where a run is missing or surplus, or speaks of other classes or slices than the first.
    """
    if (folder / RunKey(experiment, runs).run_name).exists():
        raise CheckFailed("there are predictions of more runs than the params name", where=folder,
                          next_step=f"evaluate {experiment} again")  # fmt: skip
    tables = []
    for run in range(runs):
        path = folder / RunKey(experiment, run).run_name / "predictions.parquet"
        if not path.is_file():
            raise CheckFailed("a run has no predictions", where=path, next_step=f"evaluate {experiment}")
        tables.append(read_table(path))
        missing = sorted({f"p_{name}" for name in classes} - set(tables[-1].columns))
        if missing:
            raise CheckFailed(
                "predictions speak of other classes than the params", value=", ".join(missing), where=path
            )
    finished = [table for table in tables if len(table)]
    for table in finished:
        if not table[["row", "case", "label"]].equals(finished[0][["row", "case", "label"]]):
            raise CheckFailed("runs predict different slices", where=folder, next_step=f"evaluate {experiment} again")
    return tables


def probabilities(table: pd.DataFrame, classes: Collection[str]) -> NDArray[np.float64]:
    """Probabilities (n, C) of a table of predictions."""
    return table[[f"p_{name}" for name in classes]].to_numpy(np.float64)
