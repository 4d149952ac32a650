"""The pack that travels to a GPU machine, and what comes back: names of files and columns, and how they are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.storage.listing import sha256_of
from dsn_saal.storage.tables import read_table

IMAGES, SLICES, SETTINGS = "images.npz", "slices.parquet", "settings.json"
"""Files of a pack: images (n, S, S) uint8; row, case, label, part, origin and hashes of each; everything else."""

PREDICTIONS, HISTORY, RECORD = "predictions.parquet", "history.csv", "run.json"
"""Files of a finished run, <experiment>/run-NN/; the record, written last, holds the SHA-256 of the others.

A run that diverged is finished too: it has no predictions."""

FAILED = "failed.json"
"""In the folder of a run that memory had no room for: its identity and the message. The next call tries again."""

INITIALISATION = "random"
"""No pretrained weights travel."""


def column(output: str, name: str) -> str:
    """Column of predictions with the probability that an output gives to a class."""
    return f"{output}.{name}"


def output_names(n_outputs: int) -> list[str]:
    """Outputs of a network as the history calls them, the final one last."""
    return [*(f"side{i}" for i in range(1, n_outputs)), "final"]


def read_settings(pack: Path) -> dict[str, Any]:
    """Settings of a pack, whose files are as they were packed.

    Raises:
        BadRequest: where it is none.
        CheckFailed: where a file was altered.
    """
    try:
        settings = json.loads((pack / SETTINGS).read_text(encoding="utf-8"))
        files = settings["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadRequest(
            "there is no pack", value=type(error).__name__, where=pack / SETTINGS, next_step="run the step pack"
        ) from None
    for name, digest in files.items():
        if not (pack / name).is_file() or sha256_of(pack / name) != digest:
            raise CheckFailed("a file of the pack is missing or altered", where=pack / name, next_step="pack again")
    return settings


def read_part(pack: Path, part: str) -> tuple[NDArray[np.uint8], pd.DataFrame]:
    """Images of a part, and their rows of the table, in the order of the rows."""
    slices = read_table(pack / SLICES)
    chosen = (slices["part"] == part).to_numpy()
    with np.load(pack / IMAGES, allow_pickle=False) as stored:
        return stored["images"][chosen], slices[chosen].reset_index(drop=True)


def read_run(folder: Path) -> dict[str, Any] | None:
    """Record of a finished run; None where the folder holds no whole, unaltered one."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        wanted = (HISTORY,) if record["diverged"] else (PREDICTIONS, HISTORY)
        whole = all(sha256_of(folder / name) == record["files"][name] for name in wanted)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if whole else None
