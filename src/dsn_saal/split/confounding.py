"""Whether the class can be told from the scanner, the file format or the matrix: Cramer's V."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WARN_AT = 0.3
"""Cramer's V from which the class is called tellable: a moderate association by Cohen's scale for few classes."""

GIVES_AWAY = 0.9
"""Share of a value's slices in one class from which the value is said to give that class away."""

FEWEST = 5
"""Slices that a value needs for that."""


@dataclass(frozen=True)
class Association:
    """How a property of the acquisition goes with the class.

    Attributes:
        name: of the property.
        cramers_v: bias-corrected, 0 (independent) to 1 (the one tells the other); NaN where either is constant.
        values: how many values it has.
        telling: values that give a class away, with the class and the share of the value's slices in it.
    """

    name: str
    cramers_v: float
    values: int
    telling: list[tuple[str, str, float]]

    @property
    def warns(self) -> bool:
        """Whether the class can be told from it."""
        return self.cramers_v >= WARN_AT


def cramers_v(table: NDArray[np.integer]) -> float:
    """Cramer's V of a contingency table, corrected for bias (Bergsma 2013, equation 8).

    Args:
        table: (r, k) counts.

    Returns:
        A value in [0, 1]; NaN where fewer than two rows or columns hold anything.
    """
    counts = np.asarray(table, dtype=np.float64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    r, k = counts.shape
    n = counts.sum()
    if r < 2 or k < 2 or n < 2:
        return float("nan")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi2 = ((counts - expected) ** 2 / expected).sum() / n
    corrected = max(0.0, phi2 - (r - 1) * (k - 1) / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    return float(min(1.0, np.sqrt(corrected / min(rows - 1, columns - 1)))) if min(rows, columns) > 1 else float("nan")


def associations(slices: pd.DataFrame, classes: Sequence[str], properties: Sequence[str]) -> list[Association]:
    """How each property goes with the class, over all slices.

    Args:
        slices: label and the properties, a row a slice.
        classes: names in label order.
        properties: columns to look at.
    """
    return [_association(slices, classes, name) for name in properties]


def _association(slices: pd.DataFrame, classes: Sequence[str], name: str) -> Association:
    counts = pd.crosstab(slices[name].astype(str), slices["label"])
    total = counts.sum(axis=1)
    telling = [
        (str(value), classes[int(counts.loc[value].idxmax())], float(counts.loc[value].max() / total[value]))
        for value in counts.index
        if total[value] >= FEWEST and counts.loc[value].max() >= GIVES_AWAY * total[value]
    ]
    return Association(name, cramers_v(counts.to_numpy()), len(counts), telling)
