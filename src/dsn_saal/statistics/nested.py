"""Intervals over cases and runs: each draw takes cases within their class, then one run.

A spread over seeds leaves out that the test part is a sample of patients; an interval over cases alone leaves out that
training is a draw too. The hierarchical bootstrap (Davison and Hinkley 1997, section 3.8) draws both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.clusters import CaseCounts, resampled_metrics
from dsn_saal.statistics.intervals import draw_cases

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Ends of an interval, or why there is none.

    Attributes:
        bounds: low and high; None where there is no interval.
        missing_because: None where there is one.
    """

    bounds: tuple[float, float] | None
    missing_because: str | None = None


def percentile_interval(values: Floats, level: float) -> Interval:
    """Percentile interval of draws (draws,); none where any of them is undefined: the rest would be a selection."""
    undefined = int(np.isnan(values).sum())
    if undefined:
        return Interval(None, f"undefined in {undefined} of {values.size} draws")
    low, high = np.quantile(values, ((1 - level) / 2, (1 + level) / 2))
    return Interval((float(low), float(high)))


def reflected_interval(estimate: float, values: Floats, level: float) -> Interval:
    """Basic bootstrap interval (Davison and Hinkley 1997, section 5.2) of a quantity that is at least 0.

    For what resampling itself raises, such as a calibration error: the percentiles would lie above the estimate, and
    are reflected at it. Ends below 0 are set to 0.
    """
    found = percentile_interval(values, level)
    if found.bounds is None or np.isnan(estimate):
        return Interval(None, found.missing_because or "the estimate is undefined")
    low, high = found.bounds
    return Interval((max(0.0, 2 * estimate - high), max(0.0, 2 * estimate - low)))


def draw_nested(strata: NDArray[np.integer], runs: int, draws: int, seed: int) -> tuple[Floats, NDArray[np.int64]]:
    """Cases (draws, cases) as `draw_cases` draws them, and the run of each draw (draws,), from a stream of its own."""
    if runs < 1:
        raise BadRequest("there is no run to draw", value=runs)
    chosen = np.random.Generator(np.random.PCG64([seed, 1])).integers(runs, size=draws)
    return draw_cases(strata, draws, seed), chosen


def nested_bootstrap(
    counts: Sequence[CaseCounts],
    strata: NDArray[np.integer],
    *,
    positive: int,
    classes: tuple[str, ...],
    draws: int,
    seed: int,
) -> dict[str, Floats]:
    """Every metric in draws of cases within their class and of one run each.

    Args:
        counts: one a run, of the same cases.
        strata: (cases,) class of each case, so that every draw holds every class.
        positive: class of the `positive` conventions.
        classes: names in label order.
        draws: number of resamples.
        seed: seed of the resampling.

    Returns:
        Metric name to (draws,), NaN where a metric is undefined in a draw.
    """
    times, chosen = draw_nested(strata, len(counts), draws, seed)
    found: dict[str, Floats] = {}
    for run, held in enumerate(counts):
        of_run = chosen == run
        for name, values in resampled_metrics(held, times[of_run], positive=positive, classes=classes).items():
            found.setdefault(name, np.full(draws, np.nan))[of_run] = values
    return found
