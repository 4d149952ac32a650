"""The training loop. Everything that changes while a run trains is in `Run`; a checkpoint of it is the whole run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from dsn_saal.data import Augmentation, ResidentImages
from dsn_saal.losses import Loss, total
from dsn_saal.models import Beside, Network, nothing
from dsn_saal.train.machine import Machine
from dsn_saal.train.selection import BestEpoch, Validation, validation_loss
from dsn_saal.train.tally import Diverged, Tally

RATE_FACTOR = "rate_factor"
"""Key of an optimizer's group: its learning rate over that of the schedule; 1 where a group has none."""


@dataclass(frozen=True)
class Schedule:
    """How the weights of one run are moved: its regimen as plain numbers.

    Attributes:
        epochs: of the run.
        lr: initial learning rate.
        batch_size: images per step.
        rate: how the learning rate changes: "constant", "steps", "linear" or "cosine" (both to zero at the end).
        milestones: epochs after which "steps" multiplies the rate by `gamma`.
        gamma: see milestones.
        drop_last: leave out the last batch of an epoch where it is smaller.
        side_weight: weight of the side outputs' losses.
        freeze_after: epochs after which the network is in evaluation mode; None: never.
        augmentation: random change of the images, None for none.
    """

    epochs: int
    lr: float
    batch_size: int
    rate: Literal["constant", "steps", "linear", "cosine"] = "constant"
    milestones: Sequence[int] = ()
    gamma: float = 1.0
    drop_last: bool = False
    side_weight: float = 1.0
    freeze_after: int | None = None
    augmentation: Augmentation | None = None

    def rate_of(self, epoch: int) -> float:
        """Learning rate of an epoch, from 0."""
        if self.rate == "steps":
            return self.lr * self.gamma ** sum(epoch >= milestone for milestone in self.milestones)
        if self.rate == "linear":
            return self.lr * (1 - epoch / self.epochs)
        if self.rate == "cosine":
            return self.lr * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))
        return self.lr

    def is_frozen(self, epoch: int) -> bool:
        """Whether batch normalisation and dropout are still in an epoch, from 0."""
        return self.freeze_after is not None and epoch >= self.freeze_after

    def batches(self, order: Tensor) -> Sequence[Tensor]:
        """An epoch's order of images cut into steps."""
        if self.drop_last and len(order) >= self.batch_size:
            order = order[: len(order) - len(order) % self.batch_size]
        return order.split(self.batch_size)

    def steps(self, n_images: int) -> int:
        """Steps of an epoch."""
        return len(self.batches(torch.empty(n_images)))

    def change(self, generator: torch.Generator) -> Callable[[Tensor], Tensor] | None:
        """The augmentation, drawing from `generator`, as ResidentImages.batch takes it."""
        augmentation = self.augmentation
        return None if augmentation is None else lambda images: augmentation(images, generator)


@dataclass
class Run:
    """Everything that changes while one run trains.

    Attributes:
        network: on the device, its dropout drawing from one of `generators`.
        loss: the loss module; its parameters are trained too.
        optimizer: over both.
        generators: "order" (CPU: start values, order of the images) and, on an accelerator, "device" (dropout).
        tally: sums of the running epoch.
        order: order of the images in the running epoch.
        epoch: epochs that are complete.
        step: steps of the running epoch that are complete.
        history: one row per complete epoch; of a run that diverged also that of the epoch in which it did.
        best: the best epoch's weights where an epoch is selected.
        beside: gives out what the loss looks at beside the logits.
    """

    network: Network
    loss: Loss
    optimizer: torch.optim.Optimizer
    generators: dict[str, torch.Generator]
    tally: Tally
    order: Tensor
    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: BestEpoch | None = None
    beside: Callable[[], Beside] = nothing

    @property
    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Every optimizer by name, for the checkpoint."""
        return {"optimizer": self.optimizer}

    def begin_epoch(self) -> None:
        """Draw the order of an epoch's images and start its sums."""
        self.order.copy_(torch.randperm(len(self.order), generator=self.generators["order"]))
        self.tally.reset()

    def require_finite(self) -> None:
        """Raise Diverged where a loss of the running epoch was not finite."""
        self.tally.require_finite(self.epoch + 1)

    def learned(self, classes: Sequence[str]) -> dict[str, float]:
        """What the history says of an epoch beside losses and hits."""
        return self.loss.state(classes)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that changes, by name, sharing its memory; optimizers and generators are not among them."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"loss.{name}": tensor for name, tensor in self.loss.state_dict().items()}
        tensors |= {f"tally.{name}": tensor for name, tensor in self.tally.tensors.items()}
        if self.best is not None:
            tensors |= {f"best.{name}": tensor for name, tensor in self.best.tensors().items()}
        return tensors | {"order": self.order}


