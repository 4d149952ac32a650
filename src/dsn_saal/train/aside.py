"""What another run, or a broken disk, left where a run is to begin: put beside it, so that nothing is lost unsaid."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dsn_saal.train.checkpoint import flaw_of, read_identity
from dsn_saal.train.identity import differing_keys
from dsn_saal.train.results import read_run

ENDING = ".discarded"
"""Behind the name of a run's folder in the state: what was put aside for it. No run has such a name."""


def aside_of(folder: Path) -> Path:
    """Where what was in the way of a run lies."""
    return folder.with_name(folder.name + ENDING)


def remove_aside(folder: Path) -> None:
    """Forget what was put aside for a run: it is finished."""
    shutil.rmtree(aside_of(folder), ignore_errors=True)


def clear_for(folder: Path, identity: dict[str, Any], checkpoints: Sequence[str], say: Callable[[str], None]) -> None:
    """Leave in a run's folder only what the run can go on from.

    What other settings, other data or other code began is put aside as a whole, in the place of what was put aside
    before; of a run that is the same only checkpoints that cannot be read are. Without any checkpoint there is nothing
    to go on from, and the folder is removed.

    Args:
        folder: of the run in the state; it may be missing.
        identity: of the run.
        checkpoints: names of the files that a run goes on from.
        say: where to say what was found and where it lies now.
    """
    if not folder.exists():
        return
    held = {name: found for name in checkpoints if (found := read_identity(folder / name)) is not None}
    torn = {name: flaw for name in checkpoints if (flaw := flaw_of(folder / name)) is not None}
    finished = read_run(folder)
    others = [*held.values(), *([{key: finished.record.get(key) for key in identity}] if finished else [])]
    foreign = [found for found in others if found != identity]
    for name, flaw in torn.items():
        say(f"{name} of {folder.name} cannot be read ({flaw}); the run does not go on from it: {_lies(folder)}")
    if foreign:
        changed = ", ".join(differing_keys(foreign[0], identity))
        say(
            f"what {folder.name} had begun belongs to other inputs; changed: {changed}; {_lies(folder)}; "
            f"under the former inputs, and renamed to {folder.name}, it is gone on with"
        )
        _put_aside(folder)
    elif held:
        for name in torn:
            _put_aside(folder, name)
    elif torn:
        _put_aside(folder)
    else:
        shutil.rmtree(folder)


def _lies(folder: Path) -> str:
    return f"it lies in {aside_of(folder)} until {folder.name} is finished"


def _put_aside(folder: Path, name: str | None = None) -> None:
    """The whole folder, or one file of it."""
    aside = aside_of(folder)
    shutil.rmtree(aside, ignore_errors=True)
    if name is None:
        folder.rename(aside)
    else:
        aside.mkdir()
        (folder / name).rename(aside / name)
