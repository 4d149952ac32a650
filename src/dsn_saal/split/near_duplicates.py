"""Pictures that are nearly the same: a perceptual hash finds candidates, their pixels decide.

What decides is computed in whole numbers but for the last division, so that every machine finds the same pairs; what
only spares the work on pairs that cannot count is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed

LOW = 8
"""Side of the square of low frequencies that make the hash: 64 bits."""

BLOCK = 2048
"""Pictures that are compared with as many later ones at a time."""

COARSE = 5
"""Side of the square of low frequencies that tells most pairs apart before anything else is looked at."""

SLACK = 1e-3
"""What rounding may cost the coarse comparison; its own error is a hundredth of that."""

MOST_PAIRS = 5_000_000
"""Pairs that are listed; more mean that the limits fit these pictures badly, and would fill the memory."""


@cache
def _cosines(side: int) -> NDArray[np.int64]:
    """(LOW + 1, side) cosine transform in whole numbers."""
    frequency, place = np.arange(LOW + 1)[:, None], np.arange(side)[None, :]
    return np.rint(np.cos(np.pi * frequency * (2 * place + 1) / (2 * side)) * 2**16).astype(np.int64)


def perceptual_hash(grid: NDArray[np.int16]) -> np.uint64:
    """64 bits: which low frequencies of the cosine transform lie above their median; the mean grey is left out.

    Args:
        grid: (side, side), the crop of a picture; the side is at least LOW + 1.
    """
    cosines = _cosines(len(grid))
    waves = cosines @ grid.astype(np.int64) @ cosines.T
    low = np.delete(waves[:LOW, : LOW + 1].reshape(-1), 0)[: LOW * LOW]
    bits = low > np.sort(low)[LOW * LOW // 2]
    return np.packbits(bits).view(">u8")[0].astype(np.uint64)


def near_pairs(
    grids: NDArray[np.int16], hashes: NDArray[np.uint64], cases: Sequence[str], *, hash_bits: int, correlation: float
) -> list[tuple[int, int, float]]:
    """Pairs of nearly equal pictures of different (or unknown) cases: positions i < j and their correlation.

    Args:
        grids: (N, side, side) means of the crop's blocks, as preprocessing writes them.
        hashes: (N,) from `perceptual_hash`.
        cases: case per picture, "" where it is unknown; slices of one case resemble each other rightly.
        hash_bits: largest Hamming distance of a candidate.
        correlation: least correlation of a pair's grids.

    Raises:
        CheckFailed: where more than MOST_PAIRS are found.
    """
    flat = grids.reshape(len(grids), -1)
    codes = np.unique(np.asarray(cases, dtype=str), return_inverse=True)[1]
    unknown = np.array([not case for case in cases], dtype=bool)
    found: list[tuple[int, int, float]] = []
    for i, j in _alike(grids, correlation):
        near = np.bitwise_count(hashes[i] ^ hashes[j]) <= hash_bits
        apart = near & ((codes[i] != codes[j]) | unknown[i])
        i, j = i[apart], j[apart]
        correlated = _correlations(flat, i, j)
        kept = correlated >= correlation
        found += zip(i[kept].tolist(), j[kept].tolist(), correlated[kept].tolist(), strict=True)
        if len(found) > MOST_PAIRS:
            raise CheckFailed(
                "too many pictures look like each other to list the pairs",
                value=f"more than {MOST_PAIRS} pairs of {len(grids)} pictures",
                where="certificate.correlation",
                next_step="raise certificate.correlation, or look whether the images are what they should be",
            )
    return sorted(found)


def _alike(grids: NDArray[np.int16], correlation: float) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Positions i < j of pictures that may correlate so: a superset, by a bound that no such pair can break.

    Grids of mean 0 and length 1 lie sqrt(2 - 2 r) apart, where r is their correlation. Projected to a few low
    frequencies they can only come closer, so that a pair farther apart than that there need not be compared in full.
    """
    varied = np.flatnonzero(grids.min(axis=(1, 2)) < grids.max(axis=(1, 2)))  # one grey correlates with nothing
    waves = _low_waves(grids, varied)
    half = (waves**2).sum(axis=1, keepdims=True) / 2
    one = np.ones_like(half)
    rows, columns = np.hstack([waves, -half, -one]), np.hstack([waves, one, half])
    least = np.float32(correlation - 1 - SLACK)  # of minus half the square of the distance
    for first in range(0, len(varied), BLOCK):
        block = rows[first : first + BLOCK]
        for start in range(first, len(varied), BLOCK):
            i, j = np.nonzero(block @ columns[start : start + BLOCK].T >= least)
            i, j = i + first, j + start
            later = i < j
            yield varied[i[later]], varied[j[later]]


def _low_waves(grids: NDArray[np.int16], chosen: NDArray[np.intp]) -> NDArray[np.float32]:
    """(len(chosen), COARSE**2 - 1) low frequencies of the chosen grids, each grid brought to mean 0 and length 1."""
    side = grids.shape[1]
    frequency, place = np.arange(COARSE)[:, None], np.arange(side)[None, :]
    cosines = np.cos(np.pi * frequency * (2 * place + 1) / (2 * side)) * np.sqrt(2 / side)  # orthonormal but for row 0
    cosines[0] /= np.sqrt(2)
    waves = np.empty((len(chosen), COARSE**2 - 1), np.float32)
    for start in range(0, len(chosen), BLOCK):
        grey = grids[chosen[start : start + BLOCK]].astype(np.float64)
        grey -= grey.mean(axis=(1, 2), keepdims=True)
        grey /= np.sqrt((grey**2).sum(axis=(1, 2), keepdims=True))
        waves[start : start + BLOCK] = (cosines @ grey @ cosines.T).reshape(len(grey), -1)[:, 1:]
    return waves


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
