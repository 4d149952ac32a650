"""Names of an archive's members: which of them may become a path below the target folder."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from dsn_saal.ingest.fetch.refused import Refused, Why

LONGEST_PART, LONGEST_NAME = 255, 1024
"""Bytes of one folder or file name, and of a whole path, that every common file system takes."""

ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".7z", ".rar")
"""Members with these endings are archives themselves, or packed files."""

_DRIVE = re.compile(r"[A-Za-z]:")


def safe_path(name: str) -> PurePosixPath:
    """The path below the target folder that a member's name stands for.

    Args:
        name: as the archive holds it; bytes that are no UTF-8 as surrogates.

    Raises:
        Refused: where it would leave the folder, or is no name that every system can write.
    """
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise Refused(Why.NOT_UTF8, "the name is not UTF-8")
    if name.startswith("/") or _DRIVE.match(name):
        raise Refused(Why.OUTSIDE, "an absolute name")
    if "\\" in name or any(unicodedata.category(character) == "Cc" for character in name):
        raise Refused(Why.BAD_NAME, "a backslash or a control character in the name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused(Why.OUTSIDE, "the name climbs out by ..")
    if not parts:
        raise Refused(Why.BAD_NAME, "an empty name")
    if len(name.encode()) > LONGEST_NAME or any(len(part.encode()) > LONGEST_PART for part in parts):
        raise Refused(Why.BAD_NAME, "the name is too long")
    return PurePosixPath(*parts)


class Taken:
    """The names given away so far, compared as a file system does that ignores case and Unicode form."""

    def __init__(self) -> None:
        self._exact: set[PurePosixPath] = set()
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def take(self, path: PurePosixPath) -> None:
        """Give a name away.

        Raises:
            Refused: where it is taken already, by its letters or but for their case.
        """
        if path in self._exact:
            raise Refused(Why.DUPLICATE, "an earlier member has this name")
        key, folders = _folded(path), {_folded(folder) for folder in path.parents}
        if key in self._files or key in self._folders or folders & self._files:
            raise Refused(Why.CASE_COLLISION, "an earlier member has this name but for the case, or as a folder")
        self._exact.add(path)
        self._files.add(key)
        self._folders |= folders


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path.as_posix()).casefold())


def is_archive(path: PurePosixPath) -> bool:
    """Whether a member is packed itself, by its name; a NIfTI or another `.gz` of data counts as one."""
    return path.name.lower().endswith(ARCHIVE_ENDINGS)
