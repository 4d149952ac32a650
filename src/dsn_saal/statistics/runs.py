"""Mean, standard deviation and interval over runs."""

from __future__ import annotations

import math
from collections.abc import Sequence


def mean_and_sd(values: Sequence[float], ddof: int) -> tuple[float | None, float | None]:
    """Mean and standard deviation of a run-level metric.

    Args:
        values: one per run, NaN where undefined.
        ddof: the divisor is n - ddof.

    Returns:
        Mean and sd. Both None where any run is undefined (an average over the lucky runs would be selective) or
        there is no run; sd None where n <= ddof or n < 2.
    """
    n = len(values)
    if not n or any(math.isnan(value) for value in values):
        return None, None
    mean = math.fsum(values) / n
    if n < 2 or n <= ddof:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - ddof))


def interval_of_mean(values: Sequence[float], level: float) -> tuple[float, float] | None:
    """Student's interval for the mean of independent runs.

    Args:
        values: one per run, NaN where undefined.
        level: coverage, such as 0.95.

    Returns:
        Its two ends, not clipped to the range of the metric; None for fewer than two runs or an undefined one.
    """
    from scipy.special import stdtrit  # Student's quantile; scipy.stats takes half a second to import

    mean, sd = mean_and_sd(values, 1)
    if mean is None or sd is None:
        return None
    reach = float(stdtrit(len(values) - 1, (1 + level) / 2)) * sd / math.sqrt(len(values))
    return mean - reach, mean + reach


def spread_components(values: Sequence[float], draws: Sequence[int]) -> tuple[float, float] | None:
    """How much of the spread is the seed's and how much the split's: one-way analysis of variance, random effects.

    Searle, Casella, McCulloch, Variance Components (1992), section 3.5: equal numbers of runs of each draw.

    Args:
        values: one per run, NaN where undefined.
        draws: draw of the split that each run used.

    Returns:
        Standard deviations over seeds within a draw and over draws; the latter 0 where the draws differ by no more than
        their seeds explain. None where there are fewer than two draws, fewer than two runs of one, unequal numbers of
        runs, or an undefined one.
    """
    groups = [[value for value, of in zip(values, draws, strict=True) if of == draw] for draw in sorted(set(draws))]
    sizes = {len(group) for group in groups}
    if len(groups) < 2 or len(sizes) != 1 or min(sizes) < 2 or any(math.isnan(value) for value in values):
        return None
    size, means = sizes.pop(), [math.fsum(group) / len(group) for group in groups]
    squares = math.fsum((value - mean) ** 2 for group, mean in zip(groups, means, strict=True) for value in group)
    within = squares / (len(groups) * (size - 1))
    whole = math.fsum(means) / len(means)
    between = size * math.fsum((mean - whole) ** 2 for mean in means) / (len(groups) - 1)
    return math.sqrt(within), math.sqrt(max(0.0, (between - within) / size))
