"""All images of a part on the device as uint8; a batch is one index_select and one affine map."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.pixels import Normalisation

NORMALISATIONS: dict[Normalisation, tuple[float, float]] = {
    "imagenet_grey": (1 / (255 * 0.226), -0.449 / 0.226),
    "covid_ct": (1 / (255 * 0.33165374), -0.45271412 / 0.33165374),
    "unit": (1 / 255, 0.0),
    "none": (1.0, 0.0),
}
"""Name to (factor, offset): a grey value v in 0..255 becomes factor * v + offset."""


def open_images(path: Path) -> NDArray[np.uint8]:
    """All of images.npy as (N, S, S) uint8, mapped and not read.

    Raises:
        BadRequest: where there is no such file or it is no array file.
        CheckFailed: where it holds something else than square uint8 images.
    """
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise BadRequest("there are no images", value=path, next_step="run dsn-saal preprocess first") from None
    except (ValueError, EOFError, OSError) as error:
        raise BadRequest("images are not an array file", value=path, where=str(error).splitlines()[0]) from None
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise CheckFailed("images must be (n, S, S) uint8", value=f"{images.shape} {images.dtype}", where=path)
    return images


def read_images(path: Path, rows: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
    """Rows of images.npy as (n, S, S) uint8, in the order of `rows`; the file is mapped, never read whole.

    Raises:
        BadRequest: see `open_images`.
        CheckFailed: see `open_images`, and where it lacks a row.
    """
    images = open_images(path)
    wanted = np.asarray(rows, dtype=np.int64)
    if len(wanted) == 0 or wanted.min() < 0 or wanted.max() >= len(images):
        raise CheckFailed(
            "the split and the images do not belong together",
            value=f"{len(images)} images, rows {wanted.min(initial=0)} to {wanted.max(initial=0)}",
            where=path,
            next_step="run preprocess and split again",
        )
    return images[wanted]


class ResidentImages:
    """Images on the device.

    Args:
        pixels: (n, S, S) uint8.
        device: where they shall live.
        normalise: a key of NORMALISATIONS.
    """

    def __init__(self, pixels: NDArray[np.uint8], *, device: torch.device, normalise: Normalisation) -> None:
        # The channel's axis is set before the rows are taken: index_select then copies whole images.
        self.pixels = torch.from_numpy(np.ascontiguousarray(pixels)).unsqueeze(1).to(device)
        self.factor, self.offset = NORMALISATIONS[normalise]

    def __len__(self) -> int:
        return len(self.pixels)

    def part(self, positions: Tensor) -> ResidentImages:
        """The images at these positions (m,) int64, in their order, on the same device."""
        chosen = copy.copy(self)
        chosen.pixels = self.pixels.index_select(0, positions.to(self.pixels.device))
        return chosen

    def batch(self, index: Tensor, change: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Images (B, 1, S, S) float32, normalised, for positions (B,) int64 on the device.

        `change` is applied before, to the grey values 0 to 255.
        """
        grey = self.pixels.index_select(0, index).float()
        return (grey if change is None else change(grey)).mul_(self.factor).add_(self.offset)
