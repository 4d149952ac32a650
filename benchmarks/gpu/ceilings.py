"""What a device can do at most, measured: matrix products, copies; and the bytes that a step moves, counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dsn_saal.train.machine import Machine


def matrix_ceiling(machine: Machine, kind: str, side: int) -> float:
    """TFLOP/s of a large matrix product of random numbers: what no network can exceed."""
    set_tf32(kind == "tf32")
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32
    left = torch.randn(side, side, device=machine.device, dtype=dtype)
    return 2 * side**3 / fastest(lambda: left @ left, machine) / 1e12


def copy_ceiling(machine: Machine, size: int) -> float:
    """GB/s, read and written, of a copy on the device."""
    source = torch.randint(0, 256, (size,), dtype=torch.uint8, device=machine.device)
    target = torch.empty_like(source)
    return 2 * size / fastest(lambda: target.copy_(source), machine) / 1e9


def fastest(work: Callable[[], object], machine: Machine) -> float:
    """Seconds of the fastest of ten, after one that warms up."""
    seconds = []
    for _ in range(11):
        wait(machine)
        begun = time.perf_counter()
        work()
        wait(machine)
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])


def set_tf32(allowed: bool) -> None:
    """Let float32 products run in TF32, or not."""
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def wait(machine: Machine) -> None:
    """Until the device has finished."""
    if machine.device.type == "cuda":
        torch.cuda.synchronize(machine.device)


class Traffic(TorchDispatchMode):
    """Counts the bytes of tensors that operations read and write while it is active: the traffic without any fusion.

    Views move nothing, nor do allocations. An operation that works in place reads and writes its tensor.

    Attributes:
        bytes: so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if not func.is_view and not name.startswith(("empty", "new_empty", "detach")):
            tensors = [leaf for leaf in tree_leaves((args, kwargs or {}, result)) if isinstance(leaf, torch.Tensor)]
            self.bytes += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return result
