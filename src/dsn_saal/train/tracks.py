"""What earlier jobs left of an experiment, before it is known what a job will read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest
from dsn_saal.domain.pixels import PIXEL_FILES
from dsn_saal.domain.run import RunKey
from dsn_saal.params.jobs import ClassicalJob, TrainJob
from dsn_saal.params.methods import SelfTrans
from dsn_saal.split.table import draw_of, read_split
from dsn_saal.storage.listing import sha256_of
from dsn_saal.train.classical import identity_of
from dsn_saal.train.held import held_run, lacking_weights
from dsn_saal.train.identity import run_identity
from dsn_saal.train.machine import prepare
from dsn_saal.train.results import FinishedRun

NOT_YET: dict[str, Any] = {"images_sha256": "", "split_sha256": "", "unlabelled_sha256": {}}
"""Values of an identity that stand in until those of the files are known."""


@dataclass(frozen=True)
class Places:
    """Where the files of an experiment lie, or will: any of them may be missing.

    Attributes:
        out: folder of its results.
        state: folder of what is unfinished.
        split: its split's table.
        images: folder with its images, None where it is not known.
        unlabelled: folder with images.npy of each unlabelled data set of its method, in the method's order.
    """

    out: Path
    state: Path
    split: Path
    images: Path | None
    unlabelled: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Tracks:
    """Finished runs of an experiment.

    Attributes:
        done: how many training would accept.
        foreign: what differs in each that is there from other settings or inputs, and will be trained again.
    """

    done: int
    foreign: tuple[str, ...]


def tracks_of(job: TrainJob, places: Places, *, device: str, code: str | None) -> Tracks:
    """Finished runs of a job; what cannot be known is not compared: see plan.plan_experiment."""
    machine = prepare(device, precision=job.train.precision, threads=job.train.threads)
    hashes = _hashes(places, PIXEL_FILES[job.pixels]) | {"unlabelled_sha256": _of_unlabelled(job, places)}
    held: dict[str, FinishedRun] = {}
    foreign: list[str] = []
    for number, draw in enumerate(_draws(places.split, job.train.runs)):
        seed = job.train.first_seed + number
        identity = run_identity(job, seed=seed, draw=0, code="", machine=machine, **NOT_YET)
        found = _found(RunKey(job.name, number).run_name, places, identity | hashes | {"draw": draw, "code": code})
        held |= found[0]
        foreign += found[1]
    lacking = lacking_weights(job.train.keep_weights, held, job.train.runs)
    return Tracks(len(held) - len(lacking), tuple(foreign))


def classical_tracks(job: ClassicalJob, places: Places, *, code: str | None) -> Tracks:
    """Finished runs of a job of a classical method."""
    hashes, done = _hashes(places, "images.npy"), 0
    foreign: list[str] = []
    for number, draw in enumerate(_draws(places.split, job.runs)):
        identity = identity_of(job, seed=job.first_seed + number, draw=0, code="")
        known = identity | hashes | {"draw": draw, "code": code}
        held, others = _found(RunKey(job.name, number).run_name, places, known)
        done, foreign = done + len(held), foreign + others
    return Tracks(done, tuple(foreign))


def _found(name: str, places: Places, identity: Mapping[str, Any]) -> tuple[dict[str, FinishedRun], list[str]]:
    held, others = held_run(identity, [places.out / name, places.state / name])
    return ({} if held is None else {name: held}), others[:1]


def _draws(split: Path, runs: int) -> list[int | None]:
    """The draw of each run, None where the split is not made yet."""
    try:
        table = read_split(split)
    except BadRequest:
        return [None] * runs
    return [draw_of(table, number) for number in range(runs)]


def _hashes(places: Places, pixels: str) -> dict[str, Any]:
    images = None if places.images is None else _hash(places.images / pixels)
    return {"images_sha256": images, "split_sha256": _hash(places.split)}


def _of_unlabelled(job: TrainJob, places: Places) -> dict[str, str] | None:
    """Hash of each set's images, None where one is missing."""
    if not isinstance(job.method, SelfTrans):
        return {}
    found = [_hash(folder / "images.npy") for folder in places.unlabelled]
    known = [digest for digest in found if digest is not None]
    names = job.method.unlabelled
    return dict(zip(names, known, strict=True)) if len(known) == len(names) else None


def _hash(path: Path) -> str | None:
    """SHA-256 of a file, read once for all experiments that share it; None where there is none."""
    try:
        return _hash_of(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@cache
def _hash_of(path: Path, changed_ns: int) -> str:
    return sha256_of(path)
