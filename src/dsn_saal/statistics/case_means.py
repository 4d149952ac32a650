"""Means over slices with intervals that speak of the cases they belong to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsn_saal.statistics.intervals import draw_cases

FEWEST_CASES = 5
"""Fewest cases of each class behind an interval over cases: drawing two or three again hides how few they are."""


def mean_over_cases(
    values: NDArray[np.floating], cases: NDArray[np.integer], *, level: float, draws: int, seed: int
) -> tuple[float | None, tuple[float, float] | None]:
    """Mean over slices and its percentile interval under resampling of whole cases.

    Args:
        values: (n,) one a slice; NaN is left out.
        cases: (n,) number of each slice's case.
        level: coverage.
        draws: number of resamples.
        seed: of the resampling.

    Returns:
        Mean and interval; None where no value is defined, and no interval where fewer than two cases have one.
    """
    defined = ~np.isnan(values)
    if not defined.any():
        return None, None
    kept = np.asarray(values[defined], np.float64)
    numbers = np.unique(cases[defined], return_inverse=True)[1]
    sums, counts = np.bincount(numbers, weights=kept), np.bincount(numbers).astype(np.float64)
    if len(counts) < 2:
        return float(kept.mean()), None
    times = draw_cases(np.zeros(len(counts), np.int64), draws, seed)
    # Sums over the cases one after the other, not by a matrix product: the same bits on every processor.
    means = (times * sums).sum(axis=1) / (times * counts).sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(kept.mean()), (float(low), float(high))


def rank_correlations(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    """Spearman's correlation of each row of one array with the same row of another, ties sharing their mean rank.

    Args:
        first: (n, m).
        second: (n, m).

    Returns:
        (n,); NaN where either row is constant.
    """
    from pandas import DataFrame

    ranks = [DataFrame(rows).rank(axis=1).to_numpy() for rows in (first, second)]
    one, other = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return np.divide((one * other).sum(axis=1), spread, out=np.full(len(one), np.nan), where=spread > 0)
