"""Which confusion matrices can stand behind reported rates, when the number of test items of each class is known.

Every metric of `confusion.confusion_metrics` depends on a matrix only through the hits TP_c and the false alarms FP_c
of its classes. Such numbers belong to a matrix with row sums n_c if and only if, with FN_c = n_c - TP_c and E errors in
all, the false alarms sum to E and FN_c + FP_c <= E for each class (a transport with a forbidden diagonal). Every
metric grows with each TP_c and falls with each FP_c; so over a box of such numbers it lies between its values at two
corners, and `proof.minimise` shows by branch and bound what no matrix can reach. Hits and alarms may be fractional
here: what fractions cannot reach, counts cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.confusion import ratio

Floats = NDArray[np.float64]

SLACK = 1e-9
"""What floating-point arithmetic may be off by, in units of a metric."""


def metrics_of(hits: Floats, alarms: Floats, totals: Floats, positive: int) -> dict[str, Floats]:
    """Every convention of ACC, F1 and G-mean from hits and false alarms.

    Args:
        hits: (..., C) test items of each class that are called by its name, at least 0.
        alarms: (..., C) items of other classes that are called by its name, at least 0.
        totals: (C) test items of each class.
        positive: the class that the `positive` conventions speak of.

    Returns:
        The accuracy, f1 and g_mean conventions of `confusion.confusion_metrics`, each (...), and the rates of each
        class by its number, such as sensitivity.0. A precision without any call counts as 0 here, its infimum: a box
        may touch such corners.
    """
    n_classes, total = totals.size, totals.sum()
    misses = totals - hits
    sensitivity, specificity = hits / totals, 1 - alarms / (total - totals)
    precision = np.nan_to_num(ratio(hits, hits + alarms))
    f1 = 2 * hits / (hits + alarms + totals)
    errors, roots = misses.sum(axis=-1), np.sqrt(sensitivity * np.maximum(specificity, 0))
    mean_precision, mean_sensitivity = precision.mean(axis=-1), sensitivity.mean(axis=-1)
    both = mean_precision + mean_sensitivity
    by_class = {"sensitivity": sensitivity, "specificity": specificity, "precision": precision, "f1": f1}
    return {
        **{f"{rate}.{k}": values[..., k] for rate, values in by_class.items() for k in range(n_classes)},
        "accuracy.overall": 1 - errors / total,
        "accuracy.ovr_mean": 1 - (misses + alarms).sum(axis=-1) / (n_classes * total),
        "accuracy.positive": 1 - (misses + alarms)[..., positive] / total,
        "accuracy.balanced": mean_sensitivity,
        "f1.macro": f1.mean(axis=-1),
        "f1.weighted": f1 @ (totals / total),
        "f1.positive": f1[..., positive],
        "f1.of_means": np.nan_to_num(ratio(2 * mean_precision * mean_sensitivity, both)),
        "g_mean.multiclass": np.prod(sensitivity, axis=-1) ** (1 / n_classes),
        "g_mean.ovr_mean": roots.mean(axis=-1),
        "g_mean.root_of_means": np.sqrt(mean_sensitivity * np.maximum(specificity.mean(axis=-1), 0)),
        "g_mean.positive": roots[..., positive],
    }


Ranges = tuple[Floats, Floats]
"""Smallest and largest value of each metric over a box: two arrays (boxes, metrics)."""


@dataclass(frozen=True)
class Problem:
    """Test items of each class, and the metrics that were reported.

    Attributes:
        totals: (C) test items of each class, at least 1.
        positive: the class of the `positive` conventions.
        names: metrics, keys of `metrics_of`.
    """

    totals: Floats
    positive: int
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.totals.ndim != 1 or self.totals.size < 2 or (self.totals < 1).any():
            raise BadRequest("a test part needs at least two classes with items", value=self.totals.tolist())

    def values(self, points: Floats) -> Floats:
        """(..., metrics) at points (..., 2 C) of shares."""
        hits, alarms = self.split(points)
        found = metrics_of(hits, alarms, self.totals, self.positive)
        return np.stack([found[name] for name in self.names], axis=-1)

    def split(self, points: Floats) -> tuple[Floats, Floats]:
        """Hits and false alarms (..., C) of points (..., 2 C)."""
        n_classes = self.totals.size
        return points[..., :n_classes] * self.totals, points[..., n_classes:] * (self.totals.sum() - self.totals)

    def ranges(self, low: Floats, high: Floats) -> Ranges:
        """Of each metric over boxes (boxes, 2 C): the corner with least hits and most alarms, and the opposite one."""
        n_classes = self.totals.size
        worst = np.concatenate([low[:, :n_classes], high[:, n_classes:]], axis=1)
        best = np.concatenate([high[:, :n_classes], low[:, n_classes:]], axis=1)
        return self.values(worst), self.values(best)


Objective = Callable[[Ranges], Floats]
"""Lower bound (boxes) of what is minimised over boxes, from the ranges of the metrics; exact where they are points."""


def largest_miss(targets: Sequence[float]) -> Objective:
    """The largest distance of a metric to its target."""
    aim = np.asarray(targets, dtype=np.float64)

    def bound(ranges: Ranges) -> Floats:
        low, high = ranges
        return np.maximum(np.maximum(low - aim, aim - high), 0).max(axis=1)

    return bound


def shortfall(targets: Sequence[float], weights: Sequence[float] | Floats, reach: Sequence[float]) -> Objective:
    """Weighted distance of the metrics below a target, for matrices whose metrics are within reach of it.

    Args:
        targets: (metrics).
        weights: (metrics), of any sign.
        reach: (metrics) how far a metric may be from its target; further away the objective is infinite.
    """
    aim, factor, away = (np.asarray(values, dtype=np.float64) for values in (targets, weights, reach))

    def bound(ranges: Ranges) -> Floats:
        low, high = np.maximum(ranges[0], aim - away), np.minimum(ranges[1], aim + away)
        value = factor @ aim - np.maximum(low * factor, high * factor).sum(axis=1)
        return np.where((low > high + SLACK).any(axis=1), np.inf, value)

    return bound
