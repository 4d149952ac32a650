"""Loss and accuracy on the training part after each epoch, as training wrote them down."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.run import RunKey
from dsn_saal.evaluate.summaries import Json
from dsn_saal.evaluate.trained import checked_file
from dsn_saal.storage.listing import LISTING, read_listing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """One run; place e is the end of epoch e + 1.

    Attributes:
        loss: mean over the epoch's images, (E,).
        accuracy: share of the epoch's images named rightly while it learnt, (E,).
    """

    loss: Floats
    accuracy: Floats


def read_histories(folder: Path, summary: Json) -> list[History]:
    """The history of every run that finished, of those that a summary speaks of.

    Args:
        folder: results/train/<experiment>.
        summary: of the same experiment; its records say which training it measured.

    Raises:
        BadRequest: where nothing was trained there.
        CheckFailed: where a file is missing, altered or of another training.
    """
    experiment = summary["experiment"]
    if not (folder / LISTING).is_file():
        raise BadRequest("there are no trained runs", value=folder, next_step=f"train {experiment} first")
    listed = read_listing(folder)
    identities = {entry["run"]: entry["record"]["identity"] for entry in summary["training"]}
    return [_read_run(folder, RunKey(experiment, run), listed, identity=identities[run]) for run in summary["finished"]]


def _read_run(folder: Path, key: RunKey, listed: dict[str, str], *, identity: str) -> History:
    record = json.loads(checked_file(folder, f"{key.run_name}/run.json", listed).read_text(encoding="utf-8"))
    if record.get("identity") != identity:
        raise CheckFailed(
            "a history belongs to another training than the evaluation measured", value=key.run_name, where=folder,
            next_step=f"evaluate {key.experiment} again",
        )  # fmt: skip
    path = checked_file(folder, f"{key.run_name}/history.csv", listed)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    try:
        loss, accuracy = (np.array([float(row[name]) for row in rows]) for name in ("loss", "train_accuracy"))
    except (KeyError, ValueError) as error:
        raise CheckFailed("a history lacks a number", value=str(error), where=path, next_step="train again") from None
    return History(loss, accuracy)
