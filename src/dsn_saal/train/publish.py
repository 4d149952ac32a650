"""Finished runs take their place in the results: by one renaming each, so that none lies on the disk twice."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from pathlib import Path

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.storage.atomic import replacing
from dsn_saal.storage.listing import LISTING, write_listing
from dsn_saal.train.results import FinishedRun


def publish(finished: Mapping[str, FinishedRun], out: Path) -> None:
    """Make `out` hold exactly these runs; whoever interrupts it loses none.

    Args:
        finished: run folder's name to the finished run, which may lie in `out` already; from elsewhere it is moved.
        out: the job's folder; whatever else it holds is removed, and its listing is written last.

    Raises:
        CheckFailed: where a run cannot be moved.
    """
    (out / LISTING).unlink(missing_ok=True)
    for name, run in finished.items():
        if run.folder != out / name:
            _move(run, out / name)
    _remove_others(out, {Path(name) / part for name, run in finished.items() for part in run.parts})
    write_listing(out)


def _move(run: FinishedRun, place: Path) -> None:
    """A whole run is in one place or in the other at any moment; what another one left in its place goes first."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _remove(place)
        try:
            run.folder.rename(place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(run, place)
    except OSError as error:
        raise CheckFailed(
            "a finished run could not be moved to the results",
            value=error.strerror,
            where=place,
            next_step="check the folder and its rights, then run again; the run is kept",
        ) from error


def _copy(run: FinishedRun, place: Path) -> None:
    """Across file systems: its record last, then what was copied goes, so that one run at most lies there twice."""
    for part in run.parts:
        with replacing(place / part) as copy:
            shutil.copyfile(run.folder / part, copy)
    shutil.rmtree(run.folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_others(out: Path, wanted: set[Path]) -> None:
    folders = {path.parent for path in wanted}
    for path in sorted(out.rglob("*"), reverse=True):  # children before their folder
        relative = path.relative_to(out)
        if path.is_dir() and not path.is_symlink():
            if relative not in folders:
                path.rmdir()
        elif relative not in wanted:
            path.unlink()
