"""What the readers of the three picture sets share: walking, decoding, and holding a copy against its own lists."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.dicom.reader import CLINICAL, PHANTOM
from dsn_saal.ingest.identity import PUBLIC_KEY, keyed_hash
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.sets.picture import decode, decoder, read_bytes
from dsn_saal.ingest.source import Exclusions, Row, Settled
from dsn_saal.ingest.tree import files_below

DOCUMENTS = (".txt", ".csv", ".xlsx", ".md", ".pdf", ".html", ".json")
"""Suffixes of lists, tables and notes; what every other file is, its content says."""

FIRST_NAMED = 3
"""Missing files that a message names; exclusions.csv names all."""

Counts = dict[str, dict[str, int]]
"""List name to class mark to number of images."""


@dataclass(frozen=True)
class PictureReader:
    """A set of pictures in its published layout.

    Attributes:
        root: root of the set.
        folders: per class, in label order, what marks it.
        counts: "published" or "any": whether a clinical copy must be complete.
    """

    root: Path
    folders: dict[str, tuple[str, ...]]
    counts: str
    unlabelled: bool = False

    def expected(self) -> Mapping[str, dict[str, Any]] | None:
        """What the set's own lists say of each file, by its name as `name_of` gives it; None where it has no lists."""
        raise NotImplementedError

    def published(self) -> Counts:
        """Published number of images by list and class mark."""
        raise NotImplementedError

    def mark_of(self, path: str) -> str:
        """What marks the class in a path; raises Excluded where nothing does."""
        raise NotImplementedError

    def name_of(self, path: str) -> str:
        """How the lists call a file."""
        raise NotImplementedError

    def described(self, path: str) -> Row:
        """What the set says of a file beyond its pixels: ids before hashing (case, series), lists, numbers."""
        raise NotImplementedError

    def numbering(self, present: set[str]) -> set[str]:
        """Names that a numbering promises, for a set without lists."""
        return set()

    def files(self, *, follow_links: bool) -> Iterator[tuple[str, Excluded | None]]:
        """Every file below the root but lists, tables and notes."""
        for path, refused in files_below(self.root, follow_links=follow_links):
            if refused is not None or PurePosixPath(path).suffix.lower() not in DOCUMENTS:
                yield path, refused

    def rows(self, path: str) -> list[Row | Excluded]:
        """The row of a picture; raises Excluded where it is left out."""
        label, class_name = self._class_of(self.mark_of(path))
        expected = self.expected()
        if expected is not None and self.name_of(path) not in expected:
            raise Excluded(Reason.UNLISTED, "no list of the set names this file")
        content = read_bytes(self.root / path)
        picture = decode(content)
        said = self.described(path)
        ids = {kind: keyed_hash(kind, said.pop(kind, ""), PUBLIC_KEY) for kind in ("case", "series")}
        rows, columns = picture.grey.shape
        return [
            {
                **said,
                **ids,
                "label": label,
                "class_name": class_name,
                "rows": rows,
                "columns": columns,
                "transfer_syntax": picture.kind,
                "decoder": decoder(),
                "origin": PHANTOM if picture.phantom else CLINICAL,
                "path": path,
                "file_sha256": hashlib.sha256(content).hexdigest(),
                "pixel_sha256": picture.sha256,
            }
        ]

    def _class_of(self, mark: str) -> tuple[int, str]:
        for label, (name, marks) in enumerate(self.folders.items()):
            if mark in marks:
                return label, name
        raise Excluded(Reason.NO_CLASS, "no class of the data set is marked like this file")

    def written_path(self, path: str) -> str:
        """The path as it is: its names are published."""
        return path

    def settled(self, rows: list[Row]) -> Settled:
        """The rows of each name once, with what is missing, and whether the copy is the published one."""
        rows, exclusions = self._once(rows)
        present = {
            self.name_of(path)
            for path, refused in self.files(follow_links=True)
            if refused is None and self._marked(path)
        }
        expected = self.expected()
        promised = set(expected) if expected is not None else self.numbering(present)
        missing = sorted(promised - present)
        exclusions += [(name, Excluded(Reason.MISSING, "the set names it, it is not here")) for name in missing]
        return Settled(rows, exclusions, [], self._findings(rows, missing))

    def _once(self, rows: list[Row]) -> tuple[list[Row], Exclusions]:
        """Of several files of one name the first; raises CheckFailed where they are different pictures."""
        first: dict[str, Row] = {}
        dropped: Exclusions = []
        for row in rows:
            taken = first.setdefault(self.name_of(row["path"]), row)
            if taken["pixel_sha256"] != row["pixel_sha256"]:
                raise CheckFailed(
                    "two files of the set have one name and different pixels",
                    value=f"{taken['path']}, {row['path']}",
                    where=self.root,
                    next_step="keep the one that was published",
                )
            if taken is not row:
                dropped.append((row["path"], Excluded(Reason.DUPLICATE, "a second copy of a file of the set")))
        return list(first.values()), dropped

    def _marked(self, path: str) -> bool:
        try:
            return bool(self.mark_of(path))
        except Excluded:
            return False

    def _findings(self, rows: list[Row], missing: list[str]) -> dict[str, Any]:
        marks = {name: marks[0] for name, marks in self.folders.items()}
        found = {
            part: dict(Counter(marks[row["class_name"]] for row in rows if row.get("official", "") == part))
            for part in sorted({row.get("official", "") for row in rows})
        }
        findings: dict[str, Any] = {
            "images": {part or "all": dict(sorted(counts.items())) for part, counts in found.items()},
            "kinds": {
                name: dict(sorted(Counter(row["transfer_syntax"] for row in rows if row["class_name"] == name).items()))
                for name in self.folders
            },
            "copies": {
                "of a file": _copies(row["file_sha256"] for row in rows),
                "of pixels": _copies(row["pixel_sha256"] for row in rows),
            },
            "without a case": sum(not row["case"] for row in rows),
            "missing": len(missing),
        }
        clinical = any(row["origin"] == CLINICAL for row in rows)
        if clinical:
            published = self.published()
            findings["published"] = {part or "all": counts for part, counts in published.items()}
            if self.counts == "published" and (missing or not _same(found, published)):
                findings["incomplete"] = _incomplete(found, published, missing)
        elif missing and (rows or self.counts == "published"):
            findings["incomplete"] = f"{len(missing)} files of its lists are missing, first {_first(missing)}"
        return findings


def _copies(digests: Iterator[str]) -> int:
    return sum(count - 1 for count in Counter(digests).values())


def _same(found: Counts, published: Counts) -> bool:
    return {part: {k: v for k, v in counts.items() if v} for part, counts in found.items()} == published


def _incomplete(found: Counts, published: Counts, missing: list[str]) -> str:
    def told(counts: Counts) -> str:
        return "; ".join(
            f"{part or 'all'} " + ", ".join(f"{number} {mark}" for mark, number in sorted(marks.items()))
            for part, marks in sorted(counts.items())
        )

    gone = f"; {len(missing)} files are missing, first {_first(missing)}" if missing else ""
    return f"found {told(found) or 'nothing'}, published are {told(published)}{gone}"


def _first(names: list[str]) -> str:
    return ", ".join(names[:FIRST_NAMED])
