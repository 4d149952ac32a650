"""What training wrote of each run after each epoch: loss, accuracy on the training part, and what a loss learns."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Written:
    """What training wrote of one run.

    Attributes:
        key: the run.
        record: its run.json.
        rows: its history.csv, an epoch each.
        path: of the history.
    """

    key: RunKey
    record: Json
    rows: list[dict[str, str]]
    path: Path

    def columns(self, names: Sequence[str], *, before: Mapping[str, Any] | None = None) -> Floats:
        """Columns of the history (E, names), below a row that came before the first epoch.

        Raises CheckFailed where a number is missing.
        """
        rows: list[Mapping[str, Any]] = [*([] if before is None else [before]), *self.rows]
        try:
            return np.array([[float(row[name]) for name in names] for row in rows]).reshape(len(rows), len(names))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckFailed(
                "a history lacks a number", value=str(error), where=self.path, next_step=f"train {self.key.experiment}"
            ) from None


def read_written(folder: Path, summary: Json) -> list[Written]:
    """What training wrote of every run that finished, of those that a summary speaks of.

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


def read_histories(folder: Path, summary: Json) -> list[History]:
    """The history of every run that finished; arguments and errors as in `read_written`."""
    held = (run.columns(["loss", "train_accuracy"]) for run in read_written(folder, summary))
    return [History(loss=columns[:, 0], accuracy=columns[:, 1]) for columns in held]


def _read_run(folder: Path, key: RunKey, listed: dict[str, str], *, identity: str) -> Written:
    record = json.loads(checked_file(folder, f"{key.run_name}/run.json", listed).read_text(encoding="utf-8"))
    if record.get("identity") != identity:
        raise CheckFailed(
            "a history belongs to another training than the evaluation measured", value=key.run_name, where=folder,
            next_step=f"evaluate {key.experiment} again",
        )  # fmt: skip
    path = checked_file(folder, f"{key.run_name}/history.csv", listed)
    return Written(key, record, list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())), path)
