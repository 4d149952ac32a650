"""All metrics of one set of predictions, under fixed names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.confusion import class_rates, confusion_matrix, confusion_metrics
from dsn_saal.statistics.ranking import auc_one_vs_one, auc_one_vs_rest

ROW_SUM_TOLERANCE = 1e-9
"""How far a row of float64 probabilities may miss the sum 1."""

RESERVED = frozenset({"macro", "positive", "weighted", "of_means", "ovr_macro", "ovo_macro"})
"""Names of conventions; a class of such a name would overwrite a metric."""


def measure(labels: NDArray[np.integer], probabilities: NDArray[np.float64], classes: ClassSet) -> dict[str, float]:
    """Every metric of paper section 5.2 under every convention, slice by slice.

    Args:
        labels: (n,) true classes.
        probabilities: (n, C) float64, rows sum to 1; the prediction is the largest, the lower label among equals.
        classes: names in label order, and the positive class.

    Returns:
        Metric name to value, NaN where undefined.

    Raises:
        BadRequest: where shapes, sums or labels do not fit, or a class bears the name of a convention.
    """
    _require_probabilities(labels, probabilities, classes)
    positive = classes.label(classes.positive)
    confusion = confusion_matrix(labels, probabilities.argmax(axis=1), len(classes))
    values = {name: float(value) for name, value in confusion_metrics(confusion, positive).items()}
    per_class = {**class_rates(confusion), "auc": auc_one_vs_rest(labels, probabilities)}
    for rate, by_class in per_class.items():
        values |= {f"{rate}.{name}": float(value) for name, value in zip(classes.names, by_class, strict=True)}
    areas = per_class["auc"]
    return values | {
        "auc.ovr_macro": float(areas.mean()),
        "auc.positive": float(areas[positive]),
        "auc.ovo_macro": auc_one_vs_one(labels, probabilities),
    }


def _require_probabilities(labels: NDArray[np.integer], probabilities: NDArray[np.float64], classes: ClassSet) -> None:
    clash = sorted(RESERVED.intersection(classes.names))
    if clash:
        raise BadRequest("a class bears the name of a metric's convention", value=", ".join(clash))
    if probabilities.shape != (labels.size, len(classes)):
        raise BadRequest(
            "probabilities must have one row a label and one column a class",
            value=probabilities.shape,
            where=f"{labels.size} labels, {len(classes)} classes",
        )
    sums = probabilities.sum(axis=1)
    if not np.isfinite(sums).all() or (probabilities < 0).any() or (abs(sums - 1) > ROW_SUM_TOLERANCE).any():
        raise BadRequest("probabilities must be finite, at least 0, and sum to 1 in each row")
