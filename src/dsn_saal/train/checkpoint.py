"""A run at any step as one file: whoever kills the process loses time, never a bit of the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dsn_saal.storage.atomic import replacing
from dsn_saal.train.loop import Run


def write_checkpoint(path: Path, run: Run, identity: dict[str, Any]) -> None:
    """Write weights, momentum, alpha and beta, generators, order and position; the old file lives until it is done."""
    position = {"epoch": run.epoch, "step": run.step, "history": run.history}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in _tensors(run).items()}
    metadata = {"identity": json.dumps(identity), "position": json.dumps(position)}
    with replacing(path) as part:
        save_file(tensors, part, metadata=metadata)


def read_identity(path: Path) -> dict[str, Any] | None:
    """Identity of the run that a checkpoint belongs to; None where there is no readable checkpoint."""
    try:
        with safe_open(path, framework="pt") as stream:
            return json.loads(stream.metadata()["identity"])
    except (FileNotFoundError, SafetensorError, KeyError, TypeError, ValueError):
        return None


@torch.no_grad()
def restore(path: Path, run: Run) -> None:
    """Bring a fresh run to where the checkpoint was written."""
    with safe_open(path, framework="pt") as stream:
        position = json.loads(stream.metadata()["position"])
        stored = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - no mapping
    for index, parameter in enumerate(_parameters(run)):
        if f"momentum.{index}" in stored:  # none before the first step
            run.optimizer.state[parameter]["momentum_buffer"] = torch.empty_like(parameter)
    for name, tensor in _tensors(run).items():
        if not name.startswith("generator."):
            tensor.copy_(stored[name])
    for name, generator in run.generators.items():
        generator.set_state(stored[f"generator.{name}"])
    run.epoch, run.step, run.history = position["epoch"], position["step"], position["history"]


def _parameters(run: Run) -> list[Tensor]:
    return [parameter for group in run.optimizer.param_groups for parameter in group["params"]]


def _tensors(run: Run) -> dict[str, Tensor]:
    """Every tensor of the run by name, sharing its memory; the generators' states are copies."""
    tensors = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
    tensors |= {f"loss.{name}": tensor for name, tensor in run.loss.state_dict().items()}
    for index, parameter in enumerate(_parameters(run)):
        buffer = run.optimizer.state.get(parameter, {}).get("momentum_buffer")
        if buffer is not None:
            tensors[f"momentum.{index}"] = buffer
    tensors |= {f"tally.{name}": tensor for name, tensor in run.tally.tensors.items()}
    tensors |= {f"generator.{name}": generator.get_state() for name, generator in run.generators.items()}
    return tensors | {"order": run.order}
