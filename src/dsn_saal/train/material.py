"""What the runs of a job learn from: the training part of a draw, and what one run takes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dsn_saal.data import ResidentImages, carve, class_counts, dealt_anew
from dsn_saal.params.jobs import TrainJob
from dsn_saal.train.assemble import derived_generator
from dsn_saal.train.inputs import cases_per_class
from dsn_saal.train.machine import Machine
from dsn_saal.train.selection import Validation


@dataclass(frozen=True)
class Material:
    """What all runs of a job that use one draw of the split share.

    Attributes:
        job: settings of the experiment.
        machine: device and arithmetic.
        images: training images on the device.
        labels: their labels (n,), int64, on the CPU.
        cases: their cases (n,), "" where unknown.
        checkpoint_seconds: seconds between two checkpoints.
        unlabelled: slices of other data sets that a method learns from without labels, where it does.
    """

    job: TrainJob
    machine: Machine
    images: ResidentImages
    labels: Tensor
    cases: tuple[str, ...]
    checkpoint_seconds: float
    unlabelled: ResidentImages | None = None


@dataclass(frozen=True)
class Lesson:
    """What one run learns from.

    Attributes:
        images: on the device.
        labels: (n,) int64, on the device; dealt out anew in the control.
        counts: images per class.
        cases: cases per class that they are of, where cases are known.
        validation: the held-out part, where an epoch is selected.
        held_out: what the run's record says of that part.
    """

    images: ResidentImages
    labels: Tensor
    counts: dict[str, int]
    cases: dict[str, int]
    validation: Validation | None = None
    held_out: dict[str, Any] | None = None


def lesson_of(material: Material, seed: int) -> Lesson:
    """What the run with this seed learns from; raises CheckFailed where a class cannot spare a validation part."""
    job = material.job
    labels = material.labels
    if job.labels == "permuted":
        labels = dealt_anew(labels, derived_generator(seed, "labels"))
    if job.train.validation_share is None:
        cases = cases_per_class(material.labels.tolist(), material.cases, job.classes)
        counts = class_counts(labels, job.classes)
        return Lesson(material.images, labels.to(material.machine.device), counts, cases)
    return _without_validation(material, labels, seed, job.train.validation_share)


def _without_validation(material: Material, labels: Tensor, seed: int, share: float) -> Lesson:
    job, device = material.job, material.machine.device
    given = material.labels.tolist()
    carved = carve(given, material.cases, job.classes, share=share, generator=derived_generator(seed, "validation"))

    def cases_of(positions: Tensor) -> dict[str, int]:
        places = positions.tolist()
        return cases_per_class([given[at] for at in places], [material.cases[at] for at in places], job.classes)

    held = labels[carved.validation]
    return Lesson(
        images=material.images.part(carved.train),
        labels=labels[carved.train].to(device),
        counts=class_counts(labels[carved.train], job.classes),
        cases=cases_of(carved.train),
        validation=Validation(material.images.part(carved.validation), held.to(device), job.regimen.batch_size),
        held_out={
            "unit": carved.unit,
            "counts": class_counts(held, job.classes),
            "cases": cases_of(carved.validation),
        },
    )
