"""Whether one confusion matrix gives all reported metrics within their rounding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsn_saal.statistics.feasible import Problem, largest_miss
from dsn_saal.statistics.proof import Bound, minimise
from dsn_saal.statistics.witness import polished, whole_matrix

Floats = NDArray[np.float64]

FIRST_LOOK = 40_000
"""Boxes that are looked at for a matrix that fits, before the long search for the smallest miss."""


@dataclass(frozen=True)
class Fit:
    """How near one confusion matrix comes to reported metrics.

    Attributes:
        miss: smallest largest miss that was found, fractions of items allowed.
        proven: no confusion matrix misses by less, up to floating-point error; 0 says nothing is proven.
        recalls: (C) sensitivities of the matrix that was found.
        whole: (C, C) the best matrix of whole counts near it, None where there is none.
        whole_miss: its largest miss.
        half: half a unit of the last printed decimal.
    """

    miss: float
    proven: float
    recalls: tuple[float, ...]
    whole: tuple[tuple[int, ...], ...] | None
    whole_miss: float | None
    half: float

    @property
    def fits(self) -> bool:
        """Whether a matrix was found that gives every metric as printed."""
        return self.miss <= self.half

    @property
    def is_impossible(self) -> bool:
        """Whether it is proven that no matrix does."""
        return self.proven > self.half


def fit_matrix(problem: Problem, targets: Sequence[float], half: float) -> Fit:
    """The confusion matrix nearest to reported metrics.

    Args:
        problem: totals and metrics.
        targets: (metrics) reported values in [0, 1].
        half: half a unit of the last printed decimal.
    """
    objective = largest_miss(targets)
    bound = minimise(problem, objective, gap=half / 2, enough=half, most_boxes=FIRST_LOOK)
    point, miss = _polished(problem, targets, bound)
    if miss > half:
        again = minimise(problem, objective, gap=half, known=Bound(miss, math.inf, point))
        bound = Bound(again.found, max(bound.proven, again.proven), again.point)
        point, miss = _polished(problem, targets, bound)
    whole = whole_matrix(problem, targets, point)
    return Fit(
        miss=miss,
        proven=max(0.0, min(bound.proven, miss)),
        recalls=tuple(float(recall) for recall in point[: problem.totals.size]),
        whole=None if whole is None else tuple(tuple(int(cell) for cell in row) for row in whole[0]),
        whole_miss=None if whole is None else whole[1],
        half=half,
    )


def _polished(problem: Problem, targets: Sequence[float], bound: Bound) -> tuple[Floats, float]:
    if bound.point is None:  # some matrix always lies in some box
        raise ArithmeticError("the search met no confusion matrix")
    point = polished(problem, targets, bound.point)
    return point, float(np.abs(problem.values(point) - np.asarray(targets)).max())
