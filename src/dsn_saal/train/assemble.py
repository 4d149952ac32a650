"""What a run is made of, out of the settings of its experiment; train.recipe builds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from dsn_saal.models import IMAGENET
from dsn_saal.params.jobs import TrainJob, network_arguments
from dsn_saal.params.methods import WeightNetwork
from dsn_saal.params.regimens import Regimen
from dsn_saal.train.loop import Run, Schedule
from dsn_saal.train.machine import Machine
from dsn_saal.train.recipe import Recipe, build_run, derived_generator, optimizer_from, schedule_from

__all__ = ["derived_generator", "initialisation_of", "new_optimizer", "new_run", "recipe_of", "schedule", "schedule_of"]

IMAGENET_START, RANDOM_START = "ImageNet weights", "random initialisation"
"""How a run starts without a checkpoint of its own."""


def recipe_of(job: TrainJob) -> Recipe:
    """The plain values of a job's classifier."""
    checkpoint = job.model.checkpoint
    network = {
        **network_arguments(job),
        "weights": "imagenet" if initialisation_of(job) == IMAGENET_START else "none",
        "checkpoint": checkpoint.model_dump() if checkpoint else None,
    }
    return Recipe(
        network,
        job.loss.model_dump(),
        job.regimen.model_dump(),
        compile=job.train.compile,
        selects_epoch=job.train.select_epoch == "best_validation",
    )


def schedule_of(job: TrainJob) -> Schedule:
    """The regimen of a job's classifier."""
    return recipe_of(job).schedule


def schedule(regimen: Regimen, *, side_weight: float = 1.0) -> Schedule:
    """A regimen as plain numbers."""
    return schedule_from(regimen.model_dump(), side_weight=side_weight)


def initialisation_of(job: TrainJob) -> str:
    """What the backbone's first values are, as records and tables say it."""
    if job.model.checkpoint is not None:
        return f"CheXNet checkpoint {job.model.checkpoint.sha256[:12]}"
    published = job.network.weights == "imagenet" and job.model.backbone in IMAGENET
    return IMAGENET_START if published else RANDOM_START


def new_run(job: TrainJob, *, seed: int, counts: Sequence[int], machine: Machine) -> Run:
    """The run of a job before its first step: see train.recipe.build_run."""
    return build_run(recipe_of(job), seed=seed, counts=counts, machine=machine)


def new_optimizer(regimen: Regimen | WeightNetwork, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    """The optimizer of a regimen over groups of parameters, each with its own weight decay."""
    return optimizer_from(regimen.model_dump(), groups)
