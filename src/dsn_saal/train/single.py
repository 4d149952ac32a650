"""One run of an experiment, from wherever it stands to its three files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from dsn_saal.data import ResidentImages, carve_meta_set, class_counts, dealt_anew
from dsn_saal.params.jobs import TrainJob
from dsn_saal.params.methods import MetaWeight, Supervised
from dsn_saal.train.assemble import derived_generator, initialisation_of, new_run, schedule_of
from dsn_saal.train.checkpoint import read_identity, restore, write_checkpoint
from dsn_saal.train.identity import differing_keys, digest
from dsn_saal.train.loop import Run, Step, supervised_step, train
from dsn_saal.train.machine import DETERMINISM, Machine
from dsn_saal.train.meta_loop import MetaStep, meta_run
from dsn_saal.train.progress import TrainingProgress
from dsn_saal.train.results import write_run

CHECKPOINT = "checkpoint.safetensors"
"""Name of the checkpoint in a run's folder of the state."""


@dataclass(frozen=True)
class Material:
    """What all runs of a job that use one draw of the split share.

    Attributes:
        job: settings of the experiment.
        machine: device and arithmetic.
        images: training images on the device.
        labels: their labels (n,), int64, on the CPU.
        counts: training images per class.
        cases: cases per class that they are of, where cases are known.
        case_ids: case of each image, "" where it is unknown.
        checkpoint_seconds: seconds between two checkpoints.
    """

    job: TrainJob
    machine: Machine
    images: ResidentImages
    labels: Tensor
    counts: dict[str, int]
    cases: dict[str, int]
    case_ids: tuple[str, ...]
    checkpoint_seconds: float


@dataclass(frozen=True)
class Course:
    """What one run learns from, and how.

    Attributes:
        images: on the device.
        labels: (n,) int64, on the CPU.
        counts: images per class.
        cases: cases per class, where cases are known.
        step: what is done with a batch.
        record: what the run's record says of it besides.
    """

    images: ResidentImages
    labels: Tensor
    counts: dict[str, int]
    cases: dict[str, int]
    step: Step = supervised_step
    record: dict[str, Any] = field(default_factory=dict)


def supervised(material: Material, labels: Tensor) -> Course:
    """The whole training part with these labels."""
    return Course(material.images, labels, material.counts, material.cases)


def meta_weighted(material: Material, seed: int) -> Course:
    """The training part without the cases of a meta set that this run draws.

    Raises:
        CheckFailed: where a class has too few cases for that.
    """
    job, device = material.job, material.machine.device
    method = cast("MetaWeight", job.method)
    carved = carve_meta_set(
        material.labels.tolist(),
        material.case_ids,
        job.classes,
        per_class=method.per_class,
        cases_per_class=method.cases_per_class,
        generator=derived_generator(seed, "meta set"),
    )
    held, labels = material.labels[carved.meta], material.labels[carved.train]
    step = MetaStep(
        images=material.images.part(carved.meta),
        labels=held.to(device),
        batch_size=method.meta_batch or job.regimen.batch_size,
        normalise=method.normalise,
    )
    cases = {part: _cases(material, positions) for part, positions in (("train", carved.train), ("meta", carved.meta))}
    set_aside = len(material.labels) - len(carved.train)
    record = {"unit": carved.unit, "counts": class_counts(held, job.classes), "cases": cases["meta"]}
    return Course(
        images=material.images.part(carved.train),
        labels=labels,
        counts=class_counts(labels, job.classes),
        cases=cases["train"],
        step=step,
        record={"meta_set": record | {"slices_set_aside": set_aside}},
    )


def _cases(material: Material, positions: Tensor) -> dict[str, int]:
    """Known cases per class of the images at these positions."""
    known = {(int(material.labels[at]), material.case_ids[at]) for at in positions.tolist() if material.case_ids[at]}
    return {name: sum(label == number for label, _ in known) for number, name in enumerate(material.job.classes)}


def train_run(
    material: Material, number: int, identity: dict[str, Any], folder: Path, progress: TrainingProgress
) -> None:
    """Train one run, or go on with it, and write it to `folder`.

    Args:
        material: what all runs share.
        number: number of the run, from 0.
        identity: every input of the run.
        folder: folder of the run in the state.
        progress: where to say how far it is.

    Raises:
        CheckFailed: where training diverges or the disk is full.
    """
    job, machine, seed = material.job, material.machine, identity["seed"]
    _discard_foreign(folder, identity, progress)
    labels = material.labels
    if job.labels == "permuted":
        labels = dealt_anew(labels, derived_generator(seed, "labels"))
    course = supervised(material, labels) if isinstance(job.method, Supervised) else meta_weighted(material, seed)
    run = new_run(job, seed=seed, counts=list(course.counts.values()), machine=machine)
    if isinstance(job.method, MetaWeight):
        run = meta_run(run, job.method, n_classes=len(job.classes), machine=machine)
    start = run.loss.state(job.classes)
    if (folder / CHECKPOINT).exists():
        restore(folder / CHECKPOINT, run)
    progress.begin(number, run, schedule_of(job).steps(len(course.labels)))
    train(
        run,
        course.images,
        course.labels.to(machine.device),
        classes=job.classes,
        schedule=schedule_of(job),
        machine=machine,
        after_step=_after_step(folder / CHECKPOINT, identity, material.checkpoint_seconds, progress),
        step=course.step,
    )
    progress.end(run)
    record = {
        **identity,
        "identity": digest(identity),
        "initialisation": initialisation_of(job),
        "counts": course.counts,
        "cases": course.cases,
        **course.record,
        "start": start,
        "threads": job.train.threads,
        "determinism": DETERMINISM,
    }
    write_run(folder, run.network, run.history, record)
    (folder / CHECKPOINT).unlink(missing_ok=True)


def _discard_foreign(folder: Path, identity: dict[str, Any], progress: TrainingProgress) -> None:
    """Remove what another run left in the folder: other settings, other data, other code."""
    if not folder.exists():
        return
    found = read_identity(folder / CHECKPOINT)
    if found == identity:
        return
    if found is not None:
        changed = ", ".join(differing_keys(found, identity))
        progress.say(f"what {folder.name} had begun belongs to other inputs and is discarded; changed: {changed}")
    shutil.rmtree(folder)


def _after_step(
    path: Path, identity: dict[str, Any], checkpoint_seconds: float, progress: TrainingProgress
) -> Callable[[Run], None]:
    written = time.monotonic()

    def after_step(run: Run) -> None:
        nonlocal written
        progress.step(run)
        if time.monotonic() - written >= checkpoint_seconds:
            write_checkpoint(path, run, identity)
            written = time.monotonic()

    return after_step
