"""What the files of a study decide together: conflicts, duplicates, and which of its series is read."""

from __future__ import annotations

from dataclasses import dataclass

from dsn_saal.ingest.manifest import without_conflicts, without_duplicates
from dsn_saal.ingest.source import Row, Settled


@dataclass(frozen=True)
class SeriesRule:
    """Which series of a study is read.

    Attributes:
        choose: "one_per_study" or "all".
        thickness_mm: the series nearest to it is chosen.
        kernels: kinds of kernel, "lung" and "soft", in order of preference among equals.
    """

    choose: str
    thickness_mm: float
    kernels: tuple[str, ...]


def settle(rows: list[Row], rule: SeriesRule) -> Settled:
    """Rows without cases of two classes, without duplicates, of the chosen series only."""
    rows, conflicts = without_conflicts(rows)
    rows, duplicates = without_duplicates(rows)
    return Settled(rows, conflicts + duplicates)
