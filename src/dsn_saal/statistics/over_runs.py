"""What a mean of several runs may be: a mean of metrics can leave the set that one confusion matrix reaches.

The mean lies in the convex hull of what single matrices reach. If the standard deviations over runs are printed too, no
run can be further from the mean than (n - 1) / sqrt(n) of them, so only matrices so near count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsn_saal.statistics.feasible import Problem, shortfall
from dsn_saal.statistics.proof import Bound, minimise
from dsn_saal.statistics.witness import furthest

Floats = NDArray[np.float64]

ROUNDS = 4
"""Supporting matrices that are added before the bound that was reached is reported."""

START = 600_000
"""Boxes that are looked at for a first matrix within reach."""

BOXES = 250_000
"""Boxes that are looked at for each supporting matrix."""


@dataclass(frozen=True)
class MeanBound:
    """How near the mean of runs can come to reported metrics.

    Attributes:
        found: largest miss of a mean of single matrices, each within reach; infinite where none is within reach.
        proven: no such mean has a smaller largest miss, up to floating-point error; infinite likewise.
    """

    found: float
    proven: float


def furthest_run(sd: float, n_runs: int) -> float:
    """How far one of n runs can be from their mean, given their standard deviation (divisor n - 1)."""
    return sd * (n_runs - 1) / math.sqrt(n_runs)


def mean_of_runs(
    problem: Problem, targets: Sequence[float], reach: Sequence[float], *, gap: float, enough: float
) -> MeanBound:
    """The smallest largest miss of a mean over any number of matrices, each within reach of the targets.

    Column generation: the best mean of the matrices so far gives a direction, branch and bound gives the matrix that
    goes furthest in it, and the distance that even that one lacks is a lower bound.

    Args:
        problem: totals and metrics.
        targets: (metrics) reported means.
        reach: (metrics) how far a single run may be from the mean.
        gap: how far apart witness and proof may stay.
        enough: stop as soon as a mean misses no more than this, or every mean is shown to miss more.
    """
    aim = np.asarray(targets, dtype=np.float64)
    start = minimise(problem, shortfall(targets, np.zeros(aim.size), reach), gap=gap, enough=0.0, most_boxes=START)
    if start.point is None:
        return MeanBound(math.inf, 0.0 if math.isfinite(start.proven) else math.inf)
    places, found, proven = [start.point], math.inf, 0.0
    for _ in range(ROUNDS):
        found, direction = _best_mean(problem.values(np.stack(places)), aim)
        if found <= enough or proven > enough or found - proven <= gap:
            break
        objective = shortfall(targets, direction, reach)
        best = max(places, key=lambda place: float(problem.values(place) @ direction))
        best = furthest(problem, targets, direction, reach, best)
        reached = problem.values(best[None]).T
        value = float(objective((reached, reached))[0])
        support = minimise(problem, objective, gap=gap, known=Bound(value, math.inf, best), most_boxes=BOXES)
        proven = max(proven, support.proven)
        if support.point is not None:
            places.append(furthest(problem, targets, direction, reach, support.point))
    return MeanBound(found, min(proven, found))


def _best_mean(points: Floats, aim: Floats) -> tuple[float, Floats]:
    """The weighted mean of points (n, metrics) nearest to the aim, and the direction in which more is needed."""
    from scipy.optimize import linprog

    n, metrics = points.shape
    away = (points - aim).T
    last = np.full((metrics, 1), -1.0)
    result = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.vstack([np.hstack([away, last]), np.hstack([-away, last])]),
        b_ub=np.zeros(2 * metrics),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * (n + 1),
        method="highs-ds",
    )
    duals = result.ineqlin.marginals
    return float(result.fun), duals[:metrics] - duals[metrics:]
