"""The digest of a folder of data from outside, so that a changed file there is noticed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from dsn_saal.domain.errors import BadRequest
from dsn_saal.provenance.hashes import HashCache


def fingerprint(source: Path, hashes: HashCache) -> str:
    """SHA-256 over the relative path and the content of every file, in the order of their paths.

    A source that is a file (a DICOMDIR) speaks of the folder it lies in; where that is does not matter. The first call
    reads everything; later ones read what changed.
    What cannot be read or is no file counts as such: sorting it out is the reader's work.

    Raises:
        BadRequest: where the folder does not exist or holds no file.
    """
    folder = source.parent if source.is_file() else source
    if not folder.is_dir():
        raise BadRequest("the source folder does not exist", value=folder, next_step="correct datasets.<name>.source")
    files = sorted(
        (Path(base, name) for base, _, names in os.walk(folder) for name in names),
        key=lambda path: path.relative_to(folder).as_posix(),
    )
    if not files:
        raise BadRequest("the source folder holds no file", value=folder, next_step="correct datasets.<name>.source")
    total = hashlib.sha256()
    for path in files:
        total.update(
            f"{path.relative_to(folder).as_posix()}\0{_content(path, hashes)}\n".encode("utf-8", "surrogateescape")
        )
    return total.hexdigest()


def _content(path: Path, hashes: HashCache) -> str:
    try:
        return hashes.of(path) if path.is_file() else "not a file"
    except OSError as error:
        return f"unreadable: {error.errno}"
