"""Which confusion matrices can stand behind reported rates, when the number of test items of each class is known.

Every metric of `confusion.confusion_metrics` depends on a matrix only through the hits TP_c and the false alarms FP_c
of its classes. Such numbers belong to a matrix with row sums n_c if and only if, with FN_c = n_c - TP_c and E errors in
all, the false alarms sum to E and FN_c + FP_c <= E for each class (a transport with a forbidden diagonal). Every
metric grows with each TP_c and falls with each FP_c; so over a box of such numbers it lies between its values at two
corners, and `proof.minimise` shows by branch and bound what no matrix can reach. Hits and alarms may be fractional
here: what fractions cannot reach, counts cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.one_class import CONVENTIONS, RATES, Classes, Metric, OneClass, metric_of

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
    size = totals.sum()
    classes = [OneClass(hits[..., k], alarms[..., k], total, size - total) for k, total in enumerate(totals)]
    names = [*(f"{rate}.{k}" for rate in RATES for k in range(totals.size)), *CONVENTIONS]
    return {name: metric_of(name)(classes, positive) for name in names}


Ranges = tuple[Floats, Floats]
"""Smallest and largest value of each metric over a box: two arrays (metrics, boxes)."""


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

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The functions behind the names."""
        return tuple(metric_of(name) for name in self.names)

    @cached_property
    def scale(self) -> Floats:
        """(2 C) what a share is a share of: the class, and the others."""
        return np.concatenate([self.totals, self.totals.sum() - self.totals])

    def values(self, points: Floats) -> Floats:
        """(..., metrics) at points (..., 2 C) of shares."""
        return np.moveaxis(self.measured(self.classes(np.moveaxis(points, -1, 0))), 0, -1)

    def measured(self, classes: Classes) -> Floats:
        """(metrics, ...) of classes."""
        return np.stack([metric(classes, self.positive) for metric in self.metrics])

    def classes(self, sides: Iterable[Floats]) -> list[OneClass]:
        """The classes at sides (2 C, ...) of shares: hits of each class, then false alarms."""
        n_classes, counts = self.totals.size, [side * whole for side, whole in zip(sides, self.scale, strict=True)]
        return [
            OneClass(counts[k], counts[n_classes + k], self.scale[k], self.scale[n_classes + k])
            for k in range(n_classes)
        ]

    def moved(self, classes: Classes, side: int, shares: Floats) -> list[OneClass]:
        """The classes with other shares on one side; those that it does not touch keep what is known of them."""
        k, count = side % self.totals.size, shares * self.scale[side]
        hits, alarms = (count, classes[k].alarms) if side < self.totals.size else (classes[k].hits, count)
        one = OneClass(hits, alarms, classes[k].total, classes[k].others)
        return [*classes[:k], one, *classes[k + 1 :]]

    def split(self, points: Floats) -> tuple[Floats, Floats]:
        """Hits and false alarms (..., C) of points (..., 2 C)."""
        n_classes, counts = self.totals.size, points * self.scale
        return counts[..., :n_classes], counts[..., n_classes:]

    def ranges(self, low: Floats, high: Floats) -> Ranges:
        """Of each metric over boxes (2 C, boxes): the corner with least hits and most alarms, and the opposite one."""
        n_classes = self.totals.size
        worst, best = (*low[:n_classes], *high[n_classes:]), (*high[:n_classes], *low[n_classes:])
        return self.measured(self.classes(worst)), self.measured(self.classes(best))


Objective = Callable[[Ranges], Floats]
"""Lower bound (boxes) of what is minimised over boxes, from the ranges of the metrics; exact where they are points."""


def largest_miss(targets: Sequence[float]) -> Objective:
    """The largest distance of a metric to its target."""
    aim = np.asarray(targets, dtype=np.float64)[:, None]

    def bound(ranges: Ranges) -> Floats:
        low, high = ranges
        return np.maximum(np.maximum(low - aim, aim - high), 0).max(axis=0)

    return bound


def shortfall(targets: Sequence[float], weights: Sequence[float] | Floats, reach: Sequence[float]) -> Objective:
    """Weighted distance of the metrics below a target, for matrices whose metrics are within reach of it.

    Args:
        targets: (metrics).
        weights: (metrics), of any sign.
        reach: (metrics) how far a metric may be from its target; further away the objective is infinite.
    """
    aim, factor, away = (np.asarray(values, dtype=np.float64)[:, None] for values in (targets, weights, reach))
    most = float(factor[:, 0] @ aim[:, 0])

    def bound(ranges: Ranges) -> Floats:
        low, high = np.maximum(ranges[0], aim - away), np.minimum(ranges[1], aim + away)
        value = most - np.maximum(low * factor, high * factor).sum(axis=0)
        return np.where((low > high + SLACK).any(axis=0), np.inf, value)

    return bound
