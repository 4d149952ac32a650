"""The files of a source folder, and what their paths say: class and case folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from dsn_saal.domain.errors import BadRequest
from dsn_saal.ingest.reasons import Excluded, Reason

UNLABELLED = ("", -1)
"""Class name and label of a slice that no class folder marks."""


def files_below(root: Path, *, follow_links: bool) -> Iterator[tuple[str, Excluded | None]]:
    """Every entry below `root` that is no folder, with the reason where it must not be opened.

    Folders are walked in the order of their names, links to folders never.

    Args:
        root: an existing folder.
        follow_links: whether links to files outside `root` may be read (as a content-addressed cache makes them).

    Yields:
        Path relative to `root` with forward slashes, and None or the exclusion.
    """
    if not root.is_dir():
        raise BadRequest(
            "the source folder does not exist" if not root.exists() else "the source is not a folder",
            value=root,
            next_step="name the folder that holds the DICOM series with --source",
        )
    yield from _walk(root, PurePosixPath(), root.resolve(), follow_links)


def _walk(root: Path, below: PurePosixPath, real: Path, follow_links: bool) -> Iterator[tuple[str, Excluded | None]]:
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except OSError as error:
        yield below.as_posix(), Excluded(Reason.UNREADABLE, f"the folder cannot be opened: {error.strerror}")
        return
    for entry in entries:
        path = below / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, path, real, follow_links)
        else:
            yield path.as_posix(), refusal(root / path, real, follow_links)


def refusal(path: Path, real: Path, follow_links: bool) -> Excluded | None:
    """Why a file must not be opened, None where it may.

    Args:
        path: the file.
        real: the source folder without links in its own path.
        follow_links: whether links to files outside `real` may be read.
    """
    try:
        mode = path.stat().st_mode
        inside = not path.is_symlink() or path.resolve().is_relative_to(real)
    except OSError as error:
        return Excluded(Reason.UNREADABLE, f"cannot be opened: {error.strerror}")
    if path.is_symlink() and (stat.S_ISDIR(mode) or not (inside or follow_links)):
        return Excluded(Reason.SYMLINK, "a link to a folder" if stat.S_ISDIR(mode) else "a link out of the source")
    return None if stat.S_ISREG(mode) else Excluded(Reason.NOT_A_FILE, "no regular file")


def class_of(path: str, folders: Mapping[str, tuple[str, ...]], *, unlabelled: bool) -> tuple[str, int]:
    """Class name and label that the folders of a path mark.

    Args:
        path: relative path of a file.
        folders: per class, in label order, the folder names that mark it.
        unlabelled: whether a path without class is taken in as UNLABELLED.

    Raises:
        Excluded: NO_CLASS, or CLASS_CONFLICT where two classes are marked.
    """
    parents = set(PurePosixPath(path).parts[:-1])
    found = [(name, label) for label, (name, marks) in enumerate(folders.items()) if parents & set(marks)]
    if len(found) > 1:
        raise Excluded(Reason.CLASS_CONFLICT, "the path lies in folders of two classes")
    if not found and not unlabelled:
        raise Excluded(Reason.NO_CLASS, "no folder of the path marks a class")
    return found[0] if found else UNLABELLED


def case_folder(path: str, marks: tuple[str, ...]) -> str:
    """The folder below the class folder (below the source where no class folder stands in the path), "" without one."""
    parents = PurePosixPath(path).parts[:-1]
    depth = next((at + 1 for at, name in enumerate(parents) if name in marks), 0)
    return parents[depth] if depth < len(parents) else ""
