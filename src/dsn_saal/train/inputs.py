"""What a training job reads: the certified split and the images it names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.split.table import part_counts, parts_of, read_split


def require_certificate(path: Path, accept: Sequence[str]) -> list[str]:
    """Refuse a split that is certified to leak.

    Args:
        path: certificate of the split.
        accept: findings that are accepted: the name of one, or a level as a whole.

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
        named = {level: [finding["name"] for finding in entry["findings"]] for level, entry in violated.items()}
        found = {level: int(entry["found"]) for level, entry in violated.items()}
    except FileNotFoundError:
        raise BadRequest(
            "the split has no certificate", value=path, next_step="run dsn-saal split, which writes it"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest("not a certificate of a split", value=path, next_step="run dsn-saal split again") from None
    refused = {
        level: [name for name in named[level] if name not in accept] for level in violated if level not in accept
    }
    # Findings beyond those that are listed have no name to accept: their level must be.
    refused = {level: names for level, names in refused.items() if names or found[level] > len(named[level])}
    if verdict == "VIOLATED" and not violated:
        raise CheckFailed("the certificate contradicts itself", value=verdict, where=path, next_step="split anew")
    if refused:
        raise CheckFailed(
            "the parts of the split share what must be apart",
            value="; ".join(f"{found[level]} at {level} level, {_first(names)}" for level, names in refused.items()),
            where=path,
            next_step="split anew, or accept the finding or its level by name in datasets.<name>.accept: every report "
            "will say so",
        )
    return [entry for entry in accept if entry not in violated and not any(entry in names for names in named.values())]


def _first(names: Sequence[str]) -> str:
    return f"first {names[0]!r}" if names else "too many to name"


def training_rows(path: Path, draw: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of images.npy that train in one draw of a split, ascending, and their labels.

    Raises:
        BadRequest: where the table is missing or no split.
        CheckFailed: where it has no training slice.
    """
    table = parts_of(read_split(path), draw)
    chosen = table[table["part"] == "train"]
    if chosen.empty:
        raise CheckFailed("the split has no training slice", value=f"{len(table)} rows", where=path)
    return chosen["row"].to_numpy(np.int64), chosen["label"].to_numpy(np.int64)


def case_ids(path: Path, draw: int) -> tuple[str, ...]:
    """Case of each training slice, "" where it is unknown, in the order of `training_rows`."""
    table = parts_of(read_split(path), draw)
    return tuple(table.loc[table["part"] == "train", "case"])


def training_cases(path: Path, draw: int, classes: Sequence[str]) -> dict[str, int]:
    """Known cases per class in the training part of one draw."""
    counted = part_counts(read_split(path), classes, draw=draw)["train"]
    return {name: counted[name]["cases"] for name in classes}
