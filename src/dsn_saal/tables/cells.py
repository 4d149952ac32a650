"""Cells that know where their number comes from, so that a reader can ask for the runs behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.evaluate.summaries import Json
from dsn_saal.statistics import printed

Kind = Literal["mean_sd", "interval", "change", "difference", "network", "training", "learned"]
"""What a number is: mean ± sd over runs; interval over cases; mean ± sd with its change against another experiment in
brackets; difference to another experiment, paired by run; a size of the network; a count of training images or cases;
what training learnt (alpha, beta, class weights)."""


@dataclass(frozen=True)
class Source:
    """Where a number comes from.

    Attributes:
        kind: what it is.
        experiment: whose summary.json holds it.
        metric: its name there, such as "f1.macro"; for `network`, `training` and `learned` the name of the quantity.
        reference: the experiment that it is compared with, for `change` and `difference`.
    """

    kind: Kind
    experiment: str
    metric: str
    reference: str | None = None

    @property
    def words(self) -> str:
        """The source as a table's JSON holds it: names have no blanks in them."""
        return " ".join(filter(None, (self.kind, self.experiment, self.metric, self.reference)))

    @classmethod
    def of_words(cls, words: str) -> Source:
        """The source that was written so.

        Raises:
            CheckFailed: where it is not three or four words, the first of them a kind.
        """
        kind, *names = words.split(" ")
        if kind not in get_args(Kind) or len(names) not in (2, 3):
            raise CheckFailed("this is not the source of a number", value=words, next_step="make the tables again")
        return cls(cast("Kind", kind), *names)


@dataclass(frozen=True)
class Cell:
    """Text as it is printed, and its source."""

    text: str
    source: Source | None = None


Sources = tuple[tuple[Source | None, ...], ...]


def split_cells(lines: Sequence[Sequence[str | Cell]]) -> tuple[tuple[tuple[str, ...], ...], Sources]:
    """Rows of text and, in the same shape, their sources: `rows` and `sources` of a Table."""
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in line] for line in lines]
    rows = tuple(tuple(cell.text for cell in line) for line in cells)
    return rows, tuple(tuple(cell.source for cell in line) for line in cells)


def sources_json(sources: Sources) -> list[list[str | None]]:
    """The sources in the shape of the rows, each as one line of words: kind, experiment, metric and any reference."""
    return [[source.words if source else None for source in line] for line in sources]


def read_sources(held: Sequence[Sequence[str | None]]) -> Sources:
    """The sources that a table's JSON holds; see `sources_json`."""
    return tuple(tuple(Source.of_words(words) if words else None for words in line) for line in held)


def mean_cell(summary: Json, metric: str) -> Cell:
    """Mean ± sd of a metric over the runs of one experiment."""
    held = summary["metrics"][metric]
    return Cell(printed.mean_and_sd(held["mean"], held["sd"]), Source("mean_sd", summary["experiment"], metric))


def interval_cell(summary: Json, metric: str) -> Cell:
    """Interval of a metric over test cases."""
    return Cell(
        printed.interval(summary["metrics"][metric]["interval"]), Source("interval", summary["experiment"], metric)
    )
