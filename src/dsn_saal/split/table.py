"""The table of a split: for every draw, the part of every slice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.storage.tables import read_table

COLUMNS = {"row": "int32", "case": "str", "label": "int8", "draw": "int16", "part": "str"}
"""Columns with their types; ordered by draw, then row."""

Differs = Literal["nothing", "training_part", "test_part", "fold"]
"""What differs from draw to draw of a split."""

PARTS = ("train", "validation", "test", "unused")
"""What a slice may be for."""


def read_split(path: Path) -> pd.DataFrame:
    """The whole table.

    Raises:
        BadRequest: where it is missing or no split.
        CheckFailed: where a part is unknown or a row stands twice in a draw.
    """
    table = read_table(path)
    missing = set(COLUMNS) - set(table.columns)
    if missing:
        raise BadRequest("not a split: columns are missing", value=", ".join(sorted(missing)), where=path)
    unknown = sorted(set(table["part"]) - set(PARTS))
    if unknown or table.duplicated(["draw", "row"]).any():
        raise CheckFailed(
            "the split is damaged",
            value=", ".join(unknown) or "a row stands twice",
            where=path,
            next_step="split again",
        )
    return table


def draw_of(table: pd.DataFrame, run: int) -> int:
    """The draw that a run uses: run modulo the number of draws."""
    return run % int(table["draw"].nunique())


def parts_of(table: pd.DataFrame, draw: int) -> pd.DataFrame:
    """Row, case, label and part of every slice in one draw, by row."""
    return table.loc[table["draw"] == draw, ["row", "case", "label", "part"]].sort_values("row", ignore_index=True)


def shared_test(table: pd.DataFrame) -> bool:
    """Whether all draws test the same slices."""
    tested = table[table["part"] == "test"].sort_values("row")
    return len({tuple(rows) for _, rows in tested.groupby("draw")["row"]}) <= 1


def what_draws_change(table: pd.DataFrame) -> Differs:
    """What differs from draw to draw.

    Returns:
        "nothing" where there is one draw; "training_part" where all test the same slices; "fold" where each slice is
        tested in one of them at most; "test_part" otherwise.
    """
    if table["draw"].nunique() <= 1:
        return "nothing"
    if shared_test(table):
        return "training_part"
    return "test_part" if table.loc[table["part"] == "test", "row"].duplicated().any() else "fold"


def part_counts(table: pd.DataFrame, classes: Sequence[str], *, draw: int) -> dict[str, dict[str, dict[str, int]]]:
    """Cases and slices per part and class of one draw; a case is counted where it is known."""
    parts = parts_of(table, draw)
    present = set(parts["part"]) | {"train", "test"}
    return {
        part: {
            name: _count(parts[(parts["part"] == part) & (parts["label"] == label)])
            for label, name in enumerate(classes)
        }
        for part in PARTS
        if part in present
    }


def _count(rows: pd.DataFrame) -> dict[str, int]:
    return {"cases": int(rows.loc[rows["case"] != "", "case"].nunique()), "slices": len(rows)}
