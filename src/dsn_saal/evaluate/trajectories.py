"""What alpha, the betas and the class weights of SAAL were after each epoch: the histories that training wrote."""

from __future__ import annotations

import csv
import json
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
class Trajectory:
    """One run; place 0 is the start, place e the end of epoch e.

    Attributes:
        alpha: (E + 1,).
        betas: (E + 1, B).
        weights: of the classes, (E + 1, C), in label order.
    """

    alpha: Floats
    betas: Floats
    weights: Floats

    @property
    def relative_weights(self) -> Floats:
        """Weights over their mean: what is left of them once the size of the loss is taken out."""
        return self.weights / self.weights.mean(axis=1, keepdims=True)

    @property
    def ratio(self) -> Floats:
        """Largest over smallest class weight, (E + 1,)."""
        return self.weights.max(axis=1) / self.weights.min(axis=1)


def training_counts(summary: Json) -> tuple[int, ...]:
    """Training images per class, in label order, of an experiment's first run."""
    counted = summary["training"][0]["record"]["counts"]
    return tuple(counted[name] for name in summary["classes"])


def read_trajectories(folder: Path, summary: Json) -> list[Trajectory]:
    """The trajectory of every run that finished, of those that a summary speaks of.

    Args:
        folder: results/train/<experiment>.
        summary: of the same experiment; its records say which training it measured.

    Raises:
        BadRequest: where nothing was trained there, or the loss has no alpha and beta.
        CheckFailed: where a file is missing, altered or of another training.
    """
    experiment = summary["experiment"]
    if not (folder / LISTING).is_file():
        raise BadRequest("there are no trained runs", value=folder, next_step=f"train {experiment} first")
    listed = read_listing(folder)
    identities = {entry["run"]: entry["record"]["identity"] for entry in summary["training"]}
    return [
        _read_run(folder, RunKey(experiment, run), listed, identity=identities[run], classes=summary["classes"])
        for run in summary["finished"]
    ]


def _read_run(folder: Path, key: RunKey, listed: dict[str, str], *, identity: str, classes: list[str]) -> Trajectory:
    record = json.loads(checked_file(folder, f"{key.run_name}/run.json", listed).read_text(encoding="utf-8"))
    if record.get("identity") != identity:
        raise CheckFailed(
            "a history belongs to another training than the evaluation measured", value=key.run_name, where=folder,
            next_step=f"evaluate {key.experiment} again",
        )  # fmt: skip
    text = checked_file(folder, f"{key.run_name}/history.csv", listed).read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = [record["start"], *csv.DictReader(text.splitlines())]
    n_betas = sum(name.startswith("beta_") for name in record["start"])
    if "alpha" not in record["start"] or not n_betas:
        raise BadRequest(
            "a loss without alpha and beta has no trajectory", value=key.experiment,
            next_step="name experiments whose loss is of kind saal",
        )  # fmt: skip

    def column(name: str) -> list[float]:
        return [float(row[name]) for row in rows]

    return Trajectory(
        alpha=np.array(column("alpha")),
        betas=np.array([column(f"beta_{number}") for number in range(1, n_betas + 1)]).T,
        weights=np.array([column(f"w_{name}") for name in classes]).T,
    )
