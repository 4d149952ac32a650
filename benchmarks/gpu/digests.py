"""SHA-256 of everything that training changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch

from dsn_saal.train.loop import Run


def digests(run: Run) -> dict[str, str]:
    """SHA-256 of everything that training changed, part by part."""
    state = run.optimizer.state_dict()["state"]
    momentum = {f"{index}.{key}": value for index, kept in state.items() for key, value in kept.items()}
    return {
        "weights": digest_of(run.network.state_dict()),
        "optimizer": digest_of(momentum),
        "alpha_and_betas": digest_of(run.loss.state_dict()),
        "generators": digest_of({name: generator.get_state() for name, generator in run.generators.items()}),
        "history": hashlib.sha256(json.dumps(run.history).encode()).hexdigest(),
    }


def digest_of(tensors: Mapping[str, Any]) -> str:
    """SHA-256 over names, types and bytes, in the order of the names; what is no tensor is left out."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        if isinstance(tensors[name], torch.Tensor):
            value = tensors[name].detach().cpu().contiguous()
            total.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            total.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
