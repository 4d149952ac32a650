"""Witnesses: the best matrix of fractions made better, and counts in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsn_saal.statistics.feasible import Problem

Floats = NDArray[np.float64]

LAWFUL = 1e-7
"""By what share of the test part a matrix of fractions may break a law: less than a thousandth of an item."""

AROUND = 2
"""How many items a count may be away from the fraction that it stands for."""


def polished(problem: Problem, targets: Sequence[float], point: Floats) -> Floats:
    """A point whose largest miss is no larger, by sequential quadratic programming from `point`.

    Args:
        problem: totals and metrics.
        targets: (metrics) reported values.
        point: (2 C) shares that belong to a matrix.
    """
    aim = np.asarray(targets)

    def miss(candidate: Floats) -> float:
        return float(np.abs(problem.values(candidate) - aim).max())

    def within(candidate: Floats) -> Floats:
        away = problem.values(candidate[:-1]) - aim
        return np.concatenate([candidate[-1] - away, candidate[-1] + away])

    better = _programmed(problem, lambda candidate: candidate[-1], within, np.append(point, miss(point)))
    return better if better is not None and miss(better) < miss(point) else point


def furthest(
    problem: Problem, targets: Sequence[float], weights: Floats, reach: Sequence[float], point: Floats
) -> Floats:
    """A point within reach of the targets that goes at least as far in a direction of metrics as `point` does.

    Args:
        problem: totals and metrics.
        targets: (metrics).
        weights: (metrics) the direction.
        reach: (metrics) how far a metric may be from its target.
        point: (2 C) shares that belong to a matrix within reach.
    """
    aim, away = np.asarray(targets), np.asarray(reach)

    def within(candidate: Floats) -> Floats:
        gone = problem.values(candidate[:-1]) - aim
        return np.concatenate([away - gone, away + gone])

    def score(candidate: Floats) -> float:
        return -float(problem.values(candidate) @ weights)

    better = _programmed(problem, lambda candidate: score(candidate[:-1]), within, np.append(point, 0.0))
    if better is None or (np.abs(problem.values(better) - aim) > away + LAWFUL).any():
        return point
    return better if score(better) < score(point) else point


def _programmed(
    problem: Problem, goal: Callable[[Floats], float], within: Callable[[Floats], Floats], start: Floats
) -> Floats | None:
    """Minimise a goal over shares (2 C) and one number more, by the laws of a matrix; None where a law is broken."""
    from scipy.optimize import minimize

    size = problem.totals.sum()

    def room(candidate: Floats) -> Floats:
        hits, alarms = problem.split(candidate[:-1])
        misses = problem.totals - hits
        return (misses.sum() - misses - alarms) / size

    def balance(candidate: Floats) -> float:
        hits, alarms = problem.split(candidate[:-1])
        return float(((problem.totals - hits).sum() - alarms.sum()) / size)

    laws: list[Any] = [{"type": "eq", "fun": balance}, *({"type": "ineq", "fun": law} for law in (room, within))]
    bounds = [(0.0, 1.0)] * (2 * problem.totals.size) + [(0.0, None)]
    options = {"ftol": 1e-10, "maxiter": 300}
    found = minimize(goal, start, method="SLSQP", bounds=bounds, constraints=laws, options=options)
    better = np.append(found.x[:-1].clip(0, 1), 0.0)
    is_lawful = abs(balance(better)) < LAWFUL and (room(better) > -LAWFUL).all()
    return better[:-1] if is_lawful else None


def whole_matrix(problem: Problem, targets: Sequence[float], point: Floats) -> tuple[NDArray[np.int64], float] | None:
    """The confusion matrix of whole counts near a point whose largest miss is smallest.

    Returns:
        (C, C) counts and their largest miss; None where no counts within AROUND of the point belong to a matrix.
    """
    hits, alarms = problem.split(point)
    n_classes, totals = problem.totals.size, problem.totals
    steps = np.array(list(product(range(-AROUND, AROUND + 1), repeat=2 * n_classes - 1)))
    near_hits = np.rint(hits) + steps[:, :n_classes]
    near_alarms = np.rint(alarms[:-1]) + steps[:, n_classes:]
    errors = (totals - near_hits).sum(axis=1)
    near_alarms = np.column_stack([near_alarms, errors - near_alarms.sum(axis=1)])
    lawful = ((near_hits >= 0) & (near_hits <= totals) & (near_alarms >= 0)).all(axis=1)
    lawful &= (totals - near_hits + near_alarms <= errors[:, None]).all(axis=1)
    near_hits, near_alarms = near_hits[lawful], near_alarms[lawful]
    if not near_hits.size:
        return None
    shares = np.concatenate([near_hits / totals, near_alarms / (totals.sum() - totals)], axis=1)
    misses = np.abs(problem.values(shares) - np.asarray(targets)).max(axis=1)
    place = int(misses.argmin())
    return matrix_of(totals, near_hits[place], near_alarms[place]), float(misses[place])


def matrix_of(totals: Floats, hits: Floats, alarms: Floats) -> NDArray[np.int64]:
    """Counts (C, C) with these row sums, hits on the diagonal and false alarms in the columns; one of several."""
    from scipy.optimize import linprog

    n_classes = totals.size
    cells = [(row, column) for row in range(n_classes) for column in range(n_classes) if row != column]
    rows = [[float(cell[0] == row) for cell in cells] for row in range(n_classes)]
    columns = [[float(cell[1] == column) for cell in cells] for column in range(n_classes)]
    # a transport problem has vertices of whole numbers; the objective only makes the choice a fixed one
    found = linprog(
        np.arange(len(cells)) / len(cells),
        A_eq=np.array([*rows, *columns]),
        b_eq=np.concatenate([totals - hits, alarms]),
        method="highs-ds",
    )
    matrix = np.diag(np.rint(hits).astype(np.int64))
    for cell, value in zip(cells, found.x, strict=True):
        matrix[cell] = round(float(value))
    return matrix
