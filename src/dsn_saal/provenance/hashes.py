"""SHA-256 of files, remembered while size, times and inode stay."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from dsn_saal.storage.atomic import write_text
from dsn_saal.storage.listing import sha256_of

SETTLED_S = 2.0
"""A file changed less than this long ago is hashed but not remembered: a second edit might not show in its times."""


class HashCache:
    """Content hashes of files in the working folder and outside it.

    A remembered hash is used only where size, modification time, change time and inode are all as they were. The change
    time is in it because tools restore modification times; nothing restores a change time.

    Args:
        path: file that keeps the hashes between runs; losing it costs time only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = _read(path)
        self._used: set[str] = set()
        self._changed = False

    def of(self, file: Path) -> str:
        """SHA-256 of the file's present content, in hexadecimal; links are followed."""
        name = str(file)
        status = file.stat()
        identity = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        self._used.add(name)
        known = self._known.get(name)
        if known is not None and known[:-1] == identity:
            return str(known[-1])
        digest = sha256_of(file)
        if _settled(status):
            self._known[name] = [*identity, digest]
        else:
            self._known.pop(name, None)
        self._changed = True
        return digest

    def save(self) -> None:
        """Keep what was learned; what no longer exists is dropped once it outnumbers what was used."""
        if not self._changed:
            return
        if len(self._known) > 2 * len(self._used) + 1000:
            self._known = {name: entry for name, entry in self._known.items() if name in self._used}
        write_text(self.path, json.dumps(self._known, separators=(",", ":")))
        self._changed = False


def _settled(status: os.stat_result) -> bool:
    return time.time() - max(status.st_mtime, status.st_ctime) > SETTLED_S


def _read(path: Path) -> dict[str, list[Any]]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
