"""What the ingest stage asks of a reader: a reader knows one layout, the stage knows none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dsn_saal.ingest.reasons import Excluded

Row = dict[str, Any]
"""A row of the manifest: a value for each of manifest.COLUMNS that has no default."""

Exclusions = list[tuple[str, Excluded]]
"""Files left out, by their path below the root (before hashing)."""


@dataclass(frozen=True)
class Settled:
    """What is left once all files are known.

    Attributes:
        rows: rows of the manifest, in any order.
        exclusions: files that were read and are left out all the same.
        series: one entry a series with its geometry and why it was taken or passed over; a row of series.csv each.
        findings: what the reader wants to be known about the set as a whole (counts against published ones, missing
            files), for flow.json; never a value of a tag.
    """

    rows: list[Row]
    exclusions: Exclusions = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)
    findings: dict[str, Any] = field(default_factory=dict)


class Reader(Protocol):
    """How files of one source are read. It is sent to other processes."""

    @property
    def root(self) -> Path:
        """Folder that paths are relative to."""

    @property
    def folders(self) -> Mapping[str, tuple[str, ...]]:
        """Per class, in label order, what marks it."""

    @property
    def unlabelled(self) -> bool:
        """Whether a source without some class is a good one."""

    def files(self, *, follow_links: bool) -> Iterator[tuple[str, Excluded | None]]:
        """Every file of the source in a fixed order, with the reason where it must not be opened."""

    def rows(self, path: str) -> Sequence[Row | Excluded]:
        """The rows of a file, one a slice, and why slices of it are left out; raises Excluded where all are."""

    def settled(self, rows: list[Row]) -> Settled:
        """What all files together decide: conflicts, duplicates, which series is taken, whether the counts are right.

        Raises:
            CheckFailed: where the set is not what its layout promises.
        """

    def written_path(self, path: str) -> str:
        """How a path is written down: as it is, or hashed."""
