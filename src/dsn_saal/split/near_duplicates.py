"""Pictures that are nearly the same: a perceptual hash finds candidates, their pixels decide.

All arithmetic is on whole numbers but for the last division, so that every machine finds the same pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

GRID = 32
"""Side of the grid that a crop is brought to, for the hash and for the comparison."""

LOW = 8
"""Side of the square of low frequencies that make the hash: 64 bits."""

SCALE = 16
"""Grey values on the grid carry this factor, so that whole numbers keep the mean of a block."""

BLOCK = 2048
"""Pictures that are compared with all later ones at a time."""


def grey_grid(image: NDArray[np.uint8], mask: NDArray[np.bool_] | None) -> NDArray[np.int16]:
    """The crop of a picture as (GRID, GRID) block means times SCALE.

    Args:
        image: (rows, columns) uint8.
        mask: where the lungs are; the crop is their rectangle. None, empty or full: the whole picture.
    """
    if mask is not None and mask.any():
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        image = image[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    for axis in (0, 1):  # a side that is shorter than the grid is repeated, pixel by pixel
        image = np.repeat(image, -(-2 * GRID // image.shape[axis]), axis=axis)
    rows, columns = (np.arange(GRID) * side // GRID for side in image.shape)
    sums = np.add.reduceat(np.add.reduceat(image.astype(np.int64), rows, axis=0), columns, axis=1)
    areas = np.outer(np.diff(rows, append=image.shape[0]), np.diff(columns, append=image.shape[1]))
    return ((sums * SCALE + areas // 2) // areas).astype(np.int16)


@cache
def _cosines() -> NDArray[np.int64]:
    """(LOW + 1, GRID) cosine transform in whole numbers."""
    frequency, place = np.arange(LOW + 1)[:, None], np.arange(GRID)[None, :]
    return np.rint(np.cos(np.pi * frequency * (2 * place + 1) / (2 * GRID)) * 2**16).astype(np.int64)


def perceptual_hash(grid: NDArray[np.int16]) -> np.uint64:
    """64 bits: which low frequencies of the cosine transform lie above their median; the mean grey is left out."""
    cosines = _cosines()
    waves = cosines @ grid.astype(np.int64) @ cosines.T
    low = np.delete(waves[:LOW, : LOW + 1].reshape(-1), 0)[: LOW * LOW]
    bits = low > np.sort(low)[LOW * LOW // 2]
    return np.packbits(bits).view(">u8")[0].astype(np.uint64)


def near_pairs(
    grids: NDArray[np.int16], hashes: NDArray[np.uint64], cases: Sequence[str], *, hash_bits: int, correlation: float
) -> list[tuple[int, int, float]]:
    """Pairs of nearly equal pictures of different (or unknown) cases: positions i < j and their correlation.

    Args:
        grids: (N, GRID, GRID) from `grey_grid`.
        hashes: (N,) from `perceptual_hash`.
        cases: case per picture, "" where it is unknown; slices of one case resemble each other rightly.
        hash_bits: largest Hamming distance of a candidate.
        correlation: least correlation of a pair's grids.
    """
    flat = grids.reshape(len(grids), -1)
    codes = np.unique(np.asarray(cases, dtype=str), return_inverse=True)[1]
    unknown = np.array([not case for case in cases], dtype=bool)
    found = []
    for i, j in _candidates(hashes, hash_bits):
        apart = (codes[i] != codes[j]) | unknown[i]
        i, j = i[apart], j[apart]
        found += [
            (int(a), int(b), float(r))
            for a, b, r in zip(i, j, _correlations(flat, i, j), strict=True)
            if r >= correlation
        ]
    return sorted(found)


def _candidates(hashes: NDArray[np.uint64], hash_bits: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    for first in range(0, len(hashes), BLOCK):
        block = hashes[first : first + BLOCK]
        for start in range(first, len(hashes), 16 * BLOCK):
            later = hashes[start : start + 16 * BLOCK]
            near = np.bitwise_count(block[:, None] ^ later[None, :]) <= hash_bits
            i, j = np.nonzero(near)
            i, j = i + first, j + start
            yield i[i < j], j[i < j]


def _correlations(flat: NDArray[np.int16], i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.float64]:
    """Correlation of each pair, 0 where a picture is of one grey."""
    out = np.empty(len(i))
    for start in range(0, len(i), BLOCK):
        part = slice(start, start + BLOCK)
        x, y = flat[i[part]].astype(np.int64), flat[j[part]].astype(np.int64)
        n, sx, sy = x.shape[1], x.sum(axis=1), y.sum(axis=1)
        both = n * (x * y).sum(axis=1) - sx * sy
        spread = (n * (x * x).sum(axis=1) - sx**2).astype(np.float64) * (n * (y * y).sum(axis=1) - sy**2)
        out[part] = np.divide(both, np.sqrt(spread), out=np.zeros(len(x)), where=spread > 0)
    return out
