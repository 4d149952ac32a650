"""A supervised run before its first step, from plain values: what needs no params to be built.

train.assemble cuts the values out of params.yaml; a machine that has no more than torch reads them from JSON.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    MaxMarginAffinity,
    Saal,
    SymmetricCrossEntropy,
)
from dsn_saal.models import Network, beside_logits, build_network, last_layer_of, set_dropout_generator
from dsn_saal.train.loop import RATE_FACTOR, Run, Schedule
from dsn_saal.train.machine import Machine
from dsn_saal.train.selection import BestEpoch
from dsn_saal.train.tally import Tally

Plain = Mapping[str, Any]
"""A block of params.yaml as JSON holds it."""

NOT_THE_LOSS = ("kind", "side_weight", "decay_alpha_beta", "lr_alpha_beta")
"""Keys of a loss's block that choose the class, or that loop and optimizer read."""


@dataclass(frozen=True)
class Recipe:
    """What a supervised run is made of.

    Attributes:
        network: arguments of models.build_network, initial weights among them.
        loss: a block of the section `losses`.
        regimen: a block of the section `regimens`.
        compile: whether torch.compile fuses the network's operations.
        selects_epoch: whether the best epoch's weights are kept.
    """

    network: Plain
    loss: Plain
    regimen: Plain
    compile: bool = False
    selects_epoch: bool = False

    @property
    def schedule(self) -> Schedule:
        """How the weights are moved."""
        return schedule_from(self.regimen, side_weight=self.loss["side_weight"])


def derived_generator(seed: int, purpose: str) -> torch.Generator:
    """A generator of its own for one purpose, so that drawing from it leaves the run's stream as it is."""
    drawn = hashlib.sha256(f"{purpose} {seed}".encode()).digest()[:8]
    return torch.Generator().manual_seed(int.from_bytes(drawn, "little") >> 1)


def schedule_from(regimen: Plain, *, side_weight: float) -> Schedule:
    """A regimen's block as the loop takes it."""
    rate, augmentation = regimen["rate"], regimen["augmentation"]
    return Schedule(
        epochs=regimen["epochs"],
        lr=regimen["lr"],
        rate=rate["kind"],
        milestones=rate.get("milestones", ()),
        gamma=rate.get("gamma", 1.0),
        batch_size=regimen["batch_size"],
        drop_last=regimen["drop_last"],
        side_weight=side_weight,
        freeze_after=regimen["freeze_after"],
        augmentation=Augmentation(**augmentation) if augmentation else None,
    )


def build_run(recipe: Recipe, *, seed: int, counts: Sequence[int], machine: Machine) -> Run:
    """Network, loss and optimizer at their first values, all drawn from the run's one generator in a fixed order.

    Args:
        recipe: what the run is made of.
        seed: seed of the run.
        counts: training images per class.
        machine: device and arithmetic.
    """
    generators = {"order": torch.Generator().manual_seed(seed)}
    network = build_network(**recipe.network, generator=generators["order"])
    loss = _new_loss(recipe.loss, counts, network, generators["order"])
    network.to(machine.device).to(memory_format=machine.memory_format)  # type: ignore[call-overload]
    loss.to(machine.device)
    if machine.device.type != "cpu":  # dropout masks are drawn where they are used
        generators["device"] = torch.Generator(machine.device).manual_seed(seed)
    set_dropout_generator(network, generators.get("device", generators["order"]))
    if recipe.compile:
        compile_network(network)
    return Run(
        network=network,
        best=BestEpoch(network) if recipe.selects_epoch else None,
        loss=loss,
        optimizer=_optimizer_of_run(recipe, network, loss),
        generators=generators,
        tally=Tally(loss.parts, network.n_outputs, machine.device),
        order=torch.empty(sum(counts), dtype=torch.int64, device=machine.device),
        beside=beside_logits(network, loss.looks_at),
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


def _new_loss(settings: Plain, counts: Sequence[int], network: Network, generator: torch.Generator) -> Loss:
    kind, plain = settings["kind"], {key: value for key, value in settings.items() if key not in NOT_THE_LOSS}
    if kind == "cross_entropy":
        return CrossEntropy(counts, **plain)
    if kind == "binary_cross_entropy":
        return BinaryCrossEntropy()
    if kind == "symmetric_cross_entropy":
        return SymmetricCrossEntropy(**plain)
    if kind == "margin_cross_entropy":
        return MarginCrossEntropy(counts, **plain)
    if kind == "max_margin_affinity":
        return MaxMarginAffinity(**plain)
    if kind == "center":
        return CenterCrossEntropy(len(counts), last_layer_of(network).in_features, generator=generator, **plain)
    if kind != "saal":
        raise BadRequest("no such kind of loss", value=kind, where="losses")
    n_outputs = network.n_outputs
    n_beta = {"each_output": n_outputs, "each_stage": max(1, n_outputs - 1), "one": 1}[plain.pop("betas")]
    normalised = plain.pop("normalise_weights") == "sum_to_classes"
    return Saal(counts, n_outputs=n_outputs, n_beta=n_beta, normalise_weights=normalised, generator=generator, **plain)


def _optimizer_of_run(recipe: Recipe, network: nn.Module, loss: Loss) -> torch.optim.Optimizer:
    decay = recipe.regimen["weight_decay"]
    groups: list[dict[str, Any]] = [{"params": list(network.parameters()), "weight_decay": decay}]
    if recipe.loss["kind"] == "saal":
        own = {"weight_decay": decay if recipe.loss["decay_alpha_beta"] else 0.0}
        groups.append({"params": list(loss.parameters()), **own, RATE_FACTOR: recipe.loss["lr_alpha_beta"]})
    return optimizer_from(recipe.regimen, groups)


def optimizer_from(regimen: Plain, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    """The optimizer of a regimen's block over groups of parameters, each with its own weight decay.

    A group may hold RATE_FACTOR, which the loop multiplies the rate of the epoch with.
    """
    chosen = regimen["optimizer"]
    if chosen["kind"] == "sgd":
        momentum, nesterov = chosen["momentum"], chosen["nesterov"]
        return torch.optim.SGD(groups, lr=regimen["lr"], momentum=momentum, nesterov=nesterov, fused=True)
    return torch.optim.Adam(groups, lr=regimen["lr"], fused=True)
