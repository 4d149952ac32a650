"""Paths as they are written down: a folder's or a file's name may hold a patient's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.identity import keyed_hash
from dsn_saal.ingest.tree import files_below

Pixels = TypeVar("Pixels")

HASHED = "#"
"""First character of a path that is written as a keyed hash."""


def hashed_path(path: str, key: bytes) -> str:
    """`#` and 16 hexadecimal characters for a path below the source."""
    return HASHED + keyed_hash("path", path, key)


def located(root: Path, written: Collection[str], key: bytes) -> dict[str, str]:
    """The real path below `root` of each hashed one.

    Args:
        root: the source folder.
        written: paths as the manifest or exclusions.csv hold them; those that are not hashed are left alone.
        key: the secret they were hashed with.

    Raises:
        CheckFailed: where one of them is no file below the root any more, or was hashed with another key.
    """
    wanted = {path for path in written if path.startswith(HASHED)}
    if not wanted:
        return {}
    found = matching((path for path, _ in files_below(root, follow_links=True)), wanted, key)
    missing = sorted(wanted - found.keys())
    if missing:
        raise CheckFailed(
            "files of the manifest are not below the source",
            value=f"{len(missing)} of {len(wanted)}, first {missing[0]}",
            where=root,
            next_step="restore the files, name the folder that was ingested, or use the key it was ingested with",
        )
    return found


def matching(paths: Iterable[str], wanted: Collection[str], key: bytes) -> dict[str, str]:
    """Of `paths` those whose hash is wanted, by their hash, in the order of the hashes.

    Args:
        paths: real paths below the source.
        wanted: hashed paths.
        key: the secret they were hashed with.
    """
    every = {hashed_path(path, key): path for path in paths}
    return {hashed: every[hashed] for hashed in sorted(set(wanted)) if hashed in every}


def reading_places(
    read: Callable[[str, int, str], Pixels], places: Mapping[str, str], path: str, frame: int, file_sha256: str
) -> Pixels:
    """`read` with the real path in place of a hashed one; an error names the hashed one."""
    try:
        return read(places.get(path, path), frame, file_sha256)
    except CheckFailed as error:
        raise CheckFailed(error.what, value=error.value, where=path, next_step=error.next_step) from None
