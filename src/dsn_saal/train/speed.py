"""How fast a device trains: a step of the regimen's own batch is timed, or of as much of it as a little time allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import numpy as np
import torch

from dsn_saal.data import ResidentImages
from dsn_saal.params.jobs import TrainJob
from dsn_saal.params.methods import MetaWeight
from dsn_saal.train.assemble import new_run, schedule_of
from dsn_saal.train.loop import Run, Step, supervised_step
from dsn_saal.train.machine import Machine, prepare
from dsn_saal.train.meta_loop import MetaStep, meta_run

FEW_IMAGES = 4
"""Images of the first step, which tells how many the timed ones may have."""

STEP_SECONDS = 1.0
"""What a timed step may take, by the time of the first: small networks get their regimen's whole batch."""

TIMED_STEPS = 3
"""Steps that are timed; the middle one counts."""


def images_per_second(job: TrainJob, device: str) -> float:
    """Training images per second, of initial weights and black images; experiments that train alike are timed once."""
    unlike = {
        "network": job.network.model_copy(update={"weights": "none"}),
        # compiling would cost more than it tells
        "train": job.train.model_copy(update={"compile": False, "runs": 1, "first_seed": 0, "keep_weights": "all"}),
        "model": job.model.model_copy(update={"checkpoint": None}),
        "regimen": job.regimen.model_copy(update={"vote_epochs": 1}),
        **{"name": "timed", "labels": "as_given", "pixels": "lungs", "accept": (), "phases": (), "predict_batch": None},
        "classes": tuple(f"class_{number}" for number in range(len(job.classes))),
    }
    return _measured(job.model_copy(update=unlike).to_json(), device)


@cache
def _measured(settings: str, device: str) -> float:
    job = TrainJob.model_validate_json(settings)
    machine = prepare(device, precision=job.train.precision, threads=job.train.threads)
    batch = job.regimen.batch_size
    images = min(FEW_IMAGES, batch)
    run = _new_run(job, machine)
    stepper = _stepper(run, job, images, machine)
    stepper()  # the first one warms up
    seconds = _seconds(stepper, machine)
    images = min(batch, max(images, int(images * STEP_SECONDS / seconds)))
    while True:
        try:
            return images / _middle(_stepper(run, job, images, machine), machine)
        except torch.OutOfMemoryError:  # training would say so too, and what to change
            if images <= FEW_IMAGES:
                raise
            images //= 2


def _middle(stepper: Callable[[], None], machine: Machine) -> float:
    """Seconds of the middle one of a few steps, or of the second where they take too long for more."""
    begun = time.perf_counter()
    timed = [_seconds(stepper, machine)]  # warms up, and is left out
    while len(timed) == 1 or (len(timed) <= TIMED_STEPS and time.perf_counter() - begun < STEP_SECONDS):
        timed.append(_seconds(stepper, machine))
    return sorted(timed[1:])[(len(timed) - 1) // 2]


def _seconds(stepper: Callable[[], None], machine: Machine) -> float:
    begun = time.perf_counter()
    stepper()
    if machine.device.type == "cuda":
        torch.cuda.synchronize(machine.device)
    return time.perf_counter() - begun


def _new_run(job: TrainJob, machine: Machine) -> Run:
    run = new_run(job, seed=0, counts=[1] * len(job.classes), machine=machine)
    if isinstance(job.method, MetaWeight):
        run = meta_run(run, job.method, n_classes=len(job.classes), machine=machine)
    run.network.train()
    return run


def _stepper(run: Run, job: TrainJob, images: int, machine: Machine) -> Callable[[], None]:
    """What the loop does with a batch of so many images: gather and change them, then the method's step."""
    schedule, held = schedule_of(job), _blank(images, job, machine)
    step: Step = supervised_step
    if isinstance(job.method, MetaWeight):
        step = _meta_step(job, job.method, images, machine)
    index = torch.arange(images, device=machine.device)
    targets = index % len(job.classes)
    change = schedule.change(run.generators["order"])

    def stepper() -> None:
        batch = held.batch(index, change).contiguous(memory_format=machine.memory_format)
        step(run, batch, targets, schedule, machine)

    return stepper


def _meta_step(job: TrainJob, method: MetaWeight, images: int, machine: Machine) -> MetaStep:
    """A step with as many meta images for a training image as training has, at least two: one has no statistics."""
    meta = max(2, round(images * meta_share(job, method)))
    return MetaStep(
        images=_blank(meta, job, machine),
        labels=torch.zeros(meta, dtype=torch.int64, device=machine.device),
        batch_size=meta,
        normalise=method.normalise,
    )


def meta_share(job: TrainJob, method: MetaWeight) -> float:
    """Meta images of a step per training image of it."""
    batch = job.regimen.batch_size
    return min(method.meta_batch or batch, method.per_class * len(job.classes)) / batch


def _blank(images: int, job: TrainJob, machine: Machine) -> ResidentImages:
    pixels = np.zeros((images, job.image_size, job.image_size), np.uint8)
    return ResidentImages(pixels, device=machine.device, normalise=job.network.normalise)
