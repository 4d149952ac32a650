"""A run before its first step, from the settings of its experiment and its seed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from dsn_saal.data import Augmentation
from dsn_saal.domain.errors import BadRequest
from dsn_saal.losses import (
    BinaryCrossEntropy,
    CenterCrossEntropy,
    CrossEntropy,
    Loss,
    MarginCrossEntropy,
    Saal,
    SymmetricCrossEntropy,
)
from dsn_saal.models import (
    IMAGENET,
    Network,
    build_network,
    last_layer_of,
    no_features,
    set_dropout_generator,
    watched_features,
)
from dsn_saal.params import losses
from dsn_saal.params.jobs import TrainJob, network_arguments
from dsn_saal.params.methods import WeightNetwork
from dsn_saal.params.regimens import Regimen, Sgd, Steps
from dsn_saal.train.loop import RATE_FACTOR, Run, Schedule
from dsn_saal.train.machine import Machine
from dsn_saal.train.selection import BestEpoch
from dsn_saal.train.tally import Tally

IMAGENET_START, RANDOM_START = "ImageNet weights", "random initialisation"
"""How a run starts without a checkpoint of its own."""


def derived_generator(seed: int, purpose: str) -> torch.Generator:
    """A generator of its own for one purpose, so that drawing from it leaves the run's stream as it is."""
    drawn = hashlib.sha256(f"{purpose} {seed}".encode()).digest()[:8]
    return torch.Generator().manual_seed(int.from_bytes(drawn, "little") >> 1)


def schedule_of(job: TrainJob) -> Schedule:
    """The regimen of a job's classifier."""
    return schedule(job.regimen, side_weight=job.loss.side_weight)


def schedule(regimen: Regimen, *, side_weight: float = 1.0) -> Schedule:
    """A regimen as plain numbers."""
    milestones, gamma = (regimen.rate.milestones, regimen.rate.gamma) if isinstance(regimen.rate, Steps) else ((), 1.0)
    return Schedule(
        epochs=regimen.epochs,
        lr=regimen.lr,
        rate=regimen.rate.kind,
        milestones=milestones,
        gamma=gamma,
        batch_size=regimen.batch_size,
        drop_last=regimen.drop_last,
        side_weight=side_weight,
        freeze_after=regimen.freeze_after,
        augmentation=Augmentation(**regimen.augmentation.model_dump()) if regimen.augmentation else None,
    )


def initialisation_of(job: TrainJob) -> str:
    """What the backbone's first values are, as records and tables say it."""
    if job.model.checkpoint is not None:
        return f"CheXNet checkpoint {job.model.checkpoint.sha256[:12]}"
    published = job.network.weights == "imagenet" and job.model.backbone in IMAGENET
    return IMAGENET_START if published else RANDOM_START


def new_run(job: TrainJob, *, seed: int, counts: Sequence[int], machine: Machine) -> Run:
    """Network, loss and optimizer at their first values, all drawn from the run's one generator in a fixed order.

    Args:
        job: settings of the experiment.
        seed: seed of the run.
        counts: training images per class.
        machine: device and arithmetic.
    """
    generators = {"order": torch.Generator().manual_seed(seed)}
    checkpoint = job.model.checkpoint
    network = build_network(
        **network_arguments(job),
        weights="imagenet" if initialisation_of(job) == IMAGENET_START else "none",
        checkpoint=checkpoint.model_dump() if checkpoint else None,
        generator=generators["order"],
    )
    loss = _new_loss(job.loss, counts, network, generators["order"])
    network.to(machine.device).to(memory_format=machine.memory_format)  # type: ignore[call-overload]
    loss.to(machine.device)
    if machine.device.type != "cpu":  # dropout masks are drawn where they are used
        generators["device"] = torch.Generator(machine.device).manual_seed(seed)
    set_dropout_generator(network, generators.get("device", generators["order"]))
    if job.train.compile:
        compile_network(network)
    return Run(
        network=network,
        best=BestEpoch(network) if job.train.select_epoch == "best_validation" else None,
        loss=loss,
        optimizer=_optimizer_of_run(job, network, loss),
        generators=generators,
        tally=Tally(loss.parts, network.n_outputs, machine.device),
        order=torch.empty(sum(counts), dtype=torch.int64, device=machine.device),
        features=watched_features(network) if loss.needs_features else no_features,
    )


def compile_network(network: Network, *, backend: str = "inductor") -> None:
    """Let torch.compile fuse the network's operations, in place: names and values of its state stay as they are.

    Every shape of a batch is compiled for itself. A kernel for any shape would be made once a second shape comes, and
    a run that goes on after an interruption meets the shapes in another order; nor does it meet what earlier runs of
    the process compiled.

    Raises:
        BadRequest: where there is no C++ compiler, which inductor needs on every device.
    """
    compilers = [os.environ.get("CXX", "g++"), "g++", "clang++"]
    if backend == "inductor" and not any(map(shutil.which, compilers)):
        raise BadRequest(
            "torch.compile needs a C++ compiler, and there is none",
            value=", ".join(dict.fromkeys(compilers)),
            where="train.compile",
            next_step="install g++ or set train.compile to false",
        )
    torch.compiler.reset()
    network.compile(backend=backend, dynamic=False)


def _new_loss(settings: losses.Loss, counts: Sequence[int], network: Network, generator: torch.Generator) -> Loss:
    plain = settings.model_dump(exclude={"kind", "side_weight", "decay_alpha_beta", "lr_alpha_beta"})
    if isinstance(settings, losses.CrossEntropy):
        return CrossEntropy(counts, **plain)
    if isinstance(settings, losses.BinaryCrossEntropy):
        return BinaryCrossEntropy()
    if isinstance(settings, losses.SymmetricCrossEntropy):
        return SymmetricCrossEntropy(**plain)
    if isinstance(settings, losses.MarginCrossEntropy):
        return MarginCrossEntropy(counts, **plain)
    if isinstance(settings, losses.CenterCrossEntropy):
        return CenterCrossEntropy(len(counts), last_layer_of(network).in_features, generator=generator, **plain)
    n_outputs = network.n_outputs
    n_beta = {"each_output": n_outputs, "each_stage": max(1, n_outputs - 1), "one": 1}[plain.pop("betas")]
    normalised = plain.pop("normalise_weights") == "sum_to_classes"
    return Saal(counts, n_outputs=n_outputs, n_beta=n_beta, normalise_weights=normalised, generator=generator, **plain)


def _optimizer_of_run(job: TrainJob, network: nn.Module, loss: Loss) -> torch.optim.Optimizer:
    decay = job.regimen.weight_decay
    groups: list[dict[str, Any]] = [{"params": list(network.parameters()), "weight_decay": decay}]
    if isinstance(job.loss, losses.Saal):
        own = {"weight_decay": decay if job.loss.decay_alpha_beta else 0.0, RATE_FACTOR: job.loss.lr_alpha_beta}
        groups.append({"params": list(loss.parameters()), **own})
    return new_optimizer(job.regimen, groups)


def new_optimizer(regimen: Regimen | WeightNetwork, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    """The optimizer of a regimen over groups of parameters, each with its own weight decay.

    A group may hold RATE_FACTOR, which the loop multiplies the rate of the epoch with.
    """
    chosen = regimen.optimizer
    if isinstance(chosen, Sgd):
        return torch.optim.SGD(groups, lr=regimen.lr, momentum=chosen.momentum, nesterov=chosen.nesterov, fused=True)
    return torch.optim.Adam(groups, lr=regimen.lr, fused=True)
