"""What makes two runs the same run: every input that its bytes depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torchvision

from dsn_saal.params.jobs import TrainJob
from dsn_saal.train.machine import Machine

NOT_OF_ONE_RUN: dict[str, Any] = {
    "train": {"runs": True, "first_seed": True, "keep_weights": True},
    "accept": True,
    "predict_batch": True,
    "pixels": True,
    "model": {"checkpoint": {"path": True}},
}
"""Settings of the job that no single run's training depends on: how many runs, where seeds start, which findings are
accepted, what is kept of a run and how it then predicts, where a checkpoint or an array of images
lies whose hash is known."""


def run_identity(
    job: TrainJob,
    *,
    seed: int,
    draw: int,
    images_sha256: str,
    split_sha256: str,
    unlabelled_sha256: Mapping[str, str],
    code: str,
    machine: Machine,
) -> dict[str, Any]:
    """Every input of one run, as plain JSON; `unlabelled_sha256` holds the images of each unlabelled data set."""
    return {
        "settings": job.model_dump(mode="json", exclude=NOT_OF_ONE_RUN),
        "seed": seed,
        "draw": draw,
        "images_sha256": images_sha256,
        "split_sha256": split_sha256,
        "unlabelled_sha256": dict(unlabelled_sha256),
        "code": code,
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "device": machine.name,
        "precision": machine.precision,
    }


def digest(identity: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of an identity."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def differing_keys(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of the values in which two identities differ."""
    names = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            names += differing_keys(before, after, f"{prefix}{key}.")
        elif before != after or (key in old) != (key in new):  # a setting that is new may be null
            names.append(f"{prefix}{key}")
    return names
