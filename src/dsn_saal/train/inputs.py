"""What a training job reads: the certified split and the images it names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.split.certificate import refused
from dsn_saal.split.table import parts_of, read_split

SPLIT_LEAKS = "the parts of the split share what must be apart"


def require_certificate(
    path: Path, accept: Sequence[str], *, leaks: str = SPLIT_LEAKS, command: str = "dsn-saal split"
) -> list[str]:
    """Refuse data that are certified to leak.

    Args:
        path: certificate of a split, or of unlabelled slices against one.
        accept: findings that are accepted: the name of one, or a level as a whole.
        leaks: what a violation means, for the message.
        command: what writes the certificate, for the message.

    Returns:
        Entries of `accept` that name nothing in this certificate.

    Raises:
        BadRequest: where there is no certificate, or it is none.
        CheckFailed: where a finding was not accepted.
    """
    try:
        certificate = json.loads(path.read_text(encoding="utf-8"))
        levels, verdict = certificate["levels"], certificate["verdict"]
        violated = {level: entry for level, entry in levels.items() if entry["verdict"] == "VIOLATED"}
        named = {finding["name"] for entry in violated.values() for finding in entry["findings"]}
        left = refused(levels, accept)
        found = {level: int(levels[level]["found"]) for level in left}
    except FileNotFoundError:
        raise BadRequest("there is no certificate", value=path, next_step=f"run {command}, which writes it") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest("not a certificate", value=path, next_step=f"run {command} again") from None
    if verdict == "VIOLATED" and not violated:
        raise CheckFailed(
            "the certificate contradicts itself", value=verdict, where=path, next_step=f"run {command} again"
        )
    if left:
        raise CheckFailed(
            leaks,
            value="; ".join(f"{found[level]} at {level} level, {_first(names)}" for level, names in left.items()),
            where=path,
            next_step="split anew or take other data, or accept the finding or its level by name in "
            "datasets.<name>.accept: every report will say so",
        )
    return [entry for entry in accept if entry not in violated and entry not in named]


def _first(names: Sequence[str]) -> str:
    return f"first {names[0]!r}" if names else "too many to name"


@dataclass(frozen=True)
class TrainingSlices:
    """The training part of one draw, by row.

    Attributes:
        rows: of images.npy, (n,), ascending.
        labels: (n,).
        cases: (n,), "" where unknown.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    cases: tuple[str, ...]


def training_slices(path: Path, draw: int) -> TrainingSlices:
    """What trains in one draw of a split.

    Raises:
        BadRequest: where the table is missing or no split.
        CheckFailed: where it has no training slice.
    """
    chosen = _part(path, draw, "train", "training")
    rows, labels = chosen["row"].to_numpy(np.int64), chosen["label"].to_numpy(np.int64)
    return TrainingSlices(rows, labels, tuple(chosen["case"]))


def test_rows(path: Path, draw: int) -> NDArray[np.int64]:
    """Rows of images.npy that one draw of a split tests, ascending; raises as `training_slices` does."""
    return _part(path, draw, "test", "test")["row"].to_numpy(np.int64)


def _part(path: Path, draw: int, part: str, word: str) -> pd.DataFrame:
    table = parts_of(read_split(path), draw)
    chosen = table[table["part"] == part]
    if chosen.empty:
        raise CheckFailed(f"the split has no {word} slice", value=f"{len(table)} rows", where=path)
    return chosen


def cases_per_class(labels: Sequence[int], cases: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    """Known cases per class of slices with these labels and cases."""
    known = {(label, case) for label, case in zip(labels, cases, strict=True) if case}
    return {name: sum(label == number for label, _ in known) for number, name in enumerate(classes)}
