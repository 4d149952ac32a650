"""One run of an experiment, from wherever it stands to its three files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from dsn_saal.data import ResidentImages, dealt_anew
from dsn_saal.params.jobs import TrainJob
from dsn_saal.train.assemble import derived_generator, new_run, schedule_of
from dsn_saal.train.checkpoint import read_identity, restore, write_checkpoint
from dsn_saal.train.identity import differing_keys, digest
from dsn_saal.train.loop import Run, train
from dsn_saal.train.machine import DETERMINISM, Machine
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
        checkpoint_seconds: seconds between two checkpoints.
    """

    job: TrainJob
    machine: Machine
    images: ResidentImages
    labels: Tensor
    counts: dict[str, int]
    cases: dict[str, int]
    checkpoint_seconds: float


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
    run = new_run(job, seed=seed, counts=list(material.counts.values()), machine=machine)
    start = run.loss.state(job.classes)
    if (folder / CHECKPOINT).exists():
        restore(folder / CHECKPOINT, run)
    labels = material.labels
    if job.labels == "permuted":
        labels = dealt_anew(labels, derived_generator(seed, "labels"))
    progress.begin(number, run, schedule_of(job).steps(len(labels)))
    train(
        run,
        material.images,
        labels.to(machine.device),
        classes=job.classes,
        schedule=schedule_of(job),
        machine=machine,
        after_step=_after_step(folder / CHECKPOINT, identity, material.checkpoint_seconds, progress),
    )
    progress.end(run)
    record = {
        **identity,
        "identity": digest(identity),
        "counts": material.counts,
        "cases": material.cases,
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
