"""A step of Meta-Weight-Net: the weight net moves by the meta-gradient, then the classifier with the new weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from dsn_saal.data import ResidentImages
from dsn_saal.params.methods import MetaWeight
from dsn_saal.train.assemble import new_optimizer
from dsn_saal.train.loop import Run, Schedule
from dsn_saal.train.machine import Machine
from dsn_saal.train.meta_weight import Tensors, WeightNet, meta_gradient, weighted_mean
from dsn_saal.train.tally import NEVER, Diverged

BEFORE_THE_LOSS = ("meta loss", "meta gradient")
"""What a step computes before its training loss, in that order, and what broke it is called."""


@dataclass(kw_only=True)
class MetaRun(Run):
    """A run that also learns what each training image weighs.

    Attributes:
        weight_net: loss of an image to its weight.
        weight_optimizer: of the weight net.
        sums: over the running epoch: "meta_loss" (), "weights" (C,) and "images" (C,), float64.
        meta_broken_at: first step of the running epoch in which each of BEFORE_THE_LOSS was not finite, (2,) int64.
    """

    weight_net: WeightNet
    weight_optimizer: torch.optim.Optimizer
    sums: dict[str, Tensor]
    meta_broken_at: Tensor

    @property
    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Both optimizers by name, for the checkpoint."""
        return super().optimizers | {"weight_optimizer": self.weight_optimizer}

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that changes, by name, sharing its memory."""
        tensors = super().tensors() | {f"sums.{name}": tensor for name, tensor in self.sums.items()}
        tensors["meta_broken_at"] = self.meta_broken_at
        return tensors | {f"weight_net.{name}": tensor for name, tensor in self.weight_net.state_dict().items()}

    def begin_epoch(self) -> None:
        """Start the sums of an epoch."""
        super().begin_epoch()
        for tensor in self.sums.values():
            tensor.zero_()
        self.meta_broken_at.fill_(NEVER)

    def require_finite(self) -> None:
        """Raise Diverged with what was the first to be no number: meta loss, meta gradient or a training loss."""
        broken = self.meta_broken_at.tolist()
        first = min(broken)
        if first != NEVER and first <= self.tally.first_broken():
            raise Diverged(self.epoch + 1, first + 1, BEFORE_THE_LOSS[broken.index(first)])
        super().require_finite()

    def learned(self, classes: Sequence[str]) -> dict[str, float]:
        """Means over the epoch: the meta loss, and the weight of each class's images, before `normalise`."""
        weights = (self.sums["weights"] / self.sums["images"]).tolist()
        row = {f"w_{name}": weight for name, weight in zip(classes, weights, strict=True)}
        return super().learned(classes) | {"meta_loss": float(self.sums["meta_loss"]) / self.step} | row


def meta_run(run: Run, method: MetaWeight, *, n_classes: int, machine: Machine) -> MetaRun:
    """A fresh run with a weight net beside it, whose start is the next that the run's generator gives."""
    weight_net = WeightNet(method.weight_net.hidden, run.generators["order"]).to(machine.device)
    decay = method.weight_net.weight_decay
    groups: list[dict[str, Any]] = [{"params": list(weight_net.parameters()), "weight_decay": decay}]
    shapes = {"meta_loss": (), "weights": (n_classes,), "images": (n_classes,)}
    return MetaRun(
        **{field.name: getattr(run, field.name) for field in fields(Run)},
        weight_net=weight_net,
        weight_optimizer=new_optimizer(method.weight_net, groups),
        sums={name: torch.zeros(shape, dtype=torch.float64, device=machine.device) for name, shape in shapes.items()},
        meta_broken_at=torch.full((len(BEFORE_THE_LOSS),), NEVER, dtype=torch.int64, device=machine.device),
    )


@dataclass(frozen=True)
class MetaStep:
    """The step, with its meta set.

    As in the official code for imbalance: where the meta set is larger than `batch_size`, each step draws its meta
    images anew; the virtual step has the classifier's rate and neither momentum nor weight decay; batch normalisation
    works with the batch's own statistics throughout, and its running means see the training batch once, in the real
    step. As in the article and the official code for noise, but not in that for imbalance, an image's weight is a
    constant in the virtual step's gradient. Dropout draws a mask in each of the three passes.

    Attributes:
        images: of the meta set, on the device.
        labels: (m,) int64, on the device.
        batch_size: meta images of a step.
        normalise: divide the weights of a batch by their sum.
    """

    images: ResidentImages
    labels: Tensor
    batch_size: int
    normalise: bool

    def __call__(self, run: Run, batch: Tensor, targets: Tensor, schedule: Schedule, machine: Machine) -> None:
        """Move both networks by one batch; nothing waits for the device."""
        if not isinstance(run, MetaRun):
            raise TypeError("Meta-Weight-Net's step needs a run with a weight net")
        rate = schedule.rate_of(run.epoch)
        meta_batch = self._drawn(run.generators["order"], machine)
        with machine.autocast():
            gradient, meta_loss = meta_gradient(
                run.network, run.weight_net, (batch, targets), meta_batch, lr=rate, normalise=self.normalise
            )
        for name, parameter in run.weight_net.named_parameters():
            parameter.grad = gradient[name]
        run.weight_optimizer.step()
        with machine.autocast():
            logits = run.network(batch)[-1]
        losses = functional.cross_entropy(logits.float(), targets, reduction="none")
        with torch.no_grad():
            weights = run.weight_net(losses)
        loss = weighted_mean(losses, weights, normalise=self.normalise)
        run.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        run.optimizer.step()
        run.tally.add(loss.detach().double().view(1, 1), logits, targets, run.step)
        self._add(run, meta_loss, weights, targets)
        self._look_at(run, meta_loss, gradient)

    def _drawn(self, generator: torch.Generator, machine: Machine) -> tuple[Tensor, Tensor]:
        """Images and labels of a step's meta batch."""
        count = len(self.images)
        index = torch.randperm(count, generator=generator)[: self.batch_size] if self.batch_size < count else None
        index = (torch.arange(count) if index is None else index).to(machine.device)
        images = self.images.batch(index).contiguous(memory_format=machine.memory_format)
        return images, self.labels.index_select(0, index)

    @torch.no_grad()
    def _add(self, run: MetaRun, meta_loss: Tensor, weights: Tensor, targets: Tensor) -> None:
        chosen = functional.one_hot(targets, len(run.sums["images"])).double()
        run.sums["meta_loss"] += meta_loss
        run.sums["weights"] += weights.double() @ chosen
        run.sums["images"] += chosen.sum(dim=0)

    @torch.no_grad()
    def _look_at(self, run: MetaRun, meta_loss: Tensor, gradient: Tensors) -> None:
        """Note a step whose meta loss or meta gradient is no number, on the device: no step waits for it."""
        finite = torch.stack([slope.isfinite().all() for slope in gradient.values()]).all()
        sound = torch.stack([meta_loss.isfinite(), finite])
        run.meta_broken_at.clamp_(max=torch.where(sound, NEVER, run.step))
