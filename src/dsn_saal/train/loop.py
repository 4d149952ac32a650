"""The training loop. Everything that changes while a run trains is in `Run`; a checkpoint of it is the whole run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from dsn_saal.data import ResidentImages
from dsn_saal.losses import Loss, total
from dsn_saal.models import Network
from dsn_saal.train.machine import Machine
from dsn_saal.train.tally import Tally


@dataclass(frozen=True)
class Schedule:
    """The training protocol, paper section 5.1."""

    epochs: int
    lr: float
    milestones: Sequence[int]
    gamma: float
    batch_size: int
    drop_last: bool
    side_weight: float

    def rate(self, epoch: int) -> float:
        """Learning rate of an epoch (from 0): multiplied by gamma after each milestone."""
        return self.lr * self.gamma ** sum(epoch >= milestone for milestone in self.milestones)

    def batches(self, order: Tensor) -> Sequence[Tensor]:
        """An epoch's order of images cut into steps."""
        if self.drop_last and len(order) >= self.batch_size:
            order = order[: len(order) - len(order) % self.batch_size]
        return order.split(self.batch_size)

    def steps(self, n_images: int) -> int:
        """Steps of an epoch."""
        return len(self.batches(torch.empty(n_images)))


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
        history: one row per complete epoch.
    """

    network: Network
    loss: Loss
    optimizer: torch.optim.SGD
    generators: dict[str, torch.Generator]
    tally: Tally
    order: Tensor
    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def train(
    run: Run,
    images: ResidentImages,
    labels: Tensor,
    *,
    classes: Sequence[str],
    schedule: Schedule,
    machine: Machine,
    after_step: Callable[[Run], None],
) -> None:
    """Train a run from where it stands to its last epoch.

    Args:
        run: the run; it is changed in place.
        images: training images on the device.
        labels: their labels (n,), int64, on the device.
        classes: class names in label order.
        schedule: the protocol.
        machine: device and arithmetic.
        after_step: called after every step, with the run as it then stands.

    Raises:
        CheckFailed: where a loss is no longer finite; looked at once an epoch, so that no step waits for it.
    """
    run.network.train()
    while run.epoch < schedule.epochs:
        rate = schedule.rate(run.epoch)
        for group in run.optimizer.param_groups:
            group["lr"] = rate
        if run.step == 0:
            run.order.copy_(torch.randperm(len(images), generator=run.generators["order"]))
            run.tally.reset()
        for index in schedule.batches(run.order)[run.step :]:
            batch, targets = images.batch(index), labels.index_select(0, index)
            with machine.autocast():
                outputs = run.network(batch.contiguous(memory_format=machine.memory_format))
            logits = torch.stack(outputs)
            terms = run.loss(logits, targets)
            run.optimizer.zero_grad(set_to_none=True)
            total(terms, schedule.side_weight).backward()
            run.optimizer.step()
            run.tally.add(terms, logits[-1], targets, run.step)
            run.step += 1
            after_step(run)
        run.tally.require_finite(run.epoch + 1)
        learned = run.loss.state(classes)
        row = {"epoch": run.epoch + 1, "lr": rate} | run.tally.means(schedule.side_weight) | learned
        run.history.append(row)
        run.epoch, run.step = run.epoch + 1, 0
