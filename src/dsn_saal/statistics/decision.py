"""Decision curves: what acting on a probability above a threshold gains over acting on all or on none.

Net benefit = TP/n - FP/n * t / (1 - t): the threshold t says how many false alarms one hit is worth (Vickers and Elkin
2006).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.confusion import ratio

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def acted_on(positive: Flags, scores: Floats, cases: NDArray[np.integer], thresholds: Floats) -> tuple[Floats, Floats]:
    """True and false alarms of each case at each threshold, both (cases, thresholds); a score at it is acted on.

    Args:
        positive: (n,) True for positives.
        scores: (n,) probability of the positive class.
        cases: (n,) numbers the cases from 0.
        thresholds: (T,) in (0, 1).

    Raises:
        BadRequest: where a threshold does not lie in (0, 1): its odds are 0 or infinite.
    """
    if not ((thresholds > 0) & (thresholds < 1)).all():
        raise BadRequest("thresholds lie between 0 and 1", value=[float(value) for value in thresholds])
    alarms = scores[:, None] >= thresholds[None, :]
    both = np.zeros((2, int(cases.max()) + 1, thresholds.size))
    for place, flags in enumerate((positive, ~positive)):
        np.add.at(both[place], cases[flags], alarms[flags])
    return both[0], both[1]


def net_benefit(hits: Floats, false_alarms: Floats, n: Floats | np.float64, thresholds: Floats) -> Floats:
    """Net benefit per slice or case, (..., T).

    Args:
        hits: (..., T) true positives.
        false_alarms: (..., T).
        n: (...) number of all.
        thresholds: (T,).

    Returns:
        NaN where n is 0.
    """
    odds = thresholds / (1 - thresholds)
    return ratio(hits - false_alarms * odds, np.asarray(n)[..., None])


def treat_all(positives: Floats | np.float64, n: Floats | np.float64, thresholds: Floats) -> Floats:
    """Net benefit of acting on everyone, (..., T) for positives and n of shape (...); acting on none has 0."""
    positives, n, ones = np.asarray(positives), np.asarray(n), np.ones_like(thresholds)
    return net_benefit(positives[..., None] * ones, (n - positives)[..., None] * ones, n, thresholds)
