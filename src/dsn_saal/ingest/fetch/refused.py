"""What was not brought, and why: one row an item in `refused.csv`, never with a name that could be a patient's."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """Reason codes of refused.csv."""

    OUTSIDE = "OUTSIDE"
    """The name leaves the target folder: absolute, a drive letter, or `..`."""
    BAD_NAME = "BAD_NAME"
    """The name is empty, too long, or holds backslashes or control characters."""
    NOT_UTF8 = "NOT_UTF8"
    """The name is not UTF-8."""
    LINK = "LINK"
    """A symbolic or hard link."""
    NOT_A_FILE = "NOT_A_FILE"
    """A device, a pipe, or another kind of entry that is no file."""
    DUPLICATE = "DUPLICATE"
    """An earlier member has the same name."""
    CASE_COLLISION = "CASE_COLLISION"
    """An earlier member has the same name but for upper and lower case, or is a folder or file of that name."""
    NESTED_ARCHIVE = "NESTED_ARCHIVE"
    """An archive inside the archive: written as it is, left packed."""
    ENCRYPTED = "ENCRYPTED"
    """The member is encrypted."""
    UNSUPPORTED = "UNSUPPORTED"
    """Packed by a method that this program does not unpack, or sparse."""
    TOO_LARGE = "TOO_LARGE"
    """Larger than any file that ingestion opens."""
    BOMB = "BOMB"
    """Unpacks to far more than it was packed from."""
    DAMAGED = "DAMAGED"
    """The packed data are damaged or end early."""
    OTHER_MODALITY = "OTHER_MODALITY"
    """A series of a DICOMweb server that is not CT."""


class Refused(Exception):
    """One item is not brought; the others are.

    Args:
        why: the code.
        detail: a fixed sentence, never a name.
    """

    def __init__(self, why: Why, detail: str) -> None:
        self.why, self.detail = why, detail
        super().__init__(why, detail)


@dataclass
class Refusals:
    """Rows of refused.csv, in the order they were found.

    Attributes:
        rows: item, reason, detail. An archive's item is its running number in the archive's own list, from 1; a
            DICOMweb server's is the keyed hash of a UID.
    """

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, item: int | str, refused: Refused) -> None:
        """Note one item."""
        self.rows.append((str(item), refused.why.value, refused.detail))

    def counts(self) -> dict[str, int]:
        """How many items each reason took, most frequent first."""
        return dict(Counter(why for _, why, _ in self.rows).most_common())

    def csv(self) -> str:
        """The file's text."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("item", "reason", "detail"))
        writer.writerows(self.rows)
        return text.getvalue()
