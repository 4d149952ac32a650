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
    low, high, bounds = np.zeros((1, width)), np.ones((1, width)), np.full(1, -np.inf)
    best, seen = known or Bound(np.inf, np.inf, None), 0
    while bounds.size and seen < most_boxes and best.found > enough:
        first = np.argsort(bounds, kind="stable")[:STEP]
        rest = np.ones(bounds.size, dtype=bool)
        rest[first] = False
        halves = _propagated(problem.totals, *_halves(problem, low[first], high[first]))
        values = objective(problem.ranges(*halves))
        seen += values.size
        best = _better(best, problem, objective, *halves, values)
        low, high = np.concatenate([low[rest], halves[0]]), np.concatenate([high[rest], halves[1]])
        bounds = np.concatenate([bounds[rest], values])
        alive = np.isfinite(bounds) & (bounds < best.found - gap)
        alive |= bounds == -np.inf
        low, high, bounds = low[alive], high[alive], bounds[alive]
    left = float(bounds.min()) if bounds.size else np.inf
    return replace(best, proven=left if best.point is None else min(left, best.found - gap))


def _halves(problem: Problem, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Each box cut in two across the side along which a metric changes most."""
    rows, middle = np.arange(low.shape[0]), (low + high) / 2
    effects = []
    for side in range(low.shape[1]):
        ends = [middle.copy(), middle.copy()]
        ends[0][:, side], ends[1][:, side] = low[:, side], high[:, side]
        effects.append(np.abs(problem.values(ends[1]) - problem.values(ends[0])).max(axis=1))
    effect = np.stack(effects, axis=1)
    # where no metric changes any more the widest side is cut, so that a box always shrinks
    side = np.where(effect.max(axis=1) > 0, effect.argmax(axis=1), (high - low).argmax(axis=1))
    upper_low, lower_high = low.copy(), high.copy()
    upper_low[rows, side] = lower_high[rows, side] = middle[rows, side]
    return np.concatenate([low, upper_low]), np.concatenate([lower_high, high])


def _propagated(totals: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Boxes tightened by the laws of a matrix; those that hold no matrix are dropped."""
    n_classes, others = totals.size, totals.sum() - totals
    miss_low, miss_high = (1 - high[:, :n_classes]) * totals, (1 - low[:, :n_classes]) * totals
    alarm_low, alarm_high = low[:, n_classes:] * others, high[:, n_classes:] * others
    for _ in range(2):
        alarm_low, alarm_high = _narrowed(alarm_low, alarm_high, miss_low, miss_high)
        miss_low, miss_high = _narrowed(miss_low, miss_high, alarm_low, alarm_high)
    low = np.concatenate([1 - miss_high / totals, alarm_low / others], axis=1)
    high = np.concatenate([1 - miss_low / totals, alarm_high / others], axis=1)
    possible = (low <= high + SLACK).all(axis=1)
    return low[possible].clip(0, 1), np.maximum(low, high)[possible].clip(0, 1)


def _narrowed(low: Floats, high: Floats, other_low: Floats, other_high: Floats) -> tuple[Floats, Floats]:
    """Ranges of numbers that sum to what the others sum to, none above the others of the other classes."""
    sums = other_low.sum(axis=1, keepdims=True), other_high.sum(axis=1, keepdims=True)
    rest_low, rest_high = low.sum(axis=1, keepdims=True) - low, high.sum(axis=1, keepdims=True) - high
    narrow_low = np.maximum(low, sums[0] - rest_high)
    narrow_high = np.minimum(np.minimum(high, sums[1] - rest_low), sums[1] - other_high)
    return narrow_low, narrow_high


def _better(best: Bound, problem: Problem, objective: Objective, low: Floats, high: Floats, values: Floats) -> Bound:
    """The witness improved by matrices in the most promising boxes."""
    if not values.size:
        return best
    chosen = np.argsort(values, kind="stable")[:TRIED]
    points = matrices_near(problem.totals, (low[chosen] + high[chosen]) / 2)
    metrics = problem.values(points)
    found = objective((metrics, metrics))
    place = int(found.argmin())
    return Bound(float(found[place]), best.proven, points[place]) if found[place] < best.found else best


def matrices_near(totals: Floats, points: Floats) -> Floats:
    """Points (n, 2 C) moved so that each belongs to a matrix: hits stay, false alarms are scaled and capped."""
    n_classes, others = totals.size, totals.sum() - totals
    misses = (1 - points[:, :n_classes]) * totals
    errors = misses.sum(axis=1, keepdims=True)
    caps = errors - misses
    alarms = np.minimum(points[:, n_classes:] * others, caps)
    for _ in range(n_classes + 1):
        lack = errors - alarms.sum(axis=1, keepdims=True)
        room = np.where(lack > 0, caps - alarms, alarms)
        total = room.sum(axis=1, keepdims=True)
        alarms = alarms + lack * np.divide(room, total, out=np.zeros_like(room), where=total > 0)
        alarms = np.minimum(alarms.clip(0), caps)
    return np.concatenate([points[:, :n_classes], alarms / others], axis=1)
