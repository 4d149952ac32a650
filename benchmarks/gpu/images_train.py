"""Step two, on the GPU machine: every run of a pack that is not finished, from wherever it stands.

It needs torch, torchvision, numpy, pandas, pyarrow, safetensors and this repository's src on the path.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from images_format import FAILED, HISTORY, PREDICTIONS, RECORD, column, output_names, read_part, read_run, read_settings
from images_identity import differing, full_identity, weights_digest
from images_memory import OutOfMemory, memory_told
from jsonl import circumstances

from dsn_saal.data import ResidentImages, class_counts, dealt_anew
from dsn_saal.data.inference import fix_arithmetic, predict_logits
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.run import RunKey
from dsn_saal.evaluate.predict import softmax
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.storage.listing import sha256_of
from dsn_saal.storage.tables import write_table
from dsn_saal.train import machine as machine_room
from dsn_saal.train.checkpoint import read_identity, restore, write_checkpoint
from dsn_saal.train.loop import Run, train
from dsn_saal.train.recipe import Recipe, build_run, derived_generator
from dsn_saal.train.tally import Diverged

CHECKPOINT = "checkpoint.safetensors"


class TimeIsUp(Exception):
    """The minutes are over; the run stands in its checkpoint."""


def train_all(args: argparse.Namespace) -> None:
    """Train run by run, all experiments of a run before the next run, so that a part of the grid compares them too.

    Raises:
        CheckFailed: at the end, where memory had no room for an experiment. Its other runs are not tried in this call.
    """
    settings, until = read_settings(args.pack), time.monotonic() + 60 * args.minutes
    grid = grid_of(args, settings)
    parts = {part: read_part(args.pack, part) for part in ("train", "test")}
    left, failed = 0, dict.fromkeys((key.experiment for key in grid), 0)
    for key in grid:
        precision = args.precision or settings["precision"]
        machine = machine_room.prepare(args.device, precision=precision, threads=1)  # undoes what predicting has set
        identity, folder = full_identity(settings, key, machine), args.out / key.folder
        record = read_run(folder)
        if record is not None and not differing(record, identity):
            continue
        if failed[key.experiment]:
            failed[key.experiment] += 1
        elif left or time.monotonic() >= until:
            left += 1
        else:
            try:
                train_one(args, settings, parts, identity, folder, machine, until)
            except TimeIsUp:
                left += 1
            except OutOfMemory as error:
                failed[key.experiment] = 1
                write_json(folder / FAILED, identity | circumstances(machine) | {"failed": str(error)})
                print(f"{key.experiment} seed {identity['seed']} FAILED: {error}", flush=True)
            torch.cuda.empty_cache()  # of a run that failed, above all; does nothing without CUDA
    more = "; time is up, start again for the rest" if left else ""
    print(f"{len(grid) - left - sum(failed.values())} of {len(grid)} runs are finished{more}")
    if any(failed.values()):
        short = ", ".join(name for name, runs in failed.items() if runs)
        raise CheckFailed("memory had no room for every experiment", value=short, next_step="see the messages above")


def grid_of(args: argparse.Namespace, settings: dict[str, Any]) -> list[RunKey]:
    """The runs that are asked for, in the order in which they are trained."""
    names = args.experiments or settings["order"]
    for name in names:
        if name not in settings["experiments"]:
            raise BadRequest("no such experiment in the pack", value=name, next_step=", ".join(settings["experiments"]))
    return [RunKey(name, number) for number in range(args.runs or settings["runs"]) for name in names]


def train_one(
    args: argparse.Namespace, settings: dict[str, Any], parts: dict[str, Any], identity: dict[str, Any], folder: Path,
    machine: machine_room.Machine, until: float,
) -> None:  # fmt: skip
    """One run to its three files.

    Raises:
        TimeIsUp: with the run in its checkpoint.
        OutOfMemory: where a step does not fit.
    """
    recipe, begun = Recipe(**identity["recipe"]), time.monotonic()
    pixels, slices = parts["train"]
    labels = torch.tensor(slices["label"].to_numpy("int64"))
    counts = class_counts(labels, settings["classes"])
    if identity["labels"] == "permuted":
        labels = dealt_anew(labels, derived_generator(identity["seed"], "labels"))
    spent = read_spent(folder, identity)
    diverged = None
    try:
        with memory_told(
            recipe.schedule.batch_size, "a training step", "batch_size of the regimen (pack --batch-size)"
        ):
            run = build_run(recipe, seed=identity["seed"], counts=list(counts.values()), machine=machine)
            if (folder / CHECKPOINT).exists():
                restore(folder / CHECKPOINT, run)
            train(
                run,
                ResidentImages(pixels, device=machine.device, normalise=settings["normalise"]),
                labels.to(machine.device),
                classes=settings["classes"],
                schedule=recipe.schedule,
                machine=machine,
                after_step=stopping(folder / CHECKPOINT, identity, args.checkpoint_seconds, until, begun - spent),
            )
        with memory_told(settings["prediction_batch"], "a step of prediction", "evaluate.batch_size"):
            write_table(folder / PREDICTIONS, predicted(run, settings, parts["test"], machine))
    except Diverged as error:  # it would diverge again: the table counts it
        diverged = error.found
    rows = [",".join(run.history[0]), *(",".join(map(repr, row.values())) for row in run.history)]
    write_text(folder / HISTORY, "\n".join(rows) + "\n")
    seconds, last = spent + time.monotonic() - begun, run.history[-1]
    record = identity | circumstances(machine) | {
        "seconds": round(seconds, 2), "counts": counts, "n_outputs": run.network.n_outputs, "diverged": diverged,
        "weights_sha256": weights_digest(run), "train_accuracy": last["train_accuracy"],
        "files": {name: sha256_of(folder / name) for name in (PREDICTIONS, HISTORY) if (folder / name).exists()},
    }  # fmt: skip
    write_json(folder / RECORD, record)
    for name in (CHECKPOINT, FAILED):
        (folder / name).unlink(missing_ok=True)
    print(
        f"{identity['experiment']} seed {identity['seed']}: {seconds:.1f} s, loss {last['loss']:.4g}, "
        f"training accuracy {last['train_accuracy']:.3f}" + (f", DIVERGED: {diverged}" if diverged else ""), flush=True,
    )  # fmt: skip


def read_spent(folder: Path, identity: dict[str, Any]) -> float:
    """Seconds that the checkpoint has cost; whatever other inputs have begun here is removed."""
    found = read_identity(folder / CHECKPOINT)
    if found is not None and found.pop("spent_seconds", None) is not None and found == identity:
        return float((read_identity(folder / CHECKPOINT) or {})["spent_seconds"])
    if folder.exists():
        shutil.rmtree(folder)
    return 0.0


def stopping(
    path: Path, identity: dict[str, Any], checkpoint_seconds: float, until: float, begun: float
) -> Callable[[Run], None]:
    """What follows every step: a checkpoint now and then, and an end when the time is up."""
    written = time.monotonic()

    def after_step(run: Run) -> None:
        nonlocal written
        now = time.monotonic()
        if now >= until or now - written >= checkpoint_seconds:
            write_checkpoint(path, run, identity | {"spent_seconds": now - begun})
            written = time.monotonic()
        if now >= until:
            raise TimeIsUp

    return after_step


def predicted(run: Run, settings: dict[str, Any], part: Any, machine: machine_room.Machine) -> pd.DataFrame:
    """Row, label, and the probabilities of every output, in strict float32 as every evaluation of the project."""
    pixels, slices = part
    fix_arithmetic(1)
    images = ResidentImages(pixels, device=machine.device, normalise=settings["normalise"])
    logits = predict_logits(run.network.eval(), images, batch_size=settings["prediction_batch"])
    table = slices[["row", "label"]].copy()
    for output, probabilities in zip(output_names(len(logits)), softmax(logits), strict=True):
        for name, values in zip(settings["classes"], probabilities.T, strict=True):
            table[column(output, name)] = values
    return table
