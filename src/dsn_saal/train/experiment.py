"""All runs of one experiment: what is finished is kept, what was interrupted goes on, the rest is trained."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from dsn_saal.data import ResidentImages, class_counts, read_images
from dsn_saal.domain.run import RunKey
from dsn_saal.params.jobs import TrainJob
from dsn_saal.split.table import draw_of, read_split
from dsn_saal.storage.listing import sha256_of
from dsn_saal.train.assemble import RANDOM_START, initialisation_of
from dsn_saal.train.identity import differing_keys, digest, run_identity
from dsn_saal.train.inputs import case_ids, require_certificate, training_cases, training_rows
from dsn_saal.train.machine import Machine, memory_errors, prepare
from dsn_saal.train.progress import TrainingProgress
from dsn_saal.train.results import publish, read_record
from dsn_saal.train.single import Material, train_run


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
) -> None:
    """Train every run of the experiment that neither `out` nor `state` holds already, then publish all of them.

    Args:
        job: settings of the experiment.
        images: folder with images.npy.
        split: the split's table.
        certificate: the split's certificate.
        out: folder of the results; it belongs to this job, and is touched only once every run is finished.
        state: folder for checkpoints and finished runs until then; it is removed at the end.
        code: digest of the code that the job runs, a part of every run's identity.
        device: "auto", "cpu", "cuda" or "cuda:N".
        checkpoint_seconds: seconds between two checkpoints; the result does not depend on it.

    Raises:
        BadRequest: where an input is missing or cannot be read, or the device is not there.
        CheckFailed: where the split leaks, a class is empty, training diverges, or memory or disk run out.
    """
    unused = require_certificate(certificate, job.accept)
    machine = prepare(device, precision=job.train.precision, threads=job.train.threads)
    finished = {}
    with memory_errors(job.regimen.batch_size):
        table = read_split(split)
        draws = [draw_of(table, number) for number in range(job.train.runs)]
        material_of = _of_latest_draw(job, machine, images / "images.npy", split, checkpoint_seconds)
        material_of(draws[0])  # what is missing or damaged is said before anything is hashed
        hashes = {"images_sha256": sha256_of(images / "images.npy"), "split_sha256": sha256_of(split)}
        with TrainingProgress(job.name, job.train.runs, job.regimen.epochs, job.regimen.batch_size) as progress:
            for entry in unused:
                progress.say(f"datasets.<name>.accept names nothing of this split's certificate: {entry}")
            if job.network.weights == "imagenet" and initialisation_of(job) == RANDOM_START:
                progress.say(f"no ImageNet weights were published for {job.model.backbone}: it starts at random")
            for number, draw in enumerate(draws):
                name, seed = RunKey(job.name, number).run_name, job.train.first_seed + number
                identity = run_identity(job, seed=seed, draw=draw, code=code, machine=machine, **hashes)
                kept = [folder for folder in (out / name, state / name) if _holds(folder, identity, progress)]
                if kept:
                    progress.say(f"{name} is there already")
                else:
                    train_run(material_of(draw), number, identity, state / name, progress)
                finished[name] = kept[0] if kept else state / name
    publish(finished, out)
    shutil.rmtree(state, ignore_errors=True)


def _holds(folder: Path, identity: dict[str, Any], progress: TrainingProgress) -> bool:
    """Whether the folder holds the finished run of this identity; says what changed where it holds another."""
    record = read_record(folder)
    if record is None:
        return False
    if record.get("identity") == digest(identity):
        return True
    changed = differing_keys({key: record.get(key) for key in identity}, identity)
    progress.say(f"{folder.name} is there from other inputs and is trained again; changed: {', '.join(changed)}")
    return False


def _of_latest_draw(
    job: TrainJob, machine: Machine, images: Path, split: Path, checkpoint_seconds: float
) -> Callable[[int], Material]:
    """What the runs of a draw share; that of one draw is kept at a time, because images fill the device."""

    @lru_cache(maxsize=1)
    def material(draw: int) -> Material:
        rows, labels = training_rows(split, draw)
        resident = ResidentImages(read_images(images, rows), device=machine.device, normalise=job.network.normalise)
        known = torch.tensor(labels)
        counts, cases = class_counts(known, job.classes), training_cases(split, draw, job.classes)
        return Material(job, machine, resident, known, counts, cases, case_ids(split, draw), checkpoint_seconds)

    return material
