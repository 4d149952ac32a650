"""Which finished runs count: training and its plan ask the same question of the same folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from dsn_saal.train.identity import differing_keys, digest
from dsn_saal.train.keep import runs_to_keep
from dsn_saal.train.results import FinishedRun, read_run


def held_run(identity: Mapping[str, Any], places: Sequence[Path]) -> tuple[FinishedRun | None, list[str]]:
    """The finished run of an identity, one with weights first.

    Args:
        identity: every input of the run; None in the place of a value that is not known, which any run then has.
        places: folders where it may lie.

    Returns:
        The run, and for each finished run of another identity, where there is no other, what differs in it.
    """
    there = [found for place in places if (found := read_run(place)) is not None]
    wanted = [_filled(identity, found) for found in there]
    same = [found for found, full in zip(there, wanted, strict=True) if found.record.get("identity") == digest(full)]
    if same:
        return max(same, key=lambda found: found.has_weights), []
    return None, [_changed(found, full) for found, full in zip(there, wanted, strict=True)]


def _filled(identity: Mapping[str, Any], run: FinishedRun) -> dict[str, Any]:
    return {key: run.record.get(key) if value is None else value for key, value in identity.items()}


def _changed(run: FinishedRun, identity: dict[str, Any]) -> str:
    return ", ".join(differing_keys({key: run.record.get(key) for key in identity}, identity))


def lacking_weights(keep: Literal["all", "median", "none"], held: Mapping[str, FinishedRun], runs: int) -> set[str]:
    """Names of finished runs that are to keep their weights and have none: they are trained again.

    Which run is the median is known once all are finished; before, none is named for it.
    """
    if keep == "median" and len(held) < runs:
        return set()
    return {name for name in runs_to_keep(keep, held) if not held[name].has_weights}
