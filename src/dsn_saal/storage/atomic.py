"""Write under a temporary name, flush to the disk, rename: a final name never holds half a file."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import CheckFailed


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes that name, on failure it disappears.

    Raises:
        CheckFailed: where the disk is full or the place cannot be written.
    """
    part: Path | None = None
    try:
        part = _part_beside(path)
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.chmod(0o644)
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _part_beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=f".part{path.suffix}")
    os.close(handle)
    return Path(name)


def _unwritable(path: Path, error: OSError) -> CheckFailed:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CheckFailed(
            "the disk is full",
            value=error.strerror,
            where=path,
            next_step="free space and run again; nothing half-written was left",
        )
    return CheckFailed(
        "a file could not be written", value=error.strerror, where=path, next_step="check the folder and its rights"
    )


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file at once."""
    with replacing(path) as part:
        part.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a whole UTF-8 text file with Unix line ends."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, one line a key, refusing NaN."""
    write_text(path, json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
