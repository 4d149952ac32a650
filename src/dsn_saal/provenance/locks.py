"""Who is at work in a working folder: at most one Snakemake, and no job that a killed one left behind.

The system gives a lock back when the process that took it ends, however it ends.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

STATE = Path(".dsn_saal")
"""Folder of this project below the working folder: caches, what travelled last, locks. Losing it costs time only."""

PATIENCE_S = 2.0
"""How long another process may hold a lock before it counts as a run at work: a dry run ends sooner."""


class FolderLock:
    """Held by one Snakemake until its process ends.

    Attributes:
        certain: whether the file system has locks; without them nobody can know who is at work.
    """

    def __init__(self) -> None:
        self.certain = True
        self._held: IO[str] | None = None

    def take(self) -> bool:
        """Whether, as far as can be known, nobody else is at work here."""
        STATE.mkdir(exist_ok=True)
        self._held = self._locked(STATE / "lock")
        if self._held is None:
            return False
        jobs = self._locked(STATE / "jobs")
        if jobs is None:
            self._held.close()
            return False
        jobs.close()
        return True

    def _locked(self, path: Path) -> IO[str] | None:
        file = path.open("a")
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    file.close()
                    return None
                time.sleep(0.1)
            except OSError:
                self.certain = False
                return file
            else:
                return file


@contextmanager
def at_work() -> Iterator[None]:
    """Let the next Snakemake know of this job while it lasts, should the one that started it be killed."""
    if not STATE.is_dir():
        yield
        return
    with (STATE / "jobs").open("a") as jobs:
        with suppress(OSError):
            fcntl.flock(jobs, fcntl.LOCK_SH)
        yield
