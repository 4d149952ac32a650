"""What alpha, the betas and the class weights of SAAL were after each epoch: the histories that training wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest
from dsn_saal.evaluate.histories import Written, read_written
from dsn_saal.evaluate.summaries import Json

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

    Args and errors are those of `histories.read_written`; BadRequest also where the loss has no alpha and beta.
    """
    return [_trajectory(run, summary["classes"]) for run in read_written(folder, summary)]


def _trajectory(run: Written, classes: list[str]) -> Trajectory:
    start = run.record["start"]
    betas = [f"beta_{number}" for number in range(1, sum(name.startswith("beta_") for name in start) + 1)]
    if "alpha" not in start or not betas:
        raise BadRequest(
            "a loss without alpha and beta has no trajectory", value=run.key.experiment,
            next_step="name experiments whose loss is of kind saal",
        )  # fmt: skip
    return Trajectory(
        alpha=run.columns(["alpha"], before=start)[:, 0],
        betas=run.columns(betas, before=start),
        weights=run.columns([f"w_{name}" for name in classes], before=start),
    )
