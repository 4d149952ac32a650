"""What a run computes on, set up so that the same run gives the same bits."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils import deterministic

from dsn_saal.domain.errors import BadRequest, CheckFailed

DETERMINISM = "bit-exact on the same machine with the same lock file, across interruptions"
"""Determinism class of every run; another machine differs within the spread of the seeds."""


@dataclass(frozen=True)
class Machine:
    """Device and arithmetic of a run.

    Attributes:
        device: where tensors live.
        name: "cpu", or the accelerator's model.
        precision: "fp32", "tf32" (factors of products rounded to 10 bits of mantissa, on a GPU) or "bf16" (autocast of
            the forward pass; weights stay float32).
    """

    device: torch.device
    name: str
    precision: str

    @property
    def memory_format(self) -> torch.memory_format:
        """Layout of images in memory: what convolutions work on, on every device."""
        return torch.channels_last

    def autocast(self) -> AbstractContextManager:
        """Context of the forward pass."""
        if self.precision != "bf16":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def prepare(device: str, *, precision: str, threads: int) -> Machine:
    """Choose the device and make torch deterministic.

    Args:
        device: "auto", "cpu", "cuda" or "cuda:N".
        precision: "auto", "fp32", "tf32" or "bf16".
        threads: CPU threads; the order of sums depends on them.

    Raises:
        BadRequest: for a device or an arithmetic that is not there.
    """
    # cuBLAS reads it once, when the first context is made.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    chosen = _device(device)
    arithmetic = _precision(precision, chosen)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = arithmetic == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = arithmetic == "tf32"
    # Nothing here reads memory before writing it; filling it first would only cost time.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    name = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else "cpu"
    return Machine(chosen, name, arithmetic)


def model_of(device: torch.device) -> str:
    """What a reader calls the device: the model of the accelerator or of the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise BadRequest("no such device", value=wanted, where="--device", next_step="auto, cpu or cuda") from None
    there = device.type == "cpu" or (
        device.type == "cuda" and torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    )
    if not there:
        raise BadRequest(
            "this machine has no such device", value=wanted, where="--device", next_step="use --device auto or cpu"
        )
    return device


def _precision(wanted: str, device: torch.device) -> str:
    has_bf16 = device.type == "cpu" or torch.cuda.is_bf16_supported(including_emulation=False)
    if wanted == "auto":
        return "bf16" if device.type == "cuda" and has_bf16 else "fp32"
    if wanted == "tf32" and device.type == "cpu":
        raise BadRequest(
            "a CPU has no TF32 arithmetic", value=wanted, where="train.precision", next_step="set it to auto or fp32"
        )
    if wanted == "bf16" and not has_bf16:
        raise BadRequest(
            "this device has no bf16 arithmetic",
            value=torch.cuda.get_device_name(device),
            where="train.precision",
            next_step="set train.precision to auto or fp32",
        )
    return wanted


@contextmanager
def memory_errors(
    batch_size: int, *, step: str = "a training step", key: str = "batch_size of the regimen"
) -> Iterator[None]:
    """Turn a lack of memory into one message with the batch size that was tried and the key that sets it."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _too_little(batch_size, step, key) from error
    except RuntimeError as error:
        if "allocate memory" not in str(error):  # what torch's CPU allocator raises instead
            raise
        raise _too_little(batch_size, step, key) from error


def _too_little(batch_size: int, step: str, key: str) -> CheckFailed:
    return CheckFailed(
        f"the device has too little free memory for {step}",
        value=f"batch size {batch_size}",
        where=f"{key}, network.width, preprocess.image_size",
        next_step=f"free memory or halve {key}; finished runs are kept",
    )
