"""How unequal the inverse effective numbers of samples are, and from which alpha on (paper equation 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEGLIGIBLE = 0.01
"""Relative difference of class weights below which nothing is re-balanced."""

STEPS = 200
"""Halvings of the interval that holds an alpha: more than float64 has bits."""

LARGEST_LOGIT = 36.0
"""Beyond it a sigmoid is one in float64."""


def weight_ratio(alpha: ArrayLike, counts: Sequence[int]) -> NDArray[np.float64]:
    """Largest over smallest class weight (1 - alpha) / (1 - alpha^k).

    Args:
        alpha: any shape, in [0, 1).
        counts: training images per class, k, at least 1.

    Returns:
        The ratio in the shape of alpha: 1 at alpha = 0, towards max(k) / min(k) as alpha goes to 1.
    """
    with np.errstate(divide="ignore"):
        log_alpha = np.log(np.asarray(alpha, dtype=np.float64))  # -inf at 0 gives the limit
    return np.expm1(max(counts) * log_alpha) / np.expm1(min(counts) * log_alpha)


def alpha_of_ratio(ratio: float, counts: Sequence[int]) -> float | None:
    """The alpha at which the weights differ by a ratio; None where no alpha makes them differ so much."""
    low, high = -LARGEST_LOGIT, LARGEST_LOGIT
    if not 1 <= ratio < weight_ratio(_sigmoid(high), counts):
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if weight_ratio(_sigmoid(middle), counts) < ratio else (low, middle)
    return _sigmoid(high)


def _sigmoid(raw: float) -> float:
    return 1 / (1 + math.exp(-raw))
