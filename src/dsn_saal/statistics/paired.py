"""Two methods on the same seeds, splits and test cases: is one better, and what does the answer rest on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest

Floats = NDArray[np.float64]

TIED = 1e-9
"""Share of the summed absolute differences below which two sums of them are taken as equal: rounding, not evidence."""

BATCH = 1_000_000
"""Signs drawn at a time by the Monte Carlo test."""


@dataclass(frozen=True)
class SignFlip:
    """A two-sided sign-flip test.

    Attributes:
        p: share of sign assignments whose mean difference is at least as far from 0; None where undefined.
        smallest: the smallest p that so many runs could give at all.
        exact: whether every assignment was looked at.
        n: number of differences.
    """

    p: float | None
    smallest: float
    exact: bool
    n: int


def sign_flip(differences: Sequence[float], *, exact_up_to: int = 20, draws: int = 100_000, seed: int = 0) -> SignFlip:
    """Under the null hypothesis each paired difference is as likely to have the other sign (Fisher 1935, section 21).

    Args:
        differences: one a run, NaN where undefined.
        exact_up_to: with at most so many differences all 2^n assignments are looked at.
        draws: assignments that are drawn beyond that; p = (1 + hits) / (1 + draws) (Phipson and Smyth 2010).
        seed: of those draws.

    Returns:
        p None without a difference or with an undefined one; p 1 where all are 0.
    """
    values = np.asarray(differences, dtype=np.float64)
    n = values.size
    exact = n <= exact_up_to
    smallest = min(1.0, 2.0 ** (1 - n)) if exact else 1 / (1 + draws)
    if not n or not np.isfinite(values).all():
        return SignFlip(None, smallest, exact, n)
    edge = abs(values.sum()) - TIED * abs(values).sum()
    if exact:
        sums = np.zeros(1)
        for value in values:
            sums = np.concatenate([sums + value, sums - value])
        return SignFlip(float((abs(sums) >= edge).mean()), smallest, exact, n)
    generator, hits, left = np.random.Generator(np.random.PCG64(seed)), 0, draws
    while left:
        size = min(left, max(1, BATCH // n))
        signs = generator.integers(0, 2, size=(size, n)) * 2 - 1
        hits += int((abs(signs @ values) >= edge).sum())
        left -= size
    return SignFlip((1 + hits) / (1 + draws), smallest, exact, n)


def two_sided_share(differences: Floats) -> float | None:
    """Two-sided p of a bootstrap of a difference: the level at which its percentile interval just reaches 0.

    Args:
        differences: (draws,), NaN where undefined.

    Returns:
        2 (1 + the smaller of the draws at most and at least 0) / (draws + 1), at most 1 (Davison and Hinkley 1997,
        section 4.2); None where a draw is undefined.
    """
    if not differences.size or np.isnan(differences).any():
        return None
    tail = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (1 + tail) / (differences.size + 1))


@dataclass(frozen=True)
class CorrectedT:
    """Corrected resampled t-test.

    Attributes:
        mean: of the differences; None where one is undefined.
        t: statistic; None where the spread is 0 or there are fewer than two differences.
        p: two-sided.
        interval: of the mean difference.
    """

    mean: float | None
    t: float | None
    p: float | None
    interval: tuple[float, float] | None


def corrected_t(differences: Sequence[float], *, test_share: float, level: float) -> CorrectedT:
    """Test of differences over repeated random splits, whose training parts overlap (Nadeau and Bengio 2003).

    The variance of the mean is s^2 (1/J + n_test / n_train), not s^2 / J.

    Args:
        differences: one a split, NaN where undefined.
        test_share: n_test / n_train.
        level: coverage of the interval.
    """
    from scipy.special import stdtr, stdtrit

    if test_share < 0:
        raise BadRequest("n_test / n_train cannot be negative", value=test_share)
    values = np.asarray(differences, dtype=np.float64)
    if not values.size or not np.isfinite(values).all():
        return CorrectedT(None, None, None, None)
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    if spread <= TIED * float(abs(values).max()):
        return CorrectedT(mean, None, None, None)
    error, freedom = spread * math.sqrt(1 / values.size + test_share), values.size - 1
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    return CorrectedT(mean, mean / error, float(2 * stdtr(freedom, -abs(mean) / error)), (mean - reach, mean + reach))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Step-down adjusted p-values of a family (Holm 1979), in the order given.

    A test that has no p-value stays without one, and counts: it was planned, and dropping it would make the others
    look better.
    """
    n = len(p_values)
    order = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * n
    largest = 0.0
    for rank, (p, place) in enumerate(order):
        if not 0 <= p <= 1:
            raise BadRequest("a p-value lies in [0, 1]", value=p)
        largest = max(largest, min(1.0, (n - rank) * p))
        adjusted[place] = largest
    return adjusted


def probability_of_improvement(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """P(A > B): share of all pairs of runs in which the first is higher, ties half (Agarwal et al. 2021).

    None without runs, or where one is undefined.
    """
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if not a.size or not b.size or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    gaps = a[:, None] - b[None, :]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())
