"""One run of an experiment, from wherever it stands to its files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dsn_saal.models.projection import load_body
from dsn_saal.params.methods import MetaWeight, SelfTrans
from dsn_saal.train.aside import clear_for, remove_aside
from dsn_saal.train.assemble import initialisation_of, new_run, schedule_of
from dsn_saal.train.checkpoint import Resumable, restore, write_checkpoint
from dsn_saal.train.contrast import Contrast
from dsn_saal.train.identity import digest
from dsn_saal.train.loop import Run, train
from dsn_saal.train.machine import DETERMINISM
from dsn_saal.train.material import Lesson, Material, lesson_of
from dsn_saal.train.meta_loop import meta_run
from dsn_saal.train.pretrain import ContrastPhase, new_contrast, phases_of, pretrain
from dsn_saal.train.progress import TrainingProgress
from dsn_saal.train.results import HISTORY, PRETRAINING, write_failed_run, write_run
from dsn_saal.train.tally import Diverged
from dsn_saal.train.vote import keep_votes, require_votes

CHECKPOINT = "checkpoint.safetensors"
"""Name of the checkpoint in a run's folder of the state."""

ENCODERS = "encoders.safetensors"
"""Name of the checkpoint of the contrastive phases beside it; it stays until the run is finished."""

Trained = TypeVar("Trained", bound=Resumable)


def train_run(
    material: Material, number: int, identity: dict[str, Any], folder: Path, progress: TrainingProgress
) -> None:
    """Train one run, or go on with it, and write it to `folder`: its weights, or what is left where it diverges.

    Args:
        material: what all runs share.
        number: number of the run, from 0.
        identity: every input of the run.
        folder: folder of the run in the state.
        progress: where to say how far it is.

    Raises:
        CheckFailed: where a class cannot spare a validation part, weights of an epoch that is to vote were removed
            while the run was interrupted, or the disk is full.
    """
    job, machine, schedule = material.job, material.machine, schedule_of(material.job)
    *earlier, _ = voting = job.regimen.voting_epochs
    clear_for(folder, identity, (CHECKPOINT, ENCODERS), progress.say)
    lesson = lesson_of(material, identity["seed"])
    if lesson.record.get("validation", {}).get("unit") == "slice":
        progress.say("the cases of some slices are unknown: such slices are held out for validation one by one")
    run = new_run(job, seed=identity["seed"], counts=list(lesson.counts.values()), machine=machine)
    if isinstance(job.method, MetaWeight):
        run = meta_run(run, job.method, n_classes=len(job.classes), machine=machine)
    record = _record(material, lesson, run, identity)
    phases = phases_of(job, training=lesson.images, unlabelled=material.unlabelled)
    encoders = _new_encoders(material, phases, identity["seed"])
    progress.take_up(number, len(lesson.labels), schedule, phases)
    if encoders is not None:
        record["phases"] = [{"on": it.on, "images": len(it.images), "epochs": it.schedule.epochs} for it in phases]
    try:
        if encoders is not None:
            _pretrain(material, phases, encoders, number, identity, folder, progress)
            load_body(run.network, encoders.query.state_dict())
        if (folder / CHECKPOINT).exists():
            restore(folder / CHECKPOINT, run)
            require_votes(folder, earlier, run.epoch)
        progress.begin(number, run)
        train(
            run,
            lesson.images,
            lesson.labels,
            classes=job.classes,
            schedule=schedule,
            machine=machine,
            after_step=_after_step(folder / CHECKPOINT, identity, material.checkpoint_seconds, progress.step),
            validation=lesson.validation,
            step=lesson.step,
            after_epoch=keep_votes(folder, earlier),
        )
    except Diverged as diverged:
        write_failed_run(folder, _histories(run, encoders), record | diverged.found)
        progress.fail(diverged)
    else:
        record["selected_epoch"] = run.epoch if run.best is None else run.best.epoch
        if earlier:
            record["voting_epochs"] = voting
        write_run(folder, run.network, _histories(run, encoders), record)
        progress.end(run)
    for name in (CHECKPOINT, ENCODERS):
        (folder / name).unlink(missing_ok=True)
    remove_aside(folder)


def _histories(run: Run, encoders: Contrast | None) -> dict[str, list[dict[str, float]]]:
    return {PRETRAINING: encoders.history if encoders else [], HISTORY: run.history}


def _new_encoders(material: Material, phases: Sequence[ContrastPhase], seed: int) -> Contrast | None:
    """The encoders of a method that has contrastive phases, before the first."""
    job = material.job
    if not isinstance(job.method, SelfTrans):
        return None
    largest = max(len(phase.images) for phase in phases)
    return new_contrast(job, job.method.contrast, seed=seed, n_images=largest, machine=material.machine)


def _pretrain(
    material: Material,
    phases: Sequence[ContrastPhase],
    encoders: Contrast,
    number: int,
    identity: dict[str, Any],
    folder: Path,
    progress: TrainingProgress,
) -> None:
    """Bring the encoders behind their last phase: trained, gone on with, or read where they are finished."""
    job, path = material.job, folder / ENCODERS
    if path.exists():
        restore(path, encoders)
    if not isinstance(job.method, SelfTrans) or encoders.epoch == sum(phase.schedule.epochs for phase in phases):
        return
    progress.begin_pretraining(number, encoders)
    after_step = _after_step(path, identity, material.checkpoint_seconds, progress.step_of_pretraining)
    pretrain(encoders, phases, job.method.contrast, machine=material.machine, after_step=after_step)
    write_checkpoint(path, encoders, identity)


def _record(material: Material, lesson: Lesson, run: Run, identity: dict[str, Any]) -> dict[str, Any]:
    """What is written down about a run, whatever becomes of it; the run as it starts."""
    return {
        **identity,
        "identity": digest(identity),
        "initialisation": initialisation_of(material.job),
        "counts": lesson.counts,
        "cases": lesson.cases,
        "start": run.loss.state(material.job.classes),
        "threads": material.job.train.threads,
        "determinism": DETERMINISM,
        **lesson.record,
    }


def _after_step(
    path: Path, identity: dict[str, Any], checkpoint_seconds: float, tell: Callable[[Trained], None]
) -> Callable[[Trained], None]:
    written = time.monotonic()

    def after_step(run: Trained) -> None:
        nonlocal written
        tell(run)
        if time.monotonic() - written >= checkpoint_seconds:
            write_checkpoint(path, run, identity)
            written = time.monotonic()

    return after_step
