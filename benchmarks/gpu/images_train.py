"""Step two, on the GPU machine: every run of a pack that is not finished, from wherever it stands.

It needs torch, torchvision, numpy, pandas, pyarrow, safetensors and this repository's src on the path.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torchvision
from images_format import HISTORY, PREDICTIONS, RECORD, column, output_names, read_part, read_run, read_settings
from jsonl import circumstances

from dsn_saal.data import ResidentImages, class_counts, dealt_anew
from dsn_saal.data.inference import fix_arithmetic, predict_logits
from dsn_saal.domain.errors import BadRequest
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
ROOMS = ("data", "losses", "models", "train")
"""Rooms of the package whose code a run depends on."""


class TimeIsUp(Exception):
    """The minutes are over; the run stands in its checkpoint."""


def train_all(args: argparse.Namespace) -> None:
    """Train run by run, all experiments of a run before the next run, so that a part of the grid compares them too."""
    settings, until = read_settings(args.pack), time.monotonic() + 60 * args.minutes
    names = args.experiments or settings["order"]
    for name in names:
        if name not in settings["experiments"]:
            raise BadRequest("no such experiment in the pack", value=name, next_step=", ".join(settings["experiments"]))
    parts = {part: read_part(args.pack, part) for part in ("train", "test")}
    grid = [RunKey(name, number) for number in range(args.runs or settings["runs"]) for name in names]
    code, left = code_digest(), 0
    for key in grid:
        experiment, seed = settings["experiments"][key.experiment], settings["first_seed"] + key.run
        precision = args.precision or settings["precision"]
        machine = machine_room.prepare(args.device, precision=precision, threads=1)  # undoes what predicting has set
        identity = {
            "experiment": key.experiment, "recipe": experiment["recipe"], "labels": experiment["labels"], "seed": seed,
            "pack": settings["files"], "initialisation": settings["initialisation"], "code": code,
            "torch": torch.__version__, "torchvision": torchvision.__version__, "device": machine.name,
            "precision": machine.precision,
        }  # fmt: skip
        folder = args.out / key.folder
        if same_run(read_run(folder), identity):
            continue
        if left or time.monotonic() >= until:
            left += 1
            continue
        try:
            train_one(args, settings, parts, identity, folder, machine, until)
        except TimeIsUp:
            left += 1
    print(
        f"{len(grid) - left} of {len(grid)} runs are finished"
        + ("; time is up, start again for the rest" if left else "")
    )


def same_run(record: dict[str, Any] | None, identity: dict[str, Any]) -> bool:
    """Whether a finished run is the one that is wanted."""
    return record is not None and {key: record.get(key) for key in identity} == identity


def train_one(
    args: argparse.Namespace, settings: dict[str, Any], parts: dict[str, Any], identity: dict[str, Any], folder: Path,
    machine: machine_room.Machine, until: float,
) -> None:  # fmt: skip
    """One run to its three files.

    Raises:
        TimeIsUp: with the run in its checkpoint.
    """
    recipe, begun = Recipe(**identity["recipe"]), time.monotonic()
    pixels, slices = parts["train"]
    labels = torch.tensor(slices["label"].to_numpy("int64"))
    counts = class_counts(labels, settings["classes"])
    if identity["labels"] == "permuted":
        labels = dealt_anew(labels, derived_generator(identity["seed"], "labels"))
    spent = read_spent(folder, identity)
    run = build_run(recipe, seed=identity["seed"], counts=list(counts.values()), machine=machine)
    if (folder / CHECKPOINT).exists():
        restore(folder / CHECKPOINT, run)
    diverged = None
    try:
        train(
            run,
            ResidentImages(pixels, device=machine.device, normalise=settings["normalise"]),
            labels.to(machine.device),
            classes=settings["classes"],
            schedule=recipe.schedule,
            machine=machine,
            after_step=stopping(folder / CHECKPOINT, identity, args.checkpoint_seconds, until, begun - spent),
        )
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
    (folder / CHECKPOINT).unlink(missing_ok=True)
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


def weights_digest(run: Run) -> str:
    """SHA-256 over names and values of the network: it is too large to travel back."""
    total = hashlib.sha256()
    for name, value in sorted(run.network.state_dict().items()):
        total.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()


def code_digest() -> str:
    """SHA-256 over the code that trains."""
    root, total = Path(machine_room.__file__).parents[1], hashlib.sha256()
    for path in sorted(path for room in ROOMS for path in (root / room).glob("*.py")):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return total.hexdigest()
