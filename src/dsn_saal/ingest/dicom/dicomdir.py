"""The files that a DICOMDIR lists (DICOM PS3.3 F, PS3.10 8): never outside its folder, whatever it says."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

import pydicom

from dsn_saal.domain.errors import BadRequest
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.tree import files_below, refusal

DIRECTORY_STORAGE = "1.2.840.10008.1.3.10"
"""SOP class of a DICOMDIR, in its file meta information."""

MAX_DICOMDIR_BYTES = 256 * 2**20
"""Largest DICOMDIR that is opened."""

MAX_RECORDS = 300_000
"""Most records, nested items among them, that are parsed: each takes memory, however short it is."""

_META_BYTES = 4096
"""The file meta information of a DICOMDIR ends within them."""

_ITEM = b"\xfe\xff\x00\xe0"

_Entries = dict[str, Excluded | None]


def is_dicomdir(path: Path) -> bool:
    """Whether a file is a DICOMDIR by its content, whatever its name; False where it cannot be read."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_META_BYTES)
    except OSError:
        return False
    return start[128:132] == b"DICM" and DIRECTORY_STORAGE.encode() in start


def source_root(source: Path) -> tuple[Path, str | None]:
    """The folder that paths are relative to, and the DICOMDIR's name where the source is one."""
    if source.is_file() and is_dicomdir(source):
        return source.parent, source.name
    return source, None


def listed_files(root: Path, name: str, *, follow_links: bool) -> Iterator[tuple[str, Excluded | None]]:
    """What a DICOMDIR names, and what lies beside it unnamed, in the order of the paths.

    Args:
        root: the DICOMDIR's folder.
        name: its name there.
        follow_links: whether named files that are links out of the folder may be read.

    Yields:
        Path relative to `root`, and None or the exclusion: OUTSIDE, MISSING, UNLISTED, UNREADABLE (a broken record).

    Raises:
        BadRequest: where the file is no DICOMDIR that can be read.
    """
    folder = _Folder(root, follow_links=follow_links)
    entries: _Entries = {}
    for number, file_id in enumerate(_file_ids(root / name)):
        if file_id is None:
            entries[f"{name} record {number}"] = Excluded(Reason.UNREADABLE, "the record's file name is malformed")
        else:
            path, refused = folder.find(file_id)
            entries.setdefault(path, refused)
    unlisted = Excluded(Reason.UNLISTED, "the DICOMDIR does not name it")
    for path, _ in files_below(root, follow_links=follow_links):
        if path != name:
            entries.setdefault(path, unlisted)
    yield from sorted(entries.items(), key=lambda entry: entry[0])


def _file_ids(path: Path) -> Iterator[list[str] | None]:
    """The components of every record's ReferencedFileID, None where it cannot be understood."""
    try:
        if path.stat().st_size > MAX_DICOMDIR_BYTES:
            raise _unusable("too large")
        content = path.read_bytes()
        if content.count(_ITEM) > MAX_RECORDS:
            raise _unusable("too many records")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(BytesIO(content), specific_tags=["DirectoryRecordSequence"])
            records = list(dataset.DirectoryRecordSequence)
    except BadRequest:
        raise
    except Exception as error:
        # Neither the error's text nor its trace may be shown: both quote values.
        raise _unusable(type(error).__name__) from None
    for record in records:
        if "ReferencedFileID" in record:
            yield _components(record)


def _components(record: pydicom.Dataset) -> list[str] | None:
    try:
        value = record["ReferencedFileID"].value
        parts = [value] if isinstance(value, str) else [str(part) for part in value]
    except Exception:
        return None
    # Some writers put slashes where the standard wants several values.
    parts = [piece.strip(" \0") for part in parts for piece in part.split("/")]
    return parts if any(parts) else None


def _unusable(why: str) -> BadRequest:
    return BadRequest(
        "the DICOMDIR cannot be read",
        value=why,
        next_step="name the folder that holds the files with --source; a DICOMDIR is not needed",
    )


class _Folder:
    """A folder in which names are found whatever their case, as on the media that DICOMDIRs come from."""

    def __init__(self, root: Path, *, follow_links: bool) -> None:
        self.root, self.real, self.follow_links = root, root.resolve(), follow_links
        self._names: dict[PurePosixPath, dict[str, list[str]]] = {}

    def find(self, parts: list[str]) -> tuple[str, Excluded | None]:
        """Path of a file by its components, and why it must not be opened."""
        named = "/".join(parts)
        if any(part in ("", ".", "..") or "\\" in part or "\0" in part or ":" in part for part in parts):
            return named, Excluded(Reason.OUTSIDE, "the DICOMDIR names a file outside its folder")
        below = PurePosixPath()
        for part in parts[:-1]:
            found = self._real_name(below, part)
            if found is None:
                return named, Excluded(Reason.MISSING, "the DICOMDIR names it, and it is not there")
            below /= found
            if (self.root / below).is_symlink():
                return named, Excluded(Reason.OUTSIDE, "the DICOMDIR names a file behind a link to a folder")
        last = self._real_name(below, parts[-1]) or self._real_name(below, f"{parts[-1]}.dcm")
        if last is None or (self.root / below / last).is_dir():
            return named, Excluded(Reason.MISSING, "the DICOMDIR names it, and it is not there")
        path = below / last
        refused = refusal(self.root / path, self.real, self.follow_links)
        if refused is not None and refused.reason is Reason.SYMLINK:
            refused = Excluded(Reason.OUTSIDE, "the DICOMDIR names a link out of its folder")
        return path.as_posix(), refused

    def _real_name(self, below: PurePosixPath, wanted: str) -> str | None:
        """The name as it stands in a folder: the same, else the first that differs in case only."""
        if below not in self._names:
            self._names[below] = {}
            try:
                names = sorted(entry.name for entry in (self.root / below).iterdir())
            except OSError:
                names = []
            for name in names:
                self._names[below].setdefault(name.casefold(), []).append(name)
        alike = self._names[below].get(wanted.casefold(), [])
        return wanted if wanted in alike else next(iter(alike), None)
