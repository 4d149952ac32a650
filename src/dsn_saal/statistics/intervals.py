"""Intervals that speak of the cases: slices of one case are not independent, so whole cases are drawn."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.confusion import confusion_matrix, confusion_metrics

Floats = NDArray[np.float64]


def wilson(successes: float, n: int, level: float) -> tuple[float, float]:
    """Wilson score interval of a proportion.

    Args:
        successes: how many of `n`; may be fractional where a share is applied to a number of cases.
        n: number of independent trials, at least 1.
        level: coverage in (0, 1).
    """
    if n < 1 or not 0 <= successes <= n:
        raise BadRequest("a proportion needs 0 <= successes <= n with n >= 1", value=(successes, n))
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def case_confusions(
    labels: NDArray[np.integer],
    predicted: NDArray[np.integer],
    cases: NDArray[np.integer],
    n_classes: int,
    n_cases: int | None = None,
) -> Floats:
    """One confusion matrix a case, (cases, C, C); `cases` numbers them from 0, without gaps where `n_cases` is None."""
    if n_cases is None:
        n_cases = int(cases.max()) + 1 if cases.size else 0
    return np.stack([confusion_matrix(labels[cases == k], predicted[cases == k], n_classes) for k in range(n_cases)])


def draw_cases(strata: NDArray[np.integer], draws: int, seed: int) -> Floats:
    """How often each case is drawn, (draws, cases): with replacement, as many of each stratum as there are.

    Args:
        strata: (cases,) the class of each case, so that every draw holds every class.
        draws: number of resamples.
        seed: seed of the PCG64 stream.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    times = np.zeros((draws, strata.size))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        times[:, members] = generator.multinomial(members.size, np.full(members.size, 1 / members.size), size=draws)
    return times


def bootstrap_intervals(
    confusions: Floats, strata: NDArray[np.integer], *, positive: int, level: float, draws: int, seed: int
) -> dict[str, tuple[float, float] | None]:
    """Percentile intervals over cases for every metric of the confusion matrix, averaged over runs.

    Each draw resamples cases with all their slices, the same cases for every run, measures each run and takes the mean.
    The interval therefore speaks of other test cases, not of other seeds or splits.

    Args:
        confusions: (runs, cases, C, C).
        strata: (cases,) class of each case.
        positive: class of the `positive` conventions.
        level: coverage, e.g. 0.95.
        draws: number of resamples.
        seed: seed of the resampling.

    Returns:
        Metric name to (low, high); None where the metric is undefined in any draw.
    """
    runs, cases, n_classes, _ = confusions.shape
    times = draw_cases(strata, draws, seed)
    # whole numbers throughout: the product is exact, whatever the order of its sums
    resampled = (times @ confusions.reshape(runs, cases, n_classes * n_classes)).reshape(
        runs, draws, n_classes, n_classes
    )
    tails = ((1 - level) / 2, (1 + level) / 2)
    intervals: dict[str, tuple[float, float] | None] = {}
    for name, values in confusion_metrics(resampled, positive).items():
        means = values.mean(axis=0)
        low_high = None if np.isnan(means).any() else np.quantile(means, tails)
        intervals[name] = None if low_high is None else (float(low_high[0]), float(low_high[1]))
    return intervals
