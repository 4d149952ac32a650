"""Members of a zip archive."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.fetch.limits import Limits
from dsn_saal.ingest.fetch.members import EndsEarly, Member
from dsn_saal.ingest.fetch.refused import Refused, Why

_ENCRYPTED = 0x1 | 0x40 | 0x2000
"""Flag bits of a member whose content or name is encrypted."""

_CHUNK = {zipfile.ZIP_STORED: 2**20, zipfile.ZIP_DEFLATED: 2**20, zipfile.ZIP_BZIP2: 2**12, zipfile.ZIP_LZMA: 2**12}
"""Packed bytes read at once, per method: the last two unpack all they were given, whatever that comes to."""


def zip_members(path: Path, limits: Limits) -> Iterator[Member]:
    """Every member that is no folder, in the order of the archive's list.

    Raises:
        EndsEarly: where there is no list: the archive was cut off, or is no zip.
        CheckFailed: where it has too many members, or its list is malformed.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise EndsEarly from None
    except (UnicodeDecodeError, NotImplementedError, ValueError, OverflowError):
        raise CheckFailed(
            "the zip's list of members is malformed", where=path, next_step="pack it anew, or unpack it yourself"
        ) from None
    with archive:
        entries = archive.infolist()
        limits.require_members(len(entries))
        for number, entry in enumerate(entries, start=1):
            if not entry.orig_filename.endswith("/"):
                yield Member(
                    number,
                    entry.orig_filename,
                    entry.file_size,
                    _refusal(entry, limits),
                    partial(_read, archive, entry),
                )


def _refusal(entry: zipfile.ZipInfo, limits: Limits) -> Refused | None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return Refused(Why.LINK, "a symbolic link")
    if kind not in (0, stat.S_IFREG):
        return Refused(Why.NOT_A_FILE, "a device, a pipe, or another entry that is no file")
    if entry.flag_bits & _ENCRYPTED:
        return Refused(Why.ENCRYPTED, "the member is encrypted")
    if entry.compress_type not in _CHUNK:
        return Refused(Why.UNSUPPORTED, "packed by a method that is not unpacked here")
    if limits.is_bomb(entry.file_size, entry.compress_size):
        return Refused(Why.BOMB, f"says it unpacks to more than {limits.ratio} bytes for one")
    return None


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(entry) as stream:
            while chunk := stream.read(_CHUNK[entry.compress_type]):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError):
        # OSError is bzip2's word for damage, RuntimeError zipfile's for what it cannot unpack.
        raise Refused(Why.DAMAGED, "the packed data are damaged or end early") from None