Step = Callable[[Run, Tensor, Tensor, Schedule, Machine], None]
"""Moves a run by one batch: images (B, 1, S, S) in the machine's layout and targets (B,)."""


def supervised_step(run: Run, batch: Tensor, targets: Tensor, schedule: Schedule, machine: Machine) -> None:
    """Descend the loss of all outputs."""
    with machine.autocast():
        outputs = run.network(batch)
    logits = torch.stack(outputs)
    terms = run.loss(logits, targets, *run.beside())
    run.optimizer.zero_grad(set_to_none=True)
    total(terms, schedule.side_weight).backward()
    run.optimizer.step()
    run.tally.add(terms, logits[-1], targets, run.step)


def train(
    run: Run,
    images: ResidentImages,
    labels: Tensor,
    *,
    classes: Sequence[str],
    schedule: Schedule,
    machine: Machine,
    after_step: Callable[[Run], None],
    step: Step = supervised_step,
    validation: Validation | None = None,
    after_epoch: Callable[[Run], None] = lambda _: None,
) -> None:
    """Train a run from where it stands to its last epoch; where an epoch is selected, the network ends as it was then.

    Args:
        run: the run; it is changed in place.
        images: training images on the device.
        labels: their labels (n,), int64, on the device.
        classes: class names in label order.
        schedule: the protocol.
        machine: device and arithmetic.
        after_step: called after every step, with the run as it then stands.
        step: what is done with a batch.
        validation: what the best epoch is chosen by; the run then has a `best`.
        after_epoch: called when an epoch is complete, before the next one moves anything.

    Raises:
        Diverged: where a loss is no longer finite; looked at once an epoch, so that no step waits for it.
    """
    change = schedule.change(run.generators["order"])
    while run.epoch < schedule.epochs:
        run.network.train(not schedule.is_frozen(run.epoch))
        rate = schedule.rate_of(run.epoch)
        for group in run.optimizer.param_groups:
            group["lr"] = rate * group.get(RATE_FACTOR, 1.0)
        if run.step == 0:
            run.begin_epoch()
        for index in schedule.batches(run.order)[run.step :]:
            batch, targets = images.batch(index, change), labels.index_select(0, index)
            step(run, batch.contiguous(memory_format=machine.memory_format), targets, schedule, machine)
            run.step += 1
            after_step(run)
        row = {"epoch": run.epoch + 1, "lr": rate} | run.tally.means(schedule.side_weight) | run.learned(classes)
        end_epoch(run, row, machine, validation)
        after_epoch(run)
    _require_finite_weights(run, schedule.steps(len(images)))
    if run.best is not None:
        run.best.put_back(run.network)


def end_epoch(run: Run, row: dict[str, float], machine: Machine, validation: Validation | None) -> None:
    """Close the running epoch: its row of the history, and what it is worth where an epoch is selected.

    Raises:
        Diverged: where a loss of the epoch was not finite, or that of the validation part is not.
    """
    run.history.append(row)
    if validation is not None:
        row["validation_loss"] = math.nan
    run.require_finite()
    if validation is not None and run.best is not None:
        row["validation_loss"] = validation_loss(run.network, validation, machine)
        if not math.isfinite(row["validation_loss"]):
            raise Diverged(run.epoch + 1, run.step, "cross-entropy of the validation part")
        run.best.offer(run.network, epoch=run.epoch + 1, loss=row["validation_loss"])
    run.epoch, run.step = run.epoch + 1, 0


def _require_finite_weights(run: Run, last_step: int) -> None:
    """The last step moves weights that no loss looks at any more."""
    for name, value in run.network.state_dict().items():
        if not bool(torch.isfinite(value).all()):
            raise Diverged(run.epoch, last_step, f"weights after the last step, {name}")
