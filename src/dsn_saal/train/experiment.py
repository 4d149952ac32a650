"""All runs of one experiment: what is finished is kept, what was interrupted goes on, the rest is trained."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dsn_saal.data import ResidentImages, class_counts, read_images
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.pixels import PIXEL_FILES
from dsn_saal.domain.run import RunKey
from dsn_saal.params.jobs import TrainJob
from dsn_saal.split.table import draw_of, read_split
from dsn_saal.storage.listing import sha256_of
from dsn_saal.train.assemble import RANDOM_START, initialisation_of
from dsn_saal.train.held import held_run, lacking_weights
from dsn_saal.train.identity import run_identity
from dsn_saal.train.inputs import require_certificate, test_rows, training_slices
from dsn_saal.train.keep import predictor, runs_to_keep
from dsn_saal.train.machine import Machine, memory_errors, prepare
from dsn_saal.train.material import Material
from dsn_saal.train.progress import TrainingProgress
from dsn_saal.train.publish import publish
from dsn_saal.train.results import FinishedRun, drop_weights, read_run
from dsn_saal.train.single import train_run
from dsn_saal.train.unlabelled import Unlabelled


@dataclass(frozen=True)
class Planned:
    """A run that the job owes: its number, draw of the split, identity, and where it may lie finished."""

    number: int
    draw: int
    identity: dict[str, Any]
    places: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """Its folder in the state."""
        return self.places[-1]

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.folder.name


def train_experiment(
    job: TrainJob,
    *,
    images: Path,
    split: Path,
    certificate: Path,
    out: Path,
    state: Path,
    code: str,
    device: str,
    checkpoint_seconds: float,
    unlabelled: Unlabelled | None = None,
) -> None:
    """Train every run of the experiment that neither `out` nor `state` holds already, then publish all of them.

    Args:
        job: settings of the experiment.
        images: folder with the array that job.pixels names.
        split: the split's table.
        certificate: the split's certificate.
        out: folder of the results; it belongs to this job, and is touched only once every run is finished.
        state: folder for checkpoints and finished runs until then; it is removed at the end.
        code: digest of the code that the job runs, a part of every run's identity.
        device: "auto", "cpu", "cuda" or "cuda:N".
        checkpoint_seconds: seconds between two checkpoints; the result does not depend on it.
        unlabelled: the data sets that the method learns from without labels; None for none.

    Raises:
        BadRequest: where an input is missing or cannot be read, or the device is not there.
        CheckFailed: where the split leaks, a class is empty or too small for a validation part, or memory or disk run
            out. A run that diverges is written down as failed, and the others go on.
    """
    unlabelled = unlabelled or Unlabelled({}, {})
    unlabelled.require_named(job)
    unused = set(require_certificate(certificate, job.accept))
    machine = prepare(device, precision=job.train.precision, threads=job.train.threads)
    pixels = images / PIXEL_FILES[job.pixels]
    with memory_errors(max(regimen.batch_size for regimen in [job.regimen, *(phase.regimen for phase in job.phases)])):
        table = read_split(split)
        draws = [draw_of(table, number) for number in range(job.train.runs)]
        material_of = _of_latest_draw(job, machine, pixels, split, unlabelled, checkpoint_seconds)
        material_of(draws[0])  # what is missing or damaged is said before anything is hashed
        if job.predict_batch is not None:
            test_rows(split, draws[0])
        hashes: dict[str, Any] = {
            "images_sha256": sha256_of(pixels),
            "split_sha256": sha256_of(split),
            "unlabelled_sha256": unlabelled.hashes(),
        }
        unused = unused.intersection(*unlabelled.require_certified(job, hashes))
        planned = []
        for number, draw in enumerate(draws):
            name, seed = RunKey(job.name, number).run_name, job.train.first_seed + number
            identity = run_identity(job, seed=seed, draw=draw, code=code, machine=machine, **hashes)
            planned.append(Planned(number, draw, identity, (out / name, state / name)))
        with TrainingProgress(job.name, job.train.runs, job.regimen.epochs, job.regimen.batch_size) as progress:
            for entry in (entry for entry in job.accept if entry not in unused):
                progress.say(f"parts of the split share what must be apart; datasets.<name>.accept allows it: {entry}")
            for entry in sorted(unused):
                progress.say(f"datasets.<name>.accept names nothing of this split's certificate: {entry}")
            if job.network.weights == "imagenet" and initialisation_of(job) == RANDOM_START:
                progress.say(f"no ImageNet weights were published for {job.model.backbone}: it starts at random")
            finished = _finish(planned, job, material_of, progress)
    if job.predict_batch is not None:
        with memory_errors(job.predict_batch, step="a step of prediction", key="evaluate.batch_size"):
            predict = predictor(job, machine, images=pixels, split=split, batch_size=job.predict_batch)
            kept = runs_to_keep(job.train.keep_weights, finished)
            for run in planned:
                held = finished[run.name]
                if held.has_weights and run.name not in kept:
                    drop_weights(held, run.folder, *predict(held, run.draw))
                    finished[run.name] = _whole(run.folder)
    publish(finished, out)
    shutil.rmtree(state, ignore_errors=True)


def _finish(
    planned: Sequence[Planned], job: TrainJob, material_of: Callable[[int], Material], progress: TrainingProgress
) -> dict[str, FinishedRun]:
    """Every run finished, and with its weights where they are to be kept."""
    finished = {run.name: held for run in planned if (held := _held(run, progress)) is not None}
    progress.expect([run.number for run in planned if run.name not in finished])
    for run in planned:
        if run.name not in finished:
            train_run(material_of(run.draw), run.number, run.identity, run.folder, progress)
            finished[run.name] = _whole(run.folder)
    lacking = lacking_weights(job.train.keep_weights, finished, len(planned))
    progress.expect([run.number for run in planned if run.name in lacking])
    for run in planned:
        if run.name in lacking:
            progress.say(f"{run.name} is to keep its weights, which were not kept before: it is trained again")
            train_run(material_of(run.draw), run.number, run.identity, run.folder, progress)
            finished[run.name] = _whole(run.folder)
    return {run.name: finished[run.name] for run in planned}


def _held(run: Planned, progress: TrainingProgress) -> FinishedRun | None:
    """The finished run of this identity; says that it is there, or what changed where another is."""
    held, others = held_run(run.identity, run.places)
    for changed in others:
        progress.say(f"{run.name} is there from other inputs and is trained again; changed: {changed}")
    if held is not None:
        progress.say(f"{run.name} is there already{', diverged' if held.failed else ''}")
    return held


def _whole(folder: Path) -> FinishedRun:
    """The run that was just written there."""
    run = read_run(folder)
    if run is None:
        raise CheckFailed(
            "a run that was just written cannot be read back", where=folder, next_step="look at the disk; run again"
        )
    return run


def _of_latest_draw(
    job: TrainJob, machine: Machine, images: Path, split: Path, unlabelled: Unlabelled, checkpoint_seconds: float
) -> Callable[[int], Material]:
    """What the runs of a draw share; that of one draw is kept at a time, because images fill the device."""

    def resident(pixels: NDArray[np.uint8]) -> ResidentImages:
        return ResidentImages(pixels, device=machine.device, normalise=job.network.normalise)

    found = unlabelled.read(job.image_size)
    others = None if found is None else resident(found)

    @lru_cache(maxsize=1)
    def material(draw: int) -> Material:
        part = training_slices(split, draw)
        labels = torch.tensor(part.labels)
        class_counts(labels, job.classes)  # refuses a class without images
        training = resident(read_images(images, part.rows))
        return Material(job, machine, training, labels, part.cases, checkpoint_seconds, others)

    return material
