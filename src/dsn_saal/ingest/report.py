"""Which tags the files of a source hold: names only, never a value, and nothing that a private creator wrote."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from dsn_saal.ingest.basic_profile import BASIC_PROFILE, CURVE_GROUPS, PRIVATE_CODE
from dsn_saal.ingest.dicom.header import read_header
from dsn_saal.ingest.dicom.reader import UIDS, read_content
from dsn_saal.ingest.dicom.tags import READ_TAGS, code
from dsn_saal.ingest.parallel import map_ordered
from dsn_saal.ingest.reasons import Excluded, Reason

HASHED_TAGS = ("PatientID", *UIDS)
"""Tags that ingest reads and writes as keyed hashes only."""

NAMED_TAGS = ("Manufacturer", "ConvolutionKernel")
"""Tags of which ingest writes known names only."""

MAX_DEPTH = 16
"""Sequences inside sequences that are followed."""

MAX_ITEMS = 200_000
"""Most items of sequences that are parsed in one file."""

_ITEM_MARKS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
"""The tag of an item, in little and big endian."""


@dataclass(frozen=True)
class FileTags:
    """What one file holds.

    Attributes:
        names: (tag, name) of each attribute, each once: private ones as their group.
        burned_in: "YES", "NO", or "not said": BurnedInAnnotation.
    """

    names: frozenset[tuple[str, str]]
    burned_in: str


@dataclass
class TagReport:
    """What the files of a source hold together."""

    files: int = 0
    tags: Counter[tuple[str, str]] = field(default_factory=Counter)
    burned_in: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        """The report as text."""
        yield f"{self.files} files; not read: {_told(self.refused)}"
        yield f"burned-in annotation: {_told(self.burned_in)}"
        yield "basic profile (DICOM PS3.15, table E.1-1): X remove, Z empty, D dummy, U other UID, - none known"
        yield ""
        width = max((len(name) for _, name in self.tags), default=4)
        yield f"{'tag':<12} {'name':<{width}} {'files':>7}  {'profile':<7}  read by ingest"
        for (tag, name), count in sorted(self.tags.items()):
            yield f"{tag:<12} {name:<{width}} {count:>7}  {_profile(tag, name):<7}  {_use(name)}"


def tag_report(
    root: Path,
    entries: Iterable[tuple[str, Excluded | None]],
    *,
    workers: int,
    progress: Callable[[Iterable[Any], int], Iterable[Any]],
) -> TagReport:
    """Count the tag names of files.

    Args:
        root: folder that paths are relative to.
        entries: path below `root` and why it must not be opened, as a reader's `files` gives them.
        workers: processes.
        progress: shows how far it is.
    """
    report = TagReport()
    paths = []
    for path, refused in entries:
        report.files += 1
        if refused is None:
            paths.append(path)
        else:
            report.refused[refused.reason.value] += 1
    results = map_ordered(partial(file_tags, root), paths, workers=workers, crashed=_crashed)
    for found in progress(results, len(paths)):
        if isinstance(found, Excluded):
            report.refused[found.reason.value] += 1
        else:
            report.tags.update(found.names)
            report.burned_in[found.burned_in] += 1
    return report


def file_tags(root: Path, path: str) -> FileTags | Excluded:
    """The tag names of one file, or why it cannot be read."""
    try:
        content = read_content(root / path)
        burned_in = code(read_header(content), "BurnedInAnnotation")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = pydicom.dcmread(BytesIO(content), force=True)
            names = {_named(tag) for dataset in (whole.file_meta, whole) for tag in _tags(dataset, _Budget())}
    except Excluded as excluded:
        return excluded
    except Exception as error:
        # The error's own text may quote a value.
        return Excluded(Reason.UNREADABLE, f"the parser stopped with {type(error).__name__}")
    return FileTags(frozenset(names), burned_in if burned_in in ("YES", "NO") else "not said")


def _crashed(path: str) -> FileTags | Excluded:
    return Excluded(Reason.UNREADABLE, "reading it ended the process")


class _Budget:
    """How many items of sequences of a stated length are still parsed; the header's reader has bounded the others."""

    def __init__(self) -> None:
        self.left = MAX_ITEMS

    def take(self, value: object) -> None:
        """Count the items in a sequence's bytes; raises Excluded where there are too many in all."""
        if isinstance(value, bytes):
            self.left -= sum(value.count(mark) for mark in _ITEM_MARKS)
        if self.left < 0:
            raise Excluded(Reason.TOO_LARGE, "more items of sequences than a CT image has")


def _tags(dataset: Dataset, budget: _Budget, depth: int = 0) -> Iterator[BaseTag]:
    """Every tag, those inside sequences among them."""
    for tag in sorted(dataset.keys()):  # of the dataset itself iteration would convert every value
        yield tag
        if depth < MAX_DEPTH and _is_sequence(dataset, tag):
            budget.take(dataset.get_item(tag).value)
            try:
                items = list(dataset[tag].value)
            except Exception:
                continue  # a sequence that cannot be parsed has a name all the same
            for item in items:
                yield from _tags(item, budget, depth + 1)


def _is_sequence(dataset: Dataset, tag: BaseTag) -> bool:
    stated = dataset.get_item(tag).VR
    if stated in (None, "UN") and not tag.is_private:
        try:
            return dictionary_VR(tag) == "SQ"
        except KeyError:
            return False
    return stated == "SQ"


def _named(tag: BaseTag) -> tuple[str, str]:
    if tag.is_private:
        return f"({tag.group:04X},----)", "private"
    if name := keyword_for_tag(tag):
        return f"({tag.group:04X},{tag.element:04X})", name
    # In a broken file a piece of a value may stand where a tag is read: its number is not shown.
    return "(----,----)", "not in the dictionary"


def _profile(tag: str, name: str) -> str:
    if name == "private" or tag.startswith(CURVE_GROUPS):
        return PRIVATE_CODE
    return BASIC_PROFILE.get(name, "-")


def _use(name: str) -> str:
    if name in HASHED_TAGS:
        return "as a keyed hash"
    if name in NAMED_TAGS:
        return "known names only"
    return "yes" if name in READ_TAGS or name == "TransferSyntaxUID" else ""


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
