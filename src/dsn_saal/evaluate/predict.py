"""Probabilities of a trained network, slice by slice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from dsn_saal.data.resident import ResidentImages
from dsn_saal.models import Network

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


def fix_arithmetic(threads: int) -> None:
    """One arithmetic for all predictions: this many CPU threads, float32 without shortcuts, deterministic kernels."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it once, with the first context
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True)


@torch.inference_mode()
def predict_logits(
    network: Network, images: ResidentImages, *, batch_size: int, progress: Progress = lambda items, _: items
) -> NDArray[np.float64]:
    """Logits of every output of the network.

    Args:
        network: in evaluation mode, on the device of the images.
        images: n images.
        batch_size: images a step.
        progress: passes batches on and shows how many of a total went by.

    Returns:
        (outputs, n, C) float64: the float32 logits as they are, side outputs first, the final one last.
    """
    batches = []
    positions = torch.arange(len(images), device=images.pixels.device).split(batch_size)
    for index in progress(positions, len(positions)):
        batches.append(torch.stack(network(images.batch(index))).double().cpu())
    return torch.cat(batches, dim=1).numpy()


def probabilities_of(
    logits: NDArray[np.float64], predict_from: Literal["final", "mean_softmax"]
) -> NDArray[np.float64]:
    """Class probabilities (n, C) from logits (outputs, n, C): of the final output, or the mean over all outputs."""
    chosen = logits[-1:] if predict_from == "final" else logits
    return softmax(chosen).mean(axis=0)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis in float64, shifted so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
