"""Every convention of ACC, F1 and G-mean from the hits and false alarms of the classes, and only those that are asked.

A class is an object of its own, and its rates are computed when first asked for: a search that moves one class at a
time computes the others once. Classes are added one after the other, in their order: the same bits whatever is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add, mul

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OneClass:
    """A class of a test part against the others.

    Attributes:
        hits: (...) test items of the class that are called by its name, at least 0.
        alarms: (...) items of other classes that are called by its name, at least 0.
        total: test items of the class.
        others: test items of the other classes.
    """

    hits: Floats
    alarms: Floats
    total: float
    others: float

    @cached_property
    def misses(self) -> Floats:
        """Items of the class that are called by another name."""
        return self.total - self.hits

    @cached_property
    def wrong(self) -> Floats:
        """Misses and false alarms."""
        return self.misses + self.alarms

    @cached_property
    def sensitivity(self) -> Floats:
        """Hits as a share of the class."""
        return self.hits / self.total

    @cached_property
    def specificity(self) -> Floats:
        """What is left of the others without the false alarms, as a share."""
        return 1 - self.alarms / self.others

    @cached_property
    def precision(self) -> Floats:
        """Hits as a share of all calls; 0, its infimum, without any call: a box may touch such corners."""
        return _quotient(self.hits, self.hits + self.alarms)

    @cached_property
    def f1(self) -> Floats:
        """F1 by its counts."""
        return 2 * self.hits / (self.hits + self.alarms + self.total)

    @cached_property
    def root(self) -> Floats:
        """Geometric mean of sensitivity and specificity."""
        return np.sqrt(self.sensitivity * np.maximum(self.specificity, 0))


Classes = Sequence[OneClass]
Metric = Callable[[Classes, int], Floats]
"""A metric of classes, and the number of the positive one."""


def metric_of(name: str) -> Metric:
    """The metric of this name: one of CONVENTIONS, or a rate of a class by its number, such as sensitivity.0."""
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    rate, _, number = name.partition(".")
    if rate not in RATES:
        raise KeyError(name)
    return lambda classes, _: getattr(classes[int(number)], rate)


def _quotient(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole != 0)


def _sum(classes: Classes, rate: str) -> Floats:
    return reduce(add, (getattr(one, rate) for one in classes))


def _mean(classes: Classes, rate: str) -> Floats:
    return _sum(classes, rate) / len(classes)


def _size(classes: Classes) -> float:
    return classes[0].total + classes[0].others


def _f1_weighted(classes: Classes, _: int) -> Floats:
    return np.stack([one.f1 for one in classes], axis=-1) @ np.array([one.total / _size(classes) for one in classes])


def _f1_of_means(classes: Classes, _: int) -> Floats:
    precision, sensitivity = _mean(classes, "precision"), _mean(classes, "sensitivity")
    return _quotient(2 * precision * sensitivity, precision + sensitivity)


def _root_of_means(classes: Classes, _: int) -> Floats:
    return np.sqrt(_mean(classes, "sensitivity") * np.maximum(_mean(classes, "specificity"), 0))


RATES = ("sensitivity", "specificity", "precision", "f1")
"""Rates of one class."""

CONVENTIONS: dict[str, Metric] = {
    "accuracy.overall": lambda classes, _: 1 - _sum(classes, "misses") / _size(classes),
    "accuracy.ovr_mean": lambda classes, _: 1 - _sum(classes, "wrong") / (len(classes) * _size(classes)),
    "accuracy.positive": lambda classes, positive: 1 - classes[positive].wrong / _size(classes),
    "accuracy.balanced": lambda classes, _: _mean(classes, "sensitivity"),
    "f1.macro": lambda classes, _: _mean(classes, "f1"),
    "f1.weighted": _f1_weighted,
    "f1.positive": lambda classes, positive: classes[positive].f1,
    "f1.of_means": _f1_of_means,
    "g_mean.multiclass": lambda classes, _: reduce(mul, (one.sensitivity for one in classes)) ** (1 / len(classes)),
    "g_mean.ovr_mean": lambda classes, _: _mean(classes, "root"),
    "g_mean.root_of_means": _root_of_means,
    "g_mean.positive": lambda classes, positive: classes[positive].root,
}
"""The accuracy, f1 and g_mean conventions of `confusion.confusion_metrics`."""
