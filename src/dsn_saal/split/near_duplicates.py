"""Pictures that are nearly the same: a perceptual hash finds candidates, their pixels decide.

Both are about whole pictures or lung crops, see `crops`. Between the hash and the pixels stand two cheap tests that
only sort out: what fails them by far cannot pass the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dsn_saal.split.alignment import GRID, aligned_correlation, steps
from dsn_saal.split.crops import Crop

LOW = 8
"""Side of the square of low frequencies that make the hash: 64 bits."""

BLOCK = 1024
"""Pictures that are compared with later ones at a time, and pairs whose pixels are."""

LEAST_CORRELATION, LEAST_FIT = 0.65, 0.75
"""What the grids of a pair must reach as they lie, and after the best small move, to be laid on each other in earnest."""


@cache
def _cosines() -> NDArray[np.int64]:
    """(LOW + 1, GRID) cosine transform in whole numbers."""
    frequency, place = np.arange(LOW + 1)[:, None], np.arange(GRID)[None, :]
    return np.rint(np.cos(np.pi * frequency * (2 * place + 1) / (2 * GRID)) * 2**16).astype(np.int64)


def hash_grid(crop: Crop) -> NDArray[np.int16]:
    """The crop as (GRID, GRID) block means."""
    return crop.grid(GRID, crop.whole).astype(np.int16)


def perceptual_hash(grid: NDArray[np.int16]) -> np.uint64:
    """64 bits: which low frequencies of the cosine transform lie above their median; the mean grey is left out."""
    cosines = _cosines()
    waves = cosines @ grid.astype(np.int64) @ cosines.T
    low = np.delete(waves[:LOW, : LOW + 1].reshape(-1), 0)[: LOW * LOW]
    bits = low > np.sort(low)[LOW * LOW // 2]
    return np.packbits(bits).view(">u8")[0].astype(np.uint64)


def near_pairs(
    crop: Callable[[int], Crop],
    grids: NDArray[np.int16],
    cases: Sequence[str],
    *,
    hash_bits: int,
    correlation: float,
) -> list[tuple[int, int, float]]:
    """Pairs of nearly equal pictures of different (or unknown) cases: positions i < j and their correlation.

    Args:
        crop: the crop of a position; asked for again and again, so it had better remember.
        grids: (N, GRID, GRID) from `hash_grid`.
        cases: case per picture, "" where it is unknown; slices of one case resemble each other rightly.
        hash_bits: largest Hamming distance of a candidate.
        correlation: least correlation of a pair's details.
    """
    hashes = np.array([perceptual_hash(grid) for grid in grids], dtype=np.uint64)
    codes = np.unique(np.asarray(cases, dtype=str), return_inverse=True)[1]
    unknown = np.array([not case for case in cases], dtype=bool)
    found = []
    for i, j in _candidates(hashes, hash_bits):
        apart = (codes[i] != codes[j]) | unknown[i]
        for a, b in _alike(grids, i[apart], j[apart]):
            measured = aligned_correlation(crop(a), crop(b))
            if measured >= correlation:
                found.append((a, b, measured))
    return sorted(found)


def _candidates(hashes: NDArray[np.uint64], hash_bits: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    for first in range(0, len(hashes), BLOCK):
        block = hashes[first : first + BLOCK]
        for start in range(first, len(hashes), 8 * BLOCK):
            later = hashes[start : start + 8 * BLOCK]
            near = np.bitwise_count(block[:, None] ^ later[None, :]) <= hash_bits
            i, j = np.nonzero(near)
            i, j = i + first, j + start
            yield i[i < j], j[i < j]


def _alike(grids: NDArray[np.int16], i: NDArray[np.intp], j: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """The pairs that stand the two cheap tests."""
    for start in range(0, len(i), BLOCK):
        one, other = i[start : start + BLOCK], j[start : start + BLOCK]
        alike = _correlations(grids, one, other) >= LEAST_CORRELATION
        one, other = one[alike], other[alike]
        if len(one):
            fits = steps(grids[one].astype(np.int64), grids[other].astype(np.int64))[1] >= LEAST_FIT
            yield from zip(one[fits].tolist(), other[fits].tolist(), strict=True)


def _correlations(grids: NDArray[np.int16], i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.float64]:
    """Correlation of each pair of grids as they lie, 0 where one is of one grey."""
    x, y = (grids[at].reshape(len(at), -1).astype(np.int64) for at in (i, j))
    n, sx, sy = x.shape[1], x.sum(axis=1), y.sum(axis=1)
    both = n * (x * y).sum(axis=1) - sx * sy
    spread = (n * (x * x).sum(axis=1) - sx**2).astype(np.float64) * (n * (y * y).sum(axis=1) - sy**2)
    return np.divide(both, np.sqrt(spread), out=np.zeros(len(x)), where=spread > 0)
