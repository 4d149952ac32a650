"""Metrics of the confusion matrix, under every convention the paper may have meant (section 5.2, equations 11 to 16).

All functions take matrices of shape (..., C, C), rows the true class and columns the predicted one, so that thousands
of resampled matrices are measured in one call. A division by zero has one rule everywhere: the value is undefined, NaN,
and an average over classes is undefined as soon as one of its terms is. Nothing is replaced by 0 or 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest

Floats = NDArray[np.float64]


def confusion_matrix(labels: NDArray[np.integer], predicted: NDArray[np.integer], n_classes: int) -> Floats:
    """Count of slices per (true, predicted) class.

    Args:
        labels: (n,) true classes in 0..n_classes-1.
        predicted: (n,) predicted classes in the same range.
        n_classes: C; the order of rows and columns is the order of the labels.

    Returns:
        (C, C) counts as float64 (whole numbers, exact).

    Raises:
        BadRequest: where lengths differ or a label is out of range.
    """
    if labels.shape != predicted.shape or labels.ndim != 1:
        raise BadRequest(
            "labels and predictions must be two vectors of one length", value=(labels.shape, predicted.shape)
        )
    for name, values in (("labels", labels), ("predictions", predicted)):
        if values.size and (values.min() < 0 or values.max() >= n_classes):
            raise BadRequest(f"{name} must lie in 0..{n_classes - 1}", value=(int(values.min()), int(values.max())))
    flat = labels.astype(np.int64) * n_classes + predicted.astype(np.int64)
    return np.bincount(flat, minlength=n_classes * n_classes).reshape(n_classes, n_classes).astype(np.float64)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient, NaN where the denominator is zero."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(numerator, denominator, out=np.full(denominator.shape, np.nan), where=denominator != 0)


def one_vs_rest(confusion: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """TP, FP, FN, TN of each class against the rest, each of shape (..., C)."""
    true_positive = np.diagonal(confusion, axis1=-2, axis2=-1)
    false_negative = confusion.sum(axis=-1) - true_positive
    false_positive = confusion.sum(axis=-2) - true_positive
    total = confusion.sum(axis=(-2, -1))[..., None]
    return true_positive, false_positive, false_negative, total - true_positive - false_positive - false_negative


def class_rates(confusion: Floats) -> dict[str, Floats]:
    """Sensitivity, specificity, precision and F1 of each class against the rest, each (..., C).

    F1 is written by its counts, 2 TP / (2 TP + FP + FN): the harmonic mean of precision and sensitivity wherever both
    are defined, 0 for a class that is present and never predicted, undefined for one absent and never predicted.
    """
    tp, fp, fn, tn = one_vs_rest(confusion)
    return {
        "sensitivity": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fp),
        "precision": ratio(tp, tp + fp),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
    }


def confusion_metrics(confusion: Floats, positive: int) -> dict[str, Floats]:
    """Every convention of ACC, F1 and G-mean, each of shape (...).

    Args:
        confusion: (..., C, C).
        positive: the class that the `positive` conventions speak of, against the rest.

    Returns:
        accuracy.{overall,ovr_mean,positive,balanced}, f1.{macro,weighted,positive,of_means},
        g_mean.{multiclass,ovr_mean,root_of_means,positive}, {sensitivity,specificity,precision}.macro.
    """
    return {**_accuracy(confusion, positive), **_f1(confusion, positive), **_g_mean(confusion, positive)}


def _accuracy(confusion: Floats, positive: int) -> dict[str, Floats]:
    tp, _, _, tn = one_vs_rest(confusion)
    total = confusion.sum(axis=(-2, -1))
    binary = ratio(tp + tn, total[..., None])
    return {
        "accuracy.overall": ratio(tp.sum(axis=-1), total),
        "accuracy.ovr_mean": binary.mean(axis=-1),
        "accuracy.positive": binary[..., positive],
        "accuracy.balanced": class_rates(confusion)["sensitivity"].mean(axis=-1),
    }


def _f1(confusion: Floats, positive: int) -> dict[str, Floats]:
    rates = class_rates(confusion)
    f1, support = rates["f1"], confusion.sum(axis=-1)
    mean_precision, mean_sensitivity = rates["precision"].mean(axis=-1), rates["sensitivity"].mean(axis=-1)
    return {
        "f1.macro": f1.mean(axis=-1),
        # a class without slices has no weight, so that its undefined F1 does not count
        "f1.weighted": ratio((np.where(support > 0, f1, 0) * support).sum(axis=-1), support.sum(axis=-1)),
        "f1.positive": f1[..., positive],
        "f1.of_means": ratio(2 * mean_precision * mean_sensitivity, mean_precision + mean_sensitivity),
    }


def _g_mean(confusion: Floats, positive: int) -> dict[str, Floats]:
    rates = class_rates(confusion)
    sensitivity, specificity = rates["sensitivity"], rates["specificity"]
    roots = np.sqrt(sensitivity * specificity)
    return {
        "g_mean.multiclass": np.prod(sensitivity, axis=-1) ** (1 / confusion.shape[-1]),
        "g_mean.ovr_mean": roots.mean(axis=-1),
        "g_mean.root_of_means": np.sqrt(sensitivity.mean(axis=-1) * specificity.mean(axis=-1)),
        "g_mean.positive": roots[..., positive],
        "sensitivity.macro": sensitivity.mean(axis=-1),
        "specificity.macro": specificity.mean(axis=-1),
        "precision.macro": rates["precision"].mean(axis=-1),
    }
