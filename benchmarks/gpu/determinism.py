"""Is training on this device bit-identical: the same run twice, and killed and resumed?

DSN-SAAL is trained on one set of random images by the project's own loop, in each arithmetic three times: twice from
end to end in two processes, and once in a process that kills itself (SIGKILL) after a step drawn anew each time, so
that another goes on from the last checkpoint; the steps between the two are lost and done again. Weights, optimizer,
alpha and the betas, generators and history must have the same SHA-256. One JSON line an arithmetic, written as soon as
it is known; one that is there already is not tried again. No training begins after --minutes; an arithmetic that is
then unfinished is begun anew by the next call. Exit code 1 where anything differs.

    PYTHONPATH=src python benchmarks/gpu/determinism.py --out determinism.jsonl --minutes 9
    PYTHONPATH=src python benchmarks/gpu/determinism.py --out smoke.jsonl --smoke        # tiny, on a CPU
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from digests import digests
from jsonl import append_line, circumstances, read_lines
from workload import CLASSES, REGIMEN, SAAL, SIDE

from dsn_saal.data import ResidentImages
from dsn_saal.train import checkpoint
from dsn_saal.train.loop import Run, train
from dsn_saal.train.machine import Machine, prepare
from dsn_saal.train.recipe import Recipe, build_run

FULL = {"image_size": 224, "width": 1.0, "images": 200, "batch": 32, "epochs": 3}
SMOKE = {"image_size": 32, "width": 0.03, "images": 10, "batch": 4, "epochs": 2}
"""Sizes: the last step of each epoch is a smaller one."""


class TimeIsUp(Exception):
    """The minutes are over; the arithmetic is to be begun anew."""


def main() -> None:
    """Try every arithmetic that the result file does not hold."""
    args = parse()
    if args.tasks:
        for task in json.loads(args.tasks):
            work(task)
        return
    begun, machine = time.monotonic(), prepare("auto", precision="fp32", threads=1)
    tried = {line["precision"] for line in read_lines(args.out)}
    wanted = [precision for precision in args.precision if precision not in tried]
    size = SMOKE if args.smoke else FULL
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        for precision in wanted:
            try:
                line = tried_out(precision, size, Path(scratch), begun + 60 * args.minutes)
            except TimeIsUp:
                print("time is up; start again for the rest")
                break
            append_line(
                args.out, {**circumstances(machine), "precision": precision, "smoke": args.smoke, **size, **line}
            )
    sys.exit(any(line["verdict"] != "bit-identical" for line in read_lines(args.out)))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="result file, one JSON object a line")
    parser.add_argument("--minutes", type=float, default=9.0, help="begin no training after this (default: 9)")
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"], choices=["fp32", "tf32", "bf16"])
    parser.add_argument(
        "--scratch", type=Path, help="folder with room for checkpoints of 1.1 GB (default: the system's)"
    )
    parser.add_argument("--smoke", action="store_true", help="tiny sizes")
    parser.add_argument("--tasks", help=argparse.SUPPRESS)  # what a child process has to do
    args = parser.parse_args()
    if not (args.out or args.tasks):
        parser.error("--out is missing")
    return args


def tried_out(precision: str, size: Mapping[str, Any], scratch: Path, until: float) -> dict[str, Any]:
    """The verdict of an arithmetic.

    A process works until it is killed; the next one takes over. The second training is not in the first one's process.

    Raises:
        TimeIsUp: where a process would begin after `until` of the monotonic clock.
    """
    steps = size["epochs"] * -(-size["images"] // size["batch"])
    saved = 1 + secrets.randbelow(steps - 2)  # a checkpoint after this step, 1 .. steps - 2
    killed = saved + 1 + secrets.randbelow(steps - 1 - saved)  # at least one step is lost, one is left
    tasks = {}
    for name, state in {"first": "first", "second": "second", "killed": "broken", "resumed": "broken"}.items():
        files = {"out": str(scratch / f"{precision}-{name}.json"), "state": str(scratch / f"{precision}-{state}.state")}
        tasks[name] = {**size, "precision": precision, **files}
    plan = {"checkpoint_after": saved, "killed_after": killed}
    tasks["killed"] |= plan
    for names in (["first"], ["second", "killed"], ["resumed"]):
        if time.monotonic() >= until:
            raise TimeIsUp
        call([tasks[name] for name in names], killed="killed" in names)
    return {"steps": steps, **plan, **compared({name: Path(task["out"]) for name, task in tasks.items()})}


def call(tasks: list[dict[str, Any]], *, killed: bool) -> None:
    """Let a process do the tasks; raises RuntimeError where it does not end as it should."""
    done = subprocess.run([sys.executable, *launcher(), "--tasks", json.dumps(tasks)], check=False)
    if done.returncode != (-signal.SIGKILL if killed else 0):
        raise RuntimeError(f"a training process ended with {done.returncode}")


def launcher() -> list[str]:
    """How this script is started again: by its path, whatever started the parent."""
    return [str(Path(__file__).resolve())]


def compared(written: Mapping[str, Path]) -> dict[str, Any]:
    """The digests of the three trainings, and whether they are the same."""
    found = {name: json.loads(written[name].read_text(encoding="utf-8")) for name in ("first", "second", "resumed")}
    differing = {
        name: [part for part in found["first"] if found[name][part] != found["first"][part]]
        for name in ("second", "resumed")
    }
    same = not any(differing.values())
    return {"verdict": "bit-identical" if same else "DIFFERENT", "differing": differing, "sha256": found["first"]}


def work(task: dict[str, Any]) -> None:
    """One training, from its checkpoint where it has one, to its digests; or to its death."""
    machine = prepare("auto", precision=task["precision"], threads=1)
    recipe = recipe_of(task)
    images, labels = data_of(task, machine)
    run = build_run(recipe, seed=7, counts=torch.bincount(labels.cpu()).tolist(), machine=machine)
    state, steps = Path(task["state"]), recipe.schedule.steps(task["images"])
    if state.exists():
        checkpoint.restore(state, run)

    def after_step(now: Run) -> None:
        done = now.epoch * steps + now.step
        if done == task.get("checkpoint_after"):
            checkpoint.write_checkpoint(state, now, {})
        if done == task.get("killed_after"):
            os.kill(os.getpid(), signal.SIGKILL)

    train(run, images, labels, classes=CLASSES, schedule=recipe.schedule, machine=machine, after_step=after_step)
    Path(task["out"]).write_text(json.dumps(digests(run)), encoding="utf-8")
    state.unlink(missing_ok=True)


def recipe_of(task: Mapping[str, Any]) -> Recipe:
    """DSN-SAAL at the size of the task, its rate falling after the first epoch."""
    network = {
        "backbone": "vgg16_bn", "n_classes": 3, "image_size": task["image_size"], "width": task["width"],
        "conv1": "sum", "dropout": 0.5, "side": SIDE, "weights": "none",
    }  # fmt: skip
    change = {
        "epochs": task["epochs"], "batch_size": task["batch"], "lr": 1e-3,
        "rate": {"kind": "steps", "milestones": [1], "gamma": 0.1},
    }  # fmt: skip
    return Recipe(network, SAAL, REGIMEN | change)


def data_of(task: Mapping[str, Any], machine: Machine) -> tuple[ResidentImages, torch.Tensor]:
    """Random images, the same in every process, and labels of uneven classes, which make the class weights differ."""
    generator = torch.Generator().manual_seed(1)
    shape = (task["images"], task["image_size"], task["image_size"])
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    labels = torch.tensor([0, 1, 1, 2, 1]).repeat(-(-task["images"] // 5))[: task["images"]]
    return ResidentImages(pixels.numpy(), device=machine.device, normalise="imagenet_grey"), labels.to(machine.device)


if __name__ == "__main__":
    main()
