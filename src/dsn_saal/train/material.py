"""What the runs of a job learn from: the training part of a draw, and what one run takes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dsn_saal.data import ResidentImages, carve, carve_meta_set, class_counts, dealt_anew
from dsn_saal.params.jobs import TrainJob
from dsn_saal.params.methods import MetaWeight
from dsn_saal.train.assemble import derived_generator
from dsn_saal.train.inputs import cases_per_class
from dsn_saal.train.loop import Step, supervised_step
from dsn_saal.train.machine import Machine
from dsn_saal.train.meta_loop import MetaStep
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
    """What one run learns from, and how.

    Attributes:
        images: on the device.
        labels: (n,) int64, on the device; dealt out anew in the control.
        counts: images per class.
        cases: cases per class that they are of, where cases are known.
        step: what is done with a batch.
        validation: the held-out part, where an epoch is selected.
        record: what the run's record says of the parts that were taken out.
    """

    images: ResidentImages
    labels: Tensor
    counts: dict[str, int]
    cases: dict[str, int]
    step: Step = supervised_step
    validation: Validation | None = None
    record: dict[str, Any] = field(default_factory=dict)


def lesson_of(material: Material, seed: int) -> Lesson:
    """What the run with this seed learns from: the training part without what it holds out or learns weights from.

    Raises:
        CheckFailed: where a class has too few cases for that.
    """
    labels = material.labels
    if material.job.labels == "permuted":
        labels = dealt_anew(labels, derived_generator(seed, "labels"))
    kept, validation, record = torch.arange(len(labels)), None, dict[str, Any]()
    step: Step = supervised_step
    if material.job.train.validation_share is not None:
        kept, validation, record["validation"] = _held_out(material, labels, seed, material.job.train.validation_share)
    if isinstance(material.job.method, MetaWeight):
        kept, step, record["meta_set"] = _meta_set(material, material.job.method, labels, seed, kept)
    return Lesson(
        images=material.images if len(kept) == len(labels) else material.images.part(kept),
        labels=labels[kept].to(material.machine.device),
        step=step,
        validation=validation,
        record=record,
        **_counted(material, labels, kept),
    )


def _held_out(material: Material, labels: Tensor, seed: int, share: float) -> tuple[Tensor, Validation, dict[str, Any]]:
    """Positions that train, the validation part, and what the record says of it."""
    job, given = material.job, material.labels.tolist()
    carved = carve(given, material.cases, job.classes, share=share, generator=derived_generator(seed, "validation"))
    held = labels[carved.validation].to(material.machine.device)
    part = Validation(material.images.part(carved.validation), held, job.regimen.batch_size)
    return carved.train, part, {"unit": carved.unit, **_counted(material, labels, carved.validation)}


def _meta_set(
    material: Material, method: MetaWeight, labels: Tensor, seed: int, kept: Tensor
) -> tuple[Tensor, Step, dict[str, Any]]:
    """Positions that train, the step that learns weights from the meta set, and what the record says of it."""
    carved = carve_meta_set(
        labels[kept].tolist(),
        [material.cases[at] for at in kept.tolist()],
        material.job.classes,
        per_class=method.per_class,
        cases_per_class=method.cases_per_class,
        generator=derived_generator(seed, "meta set"),
    )
    meta = kept[carved.meta]
    step = MetaStep(
        images=material.images.part(meta),
        labels=labels[meta].to(material.machine.device),
        batch_size=method.meta_batch or material.job.regimen.batch_size,
        normalise=method.normalise,
    )
    record = {"unit": carved.unit, **_counted(material, labels, meta)}
    return kept[carved.train], step, record | {"slices_set_aside": len(kept) - len(carved.train)}


def _counted(material: Material, labels: Tensor, positions: Tensor) -> dict[str, Any]:
    """Images per class at these positions, and cases that they are of, by the labels as they were given."""
    places, classes = positions.tolist(), material.job.classes
    given = material.labels[positions].tolist()
    cases = cases_per_class(given, [material.cases[at] for at in places], classes)
    return {"counts": class_counts(labels[positions], classes), "cases": cases}
