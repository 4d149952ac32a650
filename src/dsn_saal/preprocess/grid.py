"""A slice's crop on a small grid: what the split looks for near duplicates on.

Taken at the acquired size: the network's input may be so small, and so coarsely sampled, that two copies of a picture
no longer look alike on it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

GRID = 32
"""Side of the grid that a crop is brought to."""

SCALE = 16
"""Grey values on the grid carry this factor, so that whole numbers keep the mean of a block."""

_MOST_IN_32_BITS = 2**31 // 255
"""Pixels whose grey values sum to less than 2**31."""


def grey_grid(image: NDArray[np.uint8], mask: NDArray[np.uint8] | NDArray[np.bool_] | None) -> NDArray[np.int16]:
    """The crop of a picture as (GRID, GRID) block means times SCALE, in whole numbers.

    Args:
        image: (rows, columns) uint8.
        mask: where the lungs are; the crop is their rectangle. None, empty or full: the whole picture.
    """
    if mask is not None and mask.any():
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        image = image[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    for axis in (0, 1):  # a side that is shorter than two pixels a block is repeated, pixel by pixel
        times = -(-2 * GRID // image.shape[axis])
        image = np.repeat(image, times, axis=axis) if times > 1 else image
    rows, columns = (np.arange(GRID + 1) * side // GRID for side in image.shape)
    depth = cv2.CV_32S if image.size < _MOST_IN_32_BITS else cv2.CV_64F  # both hold the sums exactly
    corners = cv2.integral(np.ascontiguousarray(image), sdepth=depth)[np.ix_(rows, columns)].astype(np.int64)
    sums = np.diff(np.diff(corners, axis=0), axis=1)
    areas = np.outer(np.diff(rows), np.diff(columns))
    return ((sums * SCALE + areas // 2) // areas).astype(np.int16)
