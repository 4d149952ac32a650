"""Branch and bound over confusion matrices: the smallest value of an objective, with a witness and a proof."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsn_saal.statistics.feasible import SLACK, Objective, Problem

Floats = NDArray[np.float64]

MOST_BOXES = 250_000
"""Boxes that a proof may look at before it reports the bound that it has."""

STEP = 8192
"""Boxes that are split at once."""

TRIED = 256
"""Most promising boxes of a step in which a witness is looked for."""


@dataclass(frozen=True)
class Bound:
    """The smallest value of an objective over all matrices.

    Attributes:
        found: value at `point`: no proof, but a witness; infinite where the search met no matrix.
        proven: no matrix has a smaller value, up to floating-point error; infinite where no matrix is admitted at all.
        point: (2 C) hits and false alarms of each class, as shares of the class and of the others.
    """

    found: float
    proven: float
    point: Floats | None


def minimise(
    problem: Problem,
    objective: Objective,
    *,
    gap: float,
    enough: float = -np.inf,
    known: Bound | None = None,
    most_boxes: int = MOST_BOXES,
) -> Bound:
    """The smallest value of an objective over all confusion matrices of a problem.

    Args:
        problem: totals and metrics.
        objective: what is minimised.
        gap: how far apart witness and proof may stay.
        enough: stop as soon as the witness is at or below this value.
        known: a witness to begin with.
        most_boxes: how many boxes may be looked at.

    Returns:
        Witness and proof; after that many boxes they may be further apart than `gap`, and are right none the less.
    """
    width = 2 * problem.totals.size
    low, high, bounds = np.zeros((width, 1)), np.ones((width, 1)), np.full(1, -np.inf)
    best, seen = known or Bound(np.inf, np.inf, None), 0
    while bounds.size and seen < most_boxes and best.found > enough:
        first = smallest(bounds, STEP)
        halves = _propagated(problem, *_halves(problem, low[:, first], high[:, first]))
        values = objective(problem.ranges(*halves))
        seen += values.size
        best = _better(best, problem, objective, *halves, values)
        keep, new = bounds < best.found - gap, values < best.found - gap
        keep[first] = False
        low, high = (
            np.concatenate([old[:, keep], half[:, new]], axis=1) for old, half in zip((low, high), halves, strict=True)
        )
        bounds = np.concatenate([bounds[keep], values[new]])
    left = float(bounds.min()) if bounds.size else np.inf
    return replace(best, proven=left if best.point is None else min(left, best.found - gap))


def smallest(values: Floats, count: int) -> NDArray[np.intp]:
    """Places of the smallest values (n), in order, the first of equals first: a stable sort's, without the sort."""
    if values.size <= count:
        return np.argsort(values, kind="stable")
    small = np.flatnonzero(values <= np.partition(values, count - 1)[count - 1])
    return small[np.argsort(values[small], kind="stable")[:count]]


def _halves(problem: Problem, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Each box (2 C, n) cut in two across the side along which a metric changes most."""
    boxes, middle = np.arange(low.shape[1]), (low + high) / 2
    classes, effect = problem.classes(middle), np.empty_like(middle)
    for side in range(low.shape[0]):
        ends = [problem.measured(problem.moved(classes, side, end[side])) for end in (low, high)]
        effect[side] = np.abs(ends[1] - ends[0]).max(axis=0)
    # where no metric changes any more the widest side is cut, so that a box always shrinks
    side = np.where(effect.max(axis=0) > 0, effect.argmax(axis=0), (high - low).argmax(axis=0))
    upper_low, lower_high = low.copy(), high.copy()
    upper_low[side, boxes] = lower_high[side, boxes] = middle[side, boxes]
    return np.concatenate([low, upper_low], axis=1), np.concatenate([lower_high, high], axis=1)


def _propagated(problem: Problem, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Boxes (2 C, n) tightened by the laws of a matrix; those that hold no matrix are dropped."""
    n_classes = problem.totals.size
    totals, others = problem.scale[:n_classes, None], problem.scale[n_classes:, None]
    miss_low, miss_high = (1 - high[:n_classes]) * totals, (1 - low[:n_classes]) * totals
    alarm_low, alarm_high = low[n_classes:] * others, high[n_classes:] * others
    for _ in range(2):
        alarm_low, alarm_high = _narrowed(alarm_low, alarm_high, miss_low, miss_high)
        miss_low, miss_high = _narrowed(miss_low, miss_high, alarm_low, alarm_high)
    low = np.concatenate([1 - miss_high / totals, alarm_low / others])
    high = np.concatenate([1 - miss_low / totals, alarm_high / others])
    possible = (low <= high + SLACK).all(axis=0)
    return low[:, possible].clip(0, 1), np.maximum(low, high)[:, possible].clip(0, 1)


def _narrowed(low: Floats, high: Floats, other_low: Floats, other_high: Floats) -> tuple[Floats, Floats]:
    """Ranges (C, n) of numbers that sum to what the others sum to, none above the others of the other classes."""
    sums = other_low.sum(axis=0), other_high.sum(axis=0)
    rest_low, rest_high = low.sum(axis=0) - low, high.sum(axis=0) - high
    narrow_low = np.maximum(low, sums[0] - rest_high)
    narrow_high = np.minimum(np.minimum(high, sums[1] - rest_low), sums[1] - other_high)
    return narrow_low, narrow_high


def _better(best: Bound, problem: Problem, objective: Objective, low: Floats, high: Floats, values: Floats) -> Bound:
    """The witness improved by matrices in the most promising boxes."""
    if not values.size:
        return best
    chosen = smallest(values, TRIED)
    points = matrices_near(problem, (low[:, chosen] + high[:, chosen]) / 2)
    metrics = problem.measured(problem.classes(points))
    found = objective((metrics, metrics))
    place = int(found.argmin())
    return Bound(float(found[place]), best.proven, points[:, place]) if found[place] < best.found else best


def matrices_near(problem: Problem, points: Floats) -> Floats:
    """Points (2 C, n) moved so that each belongs to a matrix: hits stay, false alarms are scaled and capped."""
    n_classes = problem.totals.size
    totals, others = problem.scale[:n_classes, None], problem.scale[n_classes:, None]
    misses = (1 - points[:n_classes]) * totals
    errors = misses.sum(axis=0)
    caps = errors - misses
    alarms = np.minimum(points[n_classes:] * others, caps)
    for _ in range(n_classes + 1):
        lack = errors - alarms.sum(axis=0)
        room = np.where(lack > 0, caps - alarms, alarms)
        total = room.sum(axis=0)
        alarms = alarms + lack * np.divide(room, total, out=np.zeros_like(room), where=total > 0)
        alarms = np.minimum(alarms.clip(0), caps)
    return np.concatenate([points[:n_classes], alarms / others])
