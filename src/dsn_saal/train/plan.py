"""What training will cost before it starts: runs to do, operations, hours on this device, disk.

Meta-Weight-Net's step passes each training image through the network in the virtual step (forward and backward), in the
pass of second order (what torch does there: four convolutions a layer, two where the input needs no slope), and in the
real step; and each meta image once forward and backward.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dsn_saal.data import ResidentImages, open_images
from dsn_saal.domain.errors import BadRequest
from dsn_saal.domain.run import RunKey
from dsn_saal.models import build_network
from dsn_saal.models.flops import Flops, count_flops
from dsn_saal.params.jobs import TrainJob, network_arguments
from dsn_saal.params.methods import MetaWeight, SelfTrans
from dsn_saal.train.assemble import new_run, schedule_of
from dsn_saal.train.inputs import training_slices
from dsn_saal.train.loop import Run, Step, supervised_step
from dsn_saal.train.machine import Machine, prepare
from dsn_saal.train.meta_loop import MetaRun, MetaStep, meta_run
from dsn_saal.train.pretrain import encoder_of
from dsn_saal.train.results import read_run

PROBE_IMAGES = 4
"""Images of the step that is timed: few, so that a plan is quick where training is slow."""

PROBE_STEPS = 3
"""Steps that are timed; the fastest counts."""

FLOAT_BYTES = 4


@dataclass(frozen=True)
class Plan:
    """The cost of one experiment.

    Attributes:
        name: of the experiment.
        runs: how many it has.
        kept: how many of them keep their weights.
        done: how many of them lie finished in the results or the state.
        parameters: of the network, side branches included.
        images: training images, None where the split is not made yet; those that leave for a meta set among them.
        flops_per_image: operations of all passes that a training image causes.
        epochs: of each run.
        images_per_second: measured on this device, None where it was not measured.
        pretraining_flops: operations of a run's contrastive phases, None where their images are not known yet.
        votes: epochs of each run whose weights are kept together.
    """

    name: str
    runs: int
    kept: int
    done: int
    parameters: int
    images: int | None
    flops_per_image: int
    epochs: int
    images_per_second: float | None
    pretraining_flops: int | None = 0
    votes: int = 1

    @property
    def flops(self) -> float | None:
        """Operations of the runs still to do."""
        return None if self._left is None else float(self.flops_per_image * self._left)

    @property
    def hours(self) -> float | None:
        """Time of the runs still to do, at the measured speed; that of contrastive phases by their operations."""
        if self._left is None or self.images_per_second is None:
            return None
        return self._left / self.images_per_second / 3600

    @property
    def weight_bytes(self) -> int:
        """Disk that the weights take that are kept."""
        return self.kept * self.votes * self.parameters * FLOAT_BYTES

    @property
    def peak_bytes(self) -> int:
        """Disk that weights take at most: which run is the median is known when the last one is finished."""
        return self.runs * self.votes * self.parameters * FLOAT_BYTES

    @property
    def _left(self) -> float | None:
        """Images still to go through training, an image of a contrastive phase counting by its operations."""
        if self.images is None or self.pretraining_flops is None:
            return None
        return (self.runs - self.done) * (self.epochs * self.images + self.pretraining_flops / self.flops_per_image)


def plan_experiment(
    job: TrainJob,
    *,
    split: Path,
    out: Path,
    state: Path,
    device: str,
    measure: bool,
    unlabelled: Sequence[Path] = (),
) -> Plan:
    """The cost of one experiment.

    Args:
        job: settings of the experiment.
        split: its split's table, which may be missing.
        out: folder of its results.
        state: folder of what is unfinished.
        device: "auto", "cpu", "cuda" or "cuda:N".
        measure: whether to time a step.
        unlabelled: folders with the images.npy of the method's unlabelled data sets, which may be missing.
    """
    with torch.device("meta"):
        network = build_network(**network_arguments(job))
    names = [RunKey(job.name, number).run_name for number in range(job.train.runs)]
    return Plan(
        name=job.name,
        runs=job.train.runs,
        kept={"all": job.train.runs, "median": 1, "none": 0}[job.train.keep_weights],
        done=sum(any(read_run(folder / name) for folder in (out, state)) for name in names),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        images=_images(split),
        flops_per_image=flops_per_image(job, count_flops(network, job.image_size)),
        epochs=job.regimen.epochs,
        images_per_second=_speed(job, device) if measure else None,
        pretraining_flops=_of_phases(job, _images(split), unlabelled),
        votes=job.regimen.vote_epochs,
    )


def flops_per_image(job: TrainJob, flops: Flops) -> int:
    """Operations that a training image causes, its share of the meta images among them."""
    if not isinstance(job.method, MetaWeight):
        return flops.training
    second_order = 2 * (flops.training - flops.forward)
    return 2 * flops.training + second_order + round(flops.training * _meta_share(job, job.method))


def _meta_share(job: TrainJob, method: MetaWeight) -> float:
    """Meta images of a step per training image of it."""
    batch = job.regimen.batch_size
    return min(method.meta_batch or batch, method.per_class * len(job.classes)) / batch


def _of_phases(job: TrainJob, training: int | None, unlabelled: Sequence[Path]) -> int | None:
    """Operations of a run's contrastive phases: both passes of the query encoder, the forward pass of the key's."""
    if not isinstance(job.method, SelfTrans):
        return 0
    try:
        others = sum(len(open_images(folder / "images.npy")) for folder in unlabelled)
    except BadRequest:
        return None
    if training is None:
        return None
    images = {"unlabelled": others, "training_part": training}
    flops = count_flops(encoder_of(job, job.method.contrast, None, "none"), job.image_size)
    return sum(phase.regimen.epochs * images[phase.on] for phase in job.phases) * (flops.training + flops.forward)


def _images(split: Path) -> int | None:
    try:
        return len(training_slices(split, 0).rows)
    except BadRequest:
        return None


def _speed(job: TrainJob, device: str) -> float:
    """Training images per second of a small step: no more than training itself will reach."""
    machine = prepare(device, precision=job.train.precision, threads=job.train.threads)
    images = min(PROBE_IMAGES, job.regimen.batch_size)
    blank = {
        "network": job.network.model_copy(update={"weights": "none"}),
        "train": job.train.model_copy(update={"compile": False}),  # compiling would cost more than it tells
        "model": job.model.model_copy(update={"checkpoint": None}),
    }
    settings = job.model_copy(update=blank)
    run = new_run(settings, seed=0, counts=[1] * len(job.classes), machine=machine)
    pixels = torch.zeros(images, 1, job.image_size, job.image_size, device=machine.device)
    targets = torch.zeros(images, dtype=torch.int64, device=machine.device)
    pixels = pixels.contiguous(memory_format=machine.memory_format)
    step: Step = supervised_step
    schedule = schedule_of(job)
    if isinstance(job.method, MetaWeight):
        run, step = _meta_probe(run, job, job.method, machine)
    run.network.train()
    seconds = []
    for _ in range(PROBE_STEPS + 1):  # the first one warms up
        begun = time.perf_counter()
        step(run, pixels, targets, schedule, machine)
        _wait(machine)
        seconds.append(time.perf_counter() - begun)
    return images / min(seconds[1:])


def _meta_probe(run: Run, job: TrainJob, method: MetaWeight, machine: Machine) -> tuple[MetaRun, Step]:
    """A step with as many meta images for a training image as training has, at least two: one has no statistics."""
    images = max(2, round(min(PROBE_IMAGES, job.regimen.batch_size) * _meta_share(job, method)))
    blank = np.zeros((images, job.image_size, job.image_size), np.uint8)
    step = MetaStep(
        images=ResidentImages(blank, device=machine.device, normalise=job.network.normalise),
        labels=torch.zeros(images, dtype=torch.int64, device=machine.device),
        batch_size=images,
        normalise=method.normalise,
    )
    return meta_run(run, method, n_classes=len(job.classes), machine=machine), step


def _wait(machine: Machine) -> None:
    if machine.device.type == "cuda":
        torch.cuda.synchronize(machine.device)
