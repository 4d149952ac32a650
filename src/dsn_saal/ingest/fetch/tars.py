"""Members of a tar archive, plain or packed as a whole, read from front to back."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from dsn_saal.ingest.fetch.limits import Limits, too_much
from dsn_saal.ingest.fetch.members import EndsEarly, Member
from dsn_saal.ingest.fetch.refused import Refused, Why

MAX_HEADER_BYTES = 2**22
"""Most bytes of one extended header; tarfile holds it in memory."""

_CHUNK = 2**20

_OPENERS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))
"""What a packed file begins with, and who unpacks it."""


class Readable(Protocol):
    """What unpacks, or a plain file."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""


class _Unpacked:
    """The unpacked bytes of a tar, forward only, counted, in bounded reads.

    Attributes:
        last: the last block that was read; an archive that is whole ends with one of zeros.
    """

    def __init__(self, stream: Readable, packed: int, limits: Limits) -> None:
        self._stream, self._packed, self._limits, self._at = stream, packed, limits, 0
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER_BYTES:
            raise too_much("bytes in a header", f"more than {MAX_HEADER_BYTES}")
        try:
            self.last = self._stream.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError):
            raise EndsEarly from None
        self._at += len(self.last)
        self._limits.require_total(self._at, self._packed)
        return self.last

    def tell(self) -> int:
        return self._at

    def seek(self, to: int, whence: int = 0) -> int:
        if whence or to < self._at:
            raise EndsEarly  # a size that leads backwards
        while self._at < to:
            if not self.read(min(_CHUNK, to - self._at)):
                raise EndsEarly
        return self._at

    def seekable(self) -> bool:
        return True

    def drain(self) -> None:
        """Read on to the end, where gzip and its kin keep their checks; raises EndsEarly where there is more."""
        while chunk := self.read(_CHUNK):
            if chunk.strip(b"\0"):
                raise EndsEarly


def tar_members(path: Path, limits: Limits) -> Iterator[Member]:
    """Every member that is no folder, in the order of the archive.

    Raises:
        EndsEarly: where the archive was cut off, is damaged, or is no tar; members before that are good.
        CheckFailed: where it unpacks to too much.
    """
    with path.open("rb") as raw:
        start = raw.read(8)
    opener = next((opener for mark, opener in _OPENERS if start.startswith(mark)), None)
    with path.open("rb") if opener is None else opener(path, "rb") as stream:
        unpacked = _Unpacked(stream, path.stat().st_size, limits)
        try:
            archive = tarfile.open(fileobj=unpacked, mode="r:", errorlevel=2)  # type: ignore[call-overload]  # noqa: SIM115
            number = 0
            while entry := archive.next():
                archive.members.clear()  # it would keep every one
                number += 1
                limits.require_members(number)
                if not entry.isdir():
                    chunks = partial(_read, archive, entry)
                    yield Member(number, entry.name, entry.size, _refusal(entry), chunks)
        except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, RecursionError, zlib.error):
            raise EndsEarly from None
        if len(unpacked.last) != tarfile.BLOCKSIZE or unpacked.last.strip(b"\0"):
            raise EndsEarly
        unpacked.drain()


def _refusal(entry: tarfile.TarInfo) -> Refused | None:
    if entry.issym() or entry.islnk():
        return Refused(Why.LINK, "a symbolic or hard link")
    if entry.issparse():
        return Refused(Why.UNSUPPORTED, "a sparse file")
    if not entry.isreg():
        return Refused(Why.NOT_A_FILE, "a device, a pipe, or another entry that is no file")
    return None


def _read(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Iterator[bytes]:
    try:
        stream = archive.extractfile(entry)
        while stream is not None and (chunk := stream.read(_CHUNK)):
            yield chunk
    except (tarfile.TarError, ValueError):
        raise EndsEarly from None
