"""The folder that fetching fills: `files/`, `refused.csv`, and last of all `SHA256SUMS`.

Files are gathered in a sibling of `files/` that takes its name when all are there. Everything is readable by its owner
only, because files and their names may hold identities.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.ingest.fetch.refused import Refusals
from dsn_saal.storage.atomic import write_text
from dsn_saal.storage.listing import LISTING, write_listing

FILES, REFUSED = "files", "refused.csv"
"""What readers are pointed at, and the table of what was not brought."""

_PART, _OLD, _UNFINISHED = ".files.part", ".files.old", ".part"


class Target:
    """One folder to fill.

    Args:
        out: the folder; it belongs to the command.

    Raises:
        BadRequest: where it holds anything that this command did not put there.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.files, self.part = out / FILES, out / _PART
        self._old = out / _OLD
        ours = {FILES, REFUSED, LISTING, _PART, _OLD}
        if out.exists() and not out.is_dir():
            raise BadRequest("the folder to fill is a file", value=out, next_step="name another --out")
        foreign = [entry for entry in out.iterdir() if not _is_ours(entry.name, ours)] if out.is_dir() else []
        if foreign:
            raise BadRequest(
                "the folder to fill holds other files",
                value=f"{len(foreign)} that this command did not put there",
                where=out,
                next_step="name an empty or a new folder with --out",
            )

    def begin(self, *, resume: bool) -> Path:
        """The folder to gather files in: empty, or what an earlier run left to go on from."""
        with _said(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
            self.out.chmod(0o700)
            if resume:
                (self.out / LISTING).unlink(missing_ok=True)
                if self.files.is_dir() and not self.part.exists():
                    self.files.rename(self.part)
            elif self.part.exists():
                shutil.rmtree(self.part)
            self.part.mkdir(mode=0o700, exist_ok=True)
        return self.part

    def forget(self) -> None:
        """Remove what was gathered; what stood here before is untouched."""
        shutil.rmtree(self.part, ignore_errors=True)

    def finish(self, refusals: Refusals, *, complete: bool) -> None:
        """Put what was gathered in its place; list it, unless something is missing that should be there."""
        with _said(self.out):
            (self.out / LISTING).unlink(missing_ok=True)
            shutil.rmtree(self._old, ignore_errors=True)
            if self.files.exists():
                self.files.rename(self._old)
            self.part.rename(self.files)
            shutil.rmtree(self._old, ignore_errors=True)
        write_text(self.out / REFUSED, refusals.csv())
        if complete:
            write_listing(self.out)


def _is_ours(name: str, ours: set[str]) -> bool:
    return name in ours or (name.startswith((f".{LISTING}.", f".{REFUSED}.")) and _UNFINISHED in name)


def write_private(path: Path, chunks: Iterable[bytes], *, sync: bool = False) -> None:
    """Write a new file that only its owner can read; a failure leaves none.

    Args:
        path: the file; it must not exist.
        chunks: its content.
        sync: whether it must be on the disk before this returns.

    Raises:
        CheckFailed: where the disk is full or the place cannot be written.
        Refused: from the chunks, as they come.
    """
    with _said(path.parent):
        _make_folders(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    whole = False
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                with _said(path.parent):
                    file.write(chunk)
            with _said(path.parent):
                file.flush()
                if sync:
                    os.fsync(file.fileno())
        whole = True
    finally:
        if not whole:
            path.unlink(missing_ok=True)


def arriving(path: Path) -> Path:
    """Where a file lies until it is whole."""
    return path.with_name(path.name + _UNFINISHED)


def sweep(root: Path, kept: set[Path]) -> int:
    """Remove every file below `root` but these, and the folders this empties; how many files went."""
    gone = 0
    for base, _, names in os.walk(root, topdown=False):
        for name in names:
            if Path(base, name) not in kept:
                Path(base, name).unlink()
                gone += not name.endswith(_UNFINISHED)
        if Path(base) != root and not any(Path(base).iterdir()):
            Path(base).rmdir()
    return gone


def _make_folders(folder: Path) -> None:
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def _said(where: Path) -> Iterator[None]:
    """Say an error of the system in words, without the file's name."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise CheckFailed(
            "the disk is full" if full else "a fetched file could not be written",
            value=error.strerror,
            where=next((place for place in (where, *where.parents) if (place / _PART).exists()), None),
            next_step="free space and run again" if full else "check the folder and its rights, then run again",
        ) from None
