"""What differs between the runs of an experiment, and which slices an interval over cases draws together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.split.table import Differs, read_split, what_draws_change
from dsn_saal.statistics.intervals import case_confusions
from dsn_saal.storage.tables import read_table

MIXED_UNIT = {"image": "case or, where none is known, image", "block": "case or, where none is known, block"}


@dataclass(frozen=True)
class Design:
    """How the runs of an experiment use the draws of its split: run r uses draw r modulo draws.

    Attributes:
        varies: what differs from draw to draw besides the seed.
        draws: how many draws the split has.
        unit: what an interval draws as a whole: "case", or what stands for it where no case is known.
        units: name of the unit by row of the images; None: the case.
    """

    varies: Differs
    draws: int
    unit: str
    units: pd.Series | None = None

    @property
    def tests_apart(self) -> bool:
        """Whether draws test different slices, so that only together they speak of all."""
        return self.varies in ("test_part", "fold")

    def group_of(self, run: int) -> int:
        """Runs of one group are measured together: those that go once through all draws, or each by itself."""
        return run // self.draws if self.tests_apart else run


ONE_SPLIT = Design("nothing", 1, "case")
"""Runs that differ in their seed alone, on slices of known cases."""


def read_design(images: Path, split: Path, *, block: int | None) -> Design:
    """The design of a split.

    Args:
        images: folder with index.parquet.
        split: table of row, case, label, draw, part.
        block: images of neighbouring numbers that are drawn together where no case is known; None: each by itself.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where the split is damaged.
    """
    table = read_split(split)
    varies, draws = what_draws_change(table), int(table["draw"].nunique())
    tested = table[table["part"] == "test"].drop_duplicates("row").set_index("row").sort_index()
    if (tested["case"] != "").all():
        return Design(varies, draws, "case")
    kind = "image" if block is None else "block"
    number = tested.index.to_series()
    if block is not None:
        index = read_table(images / "index.parquet", ["row", "number"]).set_index("row")
        number = index["number"].reindex(tested.index) // block
    named = kind + " " + tested["label"].astype(str) + " " + number.astype(str)
    unit = kind if (tested["case"] == "").all() else MIXED_UNIT[kind]
    return Design(varies, draws, unit, tested["case"].where(tested["case"] != "", named))


@dataclass(frozen=True)
class Pooled:
    """Confusion matrices by unit.

    Attributes:
        confusions: (groups, units, C, C); the runs of a group are added up.
        strata: (units,) class of each unit.
    """

    confusions: NDArray[np.float64]
    strata: NDArray[np.integer]


def pooled_confusions(design: Design, predictions: Mapping[int, pd.DataFrame], n_classes: int) -> Pooled:
    """Confusion matrices of every unit that a finished run tested, by group of runs.

    Args:
        design: of the split.
        predictions: by run, at least one: row, case, label, and a probability a class in the last columns.
        n_classes: how many.
    """
    tables = {
        run: table.assign(unit=table["case"] if design.units is None else table["row"].map(design.units))
        for run, table in predictions.items()
    }
    every = pd.concat([table[["unit", "label"]] for table in tables.values()])
    label_of = every.drop_duplicates("unit").set_index("unit")["label"].sort_index()
    held: dict[int, NDArray[np.float64]] = {}
    for run, table in tables.items():
        predicted = table[[name for name in table.columns if str(name).startswith("p_")]].to_numpy().argmax(axis=1)
        places = label_of.index.get_indexer(pd.Index(table["unit"]))
        found = case_confusions(table["label"].to_numpy(), predicted, places, n_classes, len(label_of))
        group = design.group_of(run)
        held[group] = held[group] + found if group in held else found
    return Pooled(np.stack(list(held.values())), label_of.to_numpy())
