"""ROC curves and the areas under them, from probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def auc(positive: Flags, scores: Floats) -> float:
    """Area under the ROC curve: the chance that a positive outranks a negative, ties counted half (Mann-Whitney).

    Args:
        positive: (n,) True for positives.
        scores: (n,) larger means more positive.

    Returns:
        The area; NaN where one of the two groups is empty.
    """
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[place][positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


def auc_one_vs_rest(labels: NDArray[np.integer], probabilities: Floats) -> Floats:
    """Area of each class against the rest, (C,); NaN for a class without positives or negatives."""
    return np.array([auc(labels == c, probabilities[:, c]) for c in range(probabilities.shape[1])])


def auc_one_vs_one(labels: NDArray[np.integer], probabilities: Floats) -> float:
    """Unweighted mean over all pairs of classes (Hand and Till 2001, equation 7); NaN where a class is absent."""
    n_classes = probabilities.shape[1]
    areas = []
    for a in range(n_classes):
        for b in range(a + 1, n_classes):
            pair = (labels == a) | (labels == b)
            areas.append(auc(labels[pair] == a, probabilities[pair, a]))
            areas.append(auc(labels[pair] == b, probabilities[pair, b]))
    return float(np.mean(areas))


def roc_curve(positive: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """Corners of the empirical ROC curve from (0, 0) to (1, 1), one per distinct score.

    Returns:
        False positive rates and true positive rates, both rising; NaN where one of the groups is empty.
    """
    if positive.all() or not positive.any():
        undefined = np.full(2, np.nan)
        return undefined, undefined
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(scores[order])), scores.size - 1)
    hits = np.cumsum(positive[order])[last_of_ties]
    false = last_of_ties + 1 - hits
    return np.append(0.0, false / false[-1]), np.append(0.0, hits / hits[-1])


def roc_on_grid(positive: Flags, scores: Floats, grid: Floats) -> Floats:
    """True positive rate at each false positive rate of `grid`: what vertical averaging over curves needs.

    Where the curve rises vertically at a grid point its upper end is taken, so that the value at rate 0 is the share of
    positives found without one false alarm.
    """
    false_rate, true_rate = roc_curve(positive, scores)
    return np.interp(grid, false_rate, true_rate)  # among equal abscissae NumPy takes the last, the upper end


def macro_roc(labels: NDArray[np.integer], probabilities: Floats, grid: Floats) -> Floats:
    """Mean over classes of the one-vs-rest curves on `grid`."""
    curves = [roc_on_grid(labels == c, probabilities[:, c], grid) for c in range(probabilities.shape[1])]
    return np.mean(curves, axis=0)
