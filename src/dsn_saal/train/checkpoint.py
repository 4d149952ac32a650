"""A run at any step as one file: whoever kills the process loses time, never a bit of the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dsn_saal.storage.atomic import replacing

UNREADABLE = (OSError, SafetensorError, KeyError, TypeError, ValueError)
"""What reading a file that is no whole checkpoint may raise."""


class Resumable(Protocol):
    """What a checkpoint needs to know of something that is trained."""

    generators: dict[str, torch.Generator]
    epoch: int
    step: int
    history: list[dict[str, float]]

    @property
    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Every optimizer by name."""

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that changes, by name, sharing its memory."""


def write_checkpoint(path: Path, run: Resumable, identity: dict[str, Any]) -> None:
    """Write tensors, optimizers, generators and position; the old file lives until it is done."""
    position = {"epoch": run.epoch, "step": run.step, "history": run.history}
    tensors = run.tensors() | _of_optimizers(run)
    tensors |= {f"generator.{name}": generator.get_state() for name, generator in run.generators.items()}
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {"identity": json.dumps(identity), "position": json.dumps(position)}
    with replacing(path) as part:
        save_file(stored, part, metadata=metadata)


def read_identity(path: Path) -> dict[str, Any] | None:
    """Identity of the run that a checkpoint belongs to; None where there is no readable checkpoint."""
    try:
        return _identity(path)
    except UNREADABLE:
        return None


def flaw_of(path: Path) -> str | None:
    """What is wrong with a checkpoint that cannot be read; None where it can be, or there is none."""
    if not path.exists():
        return None
    try:
        _identity(path)
    except UNREADABLE as error:
        return f"{error}" if isinstance(error, OSError | SafetensorError) else "it names no run"
    return None


def _identity(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as stream:
        found = json.loads(stream.metadata()["identity"])
    if not isinstance(found, dict):
        raise TypeError("an identity is a mapping")
    return found


@torch.no_grad()
def restore(path: Path, run: Resumable) -> None:
    """Bring a fresh run to where the checkpoint was written."""
    with safe_open(path, framework="pt") as stream:
        position = json.loads(stream.metadata()["position"])
        stored = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - no mapping
    for name, tensor in run.tensors().items():
        tensor.copy_(stored[name])
    for name, optimizer in run.optimizers.items():
        for index, parameter in enumerate(_parameters(optimizer)):
            optimizer.state[parameter].update(_state(stored, f"{name}.{index}.", parameter))
    for name, generator in run.generators.items():
        generator.set_state(stored[f"generator.{name}"])
    run.epoch, run.step, run.history = position["epoch"], position["step"], position["history"]


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _of_optimizers(run: Resumable) -> dict[str, Tensor]:
    """What the optimizers remember of each parameter; nothing before the first step."""
    return {
        f"{name}.{index}.{key}": value
        for name, optimizer in run.optimizers.items()
        for index, parameter in enumerate(_parameters(optimizer))
        for key, value in optimizer.state.get(parameter, {}).items()
        if value is not None
    }


def _state(stored: dict[str, Tensor], prefix: str, parameter: Tensor) -> dict[str, Tensor]:
    """The stored memory of one parameter, laid out in memory as the parameter is."""
    found = {name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)}
    return {
        key: torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value.to(parameter.device)
        for key, value in found.items()
    }
