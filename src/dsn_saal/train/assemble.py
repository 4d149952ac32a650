"""A run before its first step, from the settings of its experiment and its seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import nn

from dsn_saal.losses import CrossEntropy, Loss, MarginCrossEntropy, Saal, SymmetricCrossEntropy
from dsn_saal.models import build_network, set_dropout_generator
from dsn_saal.params import losses
from dsn_saal.params.jobs import TrainJob, network_arguments
from dsn_saal.train.loop import Run, Schedule
from dsn_saal.train.machine import Machine
from dsn_saal.train.tally import Tally


def derived_generator(seed: int, purpose: str) -> torch.Generator:
    """A generator of its own for one purpose, so that drawing from it leaves the run's stream as it is."""
    drawn = hashlib.sha256(f"{purpose} {seed}".encode()).digest()[:8]
    return torch.Generator().manual_seed(int.from_bytes(drawn, "little") >> 1)


def schedule_of(job: TrainJob) -> Schedule:
    """The protocol of a job."""
    settings = job.train
    return Schedule(
        epochs=settings.epochs,
        lr=settings.lr,
        milestones=settings.lr_milestones,
        gamma=settings.lr_gamma,
        batch_size=settings.batch_size,
        drop_last=settings.drop_last,
        side_weight=job.loss.side_weight,
    )


def new_run(job: TrainJob, *, seed: int, counts: Sequence[int], machine: Machine) -> Run:
    """Network, loss and optimizer at their first values, all drawn from the run's one generator in a fixed order.

    Args:
        job: settings of the experiment.
        seed: seed of the run.
        counts: training images per class.
        machine: device and arithmetic.
    """
    generators = {"order": torch.Generator().manual_seed(seed)}
    network = build_network(**network_arguments(job), weights=job.network.weights, generator=generators["order"])
    loss = _new_loss(job.loss, counts, network.n_outputs, generators["order"])
    network.to(machine.device).to(memory_format=machine.memory_format)  # type: ignore[call-overload]
    loss.to(machine.device)
    if machine.device.type != "cpu":  # dropout masks are drawn where they are used
        generators["device"] = torch.Generator(machine.device).manual_seed(seed)
    set_dropout_generator(network, generators.get("device", generators["order"]))
    return Run(
        network=network,
        loss=loss,
        optimizer=_new_optimizer(job, network, loss),
        generators=generators,
        tally=Tally(loss.parts, network.n_outputs, machine.device),
        order=torch.empty(sum(counts), dtype=torch.int64, device=machine.device),
    )


def _new_loss(settings: losses.Loss, counts: Sequence[int], n_outputs: int, generator: torch.Generator) -> Loss:
    plain = settings.model_dump(exclude={"kind", "side_weight", "decay_alpha_beta"})
    if isinstance(settings, losses.CrossEntropy):
        return CrossEntropy(counts, **plain)
    if isinstance(settings, losses.SymmetricCrossEntropy):
        return SymmetricCrossEntropy(**plain)
    if isinstance(settings, losses.MarginCrossEntropy):
        return MarginCrossEntropy(counts, **plain)
    n_beta = {"each_output": n_outputs, "each_stage": max(1, n_outputs - 1), "one": 1}[plain.pop("betas")]
    normalised = plain.pop("normalise_weights") == "sum_to_classes"
    return Saal(counts, n_outputs=n_outputs, n_beta=n_beta, normalise_weights=normalised, generator=generator, **plain)


def _new_optimizer(job: TrainJob, network: nn.Module, loss: Loss) -> torch.optim.SGD:
    settings = job.train
    groups = [{"params": list(network.parameters()), "weight_decay": settings.weight_decay}]
    if isinstance(job.loss, losses.Saal):
        decay = settings.weight_decay if job.loss.decay_alpha_beta else 0.0
        groups.append({"params": list(loss.parameters()), "weight_decay": decay})
    return torch.optim.SGD(groups, lr=settings.lr, momentum=settings.momentum, nesterov=settings.nesterov, fused=True)
