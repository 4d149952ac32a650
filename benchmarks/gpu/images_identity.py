"""What makes a run of a pack: everything that its numbers depend on, and what came out as one digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
import torchvision

from dsn_saal.domain.run import RunKey
from dsn_saal.train import machine as machine_room
from dsn_saal.train.loop import Run

ROOMS = ("data", "losses", "models", "train")
"""Rooms of the package whose code a run depends on."""

OF_PACK = ("classes", "image_size", "initialisation", "normalise", "prediction_batch")
"""Settings of a pack, beside those of the experiment, that training or predicting reads."""

OF_EXPERIMENT = ("labels", "recipe")
"""The same of an experiment. Its title and its evaluation are read when the table is made."""


def packed_identity(settings: dict[str, Any], key: RunKey) -> dict[str, Any]:
    """What a run takes from its pack: settings, seed, and the digests of images and slices."""
    experiment = settings["experiments"][key.experiment]
    return {
        "experiment": key.experiment,
        "seed": settings["first_seed"] + key.run,
        "pack": settings["files"],
        **{name: experiment[name] for name in OF_EXPERIMENT},
        **{name: settings[name] for name in OF_PACK},
    }


def full_identity(settings: dict[str, Any], key: RunKey, machine: machine_room.Machine) -> dict[str, Any]:
    """The same with the code and the machine that train."""
    return packed_identity(settings, key) | {
        "code": code_digest(), "torch": torch.__version__, "torchvision": torchvision.__version__,
        "device": machine.name, "precision": machine.precision,
    }  # fmt: skip


def differing(record: dict[str, Any], identity: dict[str, Any]) -> list[str]:
    """What of an identity a run's record says otherwise, or not at all."""
    return [name for name, value in identity.items() if name not in record or record[name] != value]


def code_digest() -> str:
    """SHA-256 over the code that trains."""
    root, total = Path(machine_room.__file__).parents[1], hashlib.sha256()
    for path in sorted(path for room in ROOMS for path in (root / room).glob("*.py")):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return total.hexdigest()


def weights_digest(run: Run) -> str:
    """SHA-256 over names and values of the network: it is too large to travel back."""
    total = hashlib.sha256()
    for name, value in sorted(run.network.state_dict().items()):
        total.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()
