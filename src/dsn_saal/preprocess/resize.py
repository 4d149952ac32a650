"""Resizing that gives the same bytes on every processor."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

_SCALE_BITS = 11
"""Fixed-point bits of one filter weight."""

_CUBIC = -0.75
"""Parameter of the cubic kernel, as in OpenCV and PyTorch."""


def resize(image: NDArray[np.uint8], side: int, *, interpolation: str) -> NDArray[np.uint8]:
    """Resize a slice or picture to (side, side), whatever its own shape.

    Bilinear is OpenCV's bit-exact variant. For area and cubic OpenCV has none: there the separable filter has integer
    weights, so that every sum is a whole number far below 2**53 and float64 products are exact in any order.

    Args:
        image: (rows, columns) uint8.
        side: side of the result.
        interpolation: "bilinear" (two neighbours a direction, no smoothing), "area" or "cubic".
    """
    if image.shape == (side, side):
        return image.copy()
    if interpolation == "bilinear":
        return cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[return-value]
    down, across = (_weights(length, side, interpolation) for length in image.shape)
    sums = down @ image.astype(np.float64) @ across.T
    half = 1 << (2 * _SCALE_BITS - 1)
    rounded = (sums.astype(np.int64) + half) >> (2 * _SCALE_BITS)
    return np.clip(rounded, 0, 255).astype(np.uint8)


def resize_mask(mask: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resize a 0/255 mask; a pixel belongs to the result where the interpolated mask is at least one half."""
    half = 128
    return cv2.threshold(resize(mask, side, interpolation="bilinear"), half - 1, 255, cv2.THRESH_BINARY)[1]  # type: ignore


@lru_cache(maxsize=8)
def _weights(n: int, side: int, interpolation: str) -> NDArray[np.float64]:
    """(side, n) filter matrix of whole numbers, each row summing to 2**_SCALE_BITS."""
    table = np.zeros((side, n))
    for row in range(side):
        taps = _area_taps(row, n, side) if interpolation == "area" else _cubic_taps(row, n, side)
        for column, weight in taps:
            table[row, min(max(column, 0), n - 1)] += weight
    whole = np.rint(table * (1 << _SCALE_BITS))
    whole[np.arange(side), np.argmax(whole, axis=1)] += (1 << _SCALE_BITS) - whole.sum(axis=1)
    return whole


def _area_taps(row: int, n: int, side: int) -> list[tuple[int, float]]:
    """Share of each source pixel in the stretch that target pixel `row` covers, in exact units of 1/side."""
    start, stop = row * n, (row + 1) * n
    first, last = start // side, (stop - 1) // side
    return [(at, (min(stop, (at + 1) * side) - max(start, at * side)) / n) for at in range(first, last + 1)]


def _cubic_taps(row: int, n: int, side: int) -> list[tuple[int, float]]:
    """Keys' cubic kernel round the centre of target pixel `row`."""
    centre = (2 * row + 1) * n / (2 * side) - 0.5
    first = int(np.floor(centre)) - 1
    return [(at, _keys(abs(centre - at))) for at in range(first, first + 4)]


def _keys(distance: float) -> float:
    if distance <= 1:
        return (_CUBIC + 2) * distance**3 - (_CUBIC + 3) * distance**2 + 1
    return _CUBIC * (distance**3 - 5 * distance**2 + 8 * distance - 4)
