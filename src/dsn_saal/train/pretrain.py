"""Self-Trans before its classifier learns: contrast on unlabelled slices, then on the training part."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from dsn_saal.data import ResidentImages
from dsn_saal.models import Network, build_network, set_dropout_generator
from dsn_saal.models.projection import project
from dsn_saal.params.jobs import TrainJob, network_arguments
from dsn_saal.params.methods import Contrast as Settings
from dsn_saal.train.assemble import derived_generator, new_optimizer, schedule
from dsn_saal.train.contrast import Contrast, Queue, contrast_step
from dsn_saal.train.loop import Schedule
from dsn_saal.train.machine import Machine
from dsn_saal.train.tally import Tally


@dataclass(frozen=True)
class ContrastPhase:
    """A phase with its images.

    Attributes:
        on: "unlabelled" or "training_part".
        images: on the device.
        schedule: how weights are moved; it has an augmentation.
    """

    on: str
    images: ResidentImages
    schedule: Schedule


def phases_of(job: TrainJob, *, training: ResidentImages, unlabelled: ResidentImages | None) -> list[ContrastPhase]:
    """The phases of a job in their order; of the experiment's own data set none sees more than the training part."""
    images = {"unlabelled": unlabelled, "training_part": training}
    found = [(phase.on, images[phase.on], schedule(phase.regimen)) for phase in job.phases]
    return [ContrastPhase(on, held, plan) for on, held, plan in found if held is not None]


def encoder_of(job: TrainJob, settings: Settings, generator: torch.Generator | None, weights: str) -> Network:
    """The backbone of a job as an encoder, on the CPU; side branches have no part in it."""
    arguments = network_arguments(job) | {"side": None, "last_layer": None, "n_classes": settings.dim}
    network = build_network(**arguments, weights=weights, generator=generator)
    project(network, dim=settings.dim, mlp=settings.mlp_head, generator=generator)
    return network


def new_contrast(job: TrainJob, settings: Settings, *, seed: int, n_images: int, machine: Machine) -> Contrast:
    """Encoders, queue and optimizers before the first phase, drawn from a generator of their own.

    Args:
        job: settings of the experiment.
        settings: those of its contrast.
        seed: seed of the run.
        n_images: images of the largest phase.
        machine: device and arithmetic.
    """
    generators = {"order": derived_generator(seed, "contrast")}
    query = encoder_of(job, settings, generators["order"], job.network.weights)
    query.to(machine.device).to(memory_format=machine.memory_format)  # type: ignore[call-overload]
    key = copy.deepcopy(query).requires_grad_(False)
    if machine.device.type != "cpu":  # dropout masks are drawn where they are used
        generators["device"] = torch.Generator(machine.device).manual_seed(generators["order"].initial_seed())
    for encoder in (query, key):
        set_dropout_generator(encoder, generators.get("device", generators["order"]))
    optimizers = {
        f"phase{number}": new_optimizer(
            phase.regimen, [{"params": list(query.parameters()), "weight_decay": phase.regimen.weight_decay}]
        )
        for number, phase in enumerate(job.phases, start=1)
    }
    return Contrast(
        query=query,
        key=key,
        queue=Queue(settings.dim, settings.queue, machine.device),
        optimizers=optimizers,
        generators=generators,
        tally=Tally(("contrast",), 1, machine.device),
        order=torch.zeros(n_images, dtype=torch.int64, device=machine.device),
    )


def pretrain(
    run: Contrast,
    phases: Sequence[ContrastPhase],
    settings: Settings,
    *,
    machine: Machine,
    after_step: Callable[[Contrast], None],
) -> None:
    """Train the encoders from where they stand through the last phase.

    Args:
        run: changed in place.
        phases: in their order.
        settings: of the contrast.
        machine: device and arithmetic.
        after_step: called after every step, with the run as it then stands.

    Raises:
        Diverged: where the loss is no longer finite; looked at once an epoch, so that no step waits for it.
    """
    begun = 0
    for number, phase in enumerate(phases, start=1):
        while run.epoch < begun + phase.schedule.epochs:
            if run.epoch == begun and run.step == 0:
                run.begin_phase()
            of_phase = run.epoch - begun
            optimizer, rate = run.optimizers[f"phase{number}"], phase.schedule.rate_of(of_phase)
            for group in optimizer.param_groups:
                group["lr"] = rate
            for encoder in (run.query, run.key):
                encoder.train(not phase.schedule.is_frozen(of_phase))
            for views in _views(run, phase):
                loss, logits = contrast_step(
                    run,
                    views,
                    optimizer,
                    momentum=settings.key_momentum,
                    temperature=settings.temperature,
                    machine=machine,
                )
                run.tally.add(loss.view(1, 1), logits, torch.zeros_like(logits[:, 0], dtype=torch.int64), run.step)
                run.step += 1
                after_step(run)
            _end_epoch(run, number, rate)
        begun += phase.schedule.epochs


def _views(run: Contrast, phase: ContrastPhase) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Two augmented views of each remaining batch of the running epoch; the epoch's order is drawn where it begins."""
    order, change = run.order[: len(phase.images)], phase.schedule.change(run.generators["order"])
    if run.step == 0:
        order.copy_(torch.randperm(len(order), generator=run.generators["order"]))
        run.tally.reset()
    for index in phase.schedule.batches(order)[run.step :]:
        yield phase.images.batch(index, change), phase.images.batch(index, change)


def _end_epoch(run: Contrast, number: int, rate: float) -> None:
    means = run.tally.means(side_weight=1.0)
    row = {"epoch": run.epoch + 1, "phase": number, "lr": rate}
    run.history.append(row | {"loss": means["loss"], "own_key_first": means["train_accuracy"]})
    run.tally.require_finite(run.epoch + 1)
    run.epoch, run.step = run.epoch + 1, 0
