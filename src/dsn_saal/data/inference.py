"""Logits of a trained network, slice by slice, and the file that stands for weights that were not kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from dsn_saal.data.resident import ResidentImages
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.models import Network, read_weights
from dsn_saal.storage.atomic import replacing

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

    Raises:
        CheckFailed: where a logit is no number: no class could be named from it.
    """
    batches = []
    positions = torch.arange(len(images), device=images.pixels.device).split(batch_size)
    for index in progress(positions, len(positions)):
        batches.append(torch.stack(network(images.batch(index))).double().cpu())
    logits = torch.cat(batches, dim=1).numpy()
    if not np.isfinite(logits).all():
        raise CheckFailed(
            "a network answers with something that is no number",
            value=f"{int((~np.isfinite(logits)).any(axis=(0, 2)).sum())} of {len(images)} images",
            next_step="lower lr of the regimen and train again, or look at the images",
        )
    return logits


def voted_logits(
    network: Network,
    weights: Sequence[Path],
    images: ResidentImages,
    *,
    batch_size: int,
    progress: Progress = lambda items, _: items,
) -> NDArray[np.float64]:
    """Logits of a network under the weights of each epoch that votes, one after another; it ends with the last.

    Args:
        network: in evaluation mode, on the device of the images.
        weights: a file an epoch, in the order in which their answers are averaged.
        images: n images.
        batch_size: images a step.
        progress: passes batches on and shows how many of a total went by.

    Returns:
        (outputs, n, C) for one file, (epochs, outputs, n, C) for several.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where it belongs to another network, or a logit is no number.
    """
    answers = []
    for path in weights:
        read_weights(path, network)
        answers.append(predict_logits(network, images, batch_size=batch_size, progress=progress))
    return answers[0] if len(answers) == 1 else np.stack(answers)


def write_logits(path: Path, logits: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
    """Write logits (..., n, C) as the float32 that they are, with the rows of images.npy (n,) they belong to."""
    with replacing(path) as part:
        save_file({"logits": logits.astype(np.float32), "rows": rows.astype(np.int64)}, part)


def read_logits(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits (..., n, C) and rows (n,) that `write_logits` wrote; raises CheckFailed where the file is damaged."""
    try:
        held = load_file(path)
        return held["logits"].astype(np.float64), held["rows"]
    except (SafetensorError, OSError, KeyError) as error:
        raise CheckFailed(
            "the kept logits cannot be read", value=str(error), where=path, next_step="run dsn-saal train again"
        ) from None
