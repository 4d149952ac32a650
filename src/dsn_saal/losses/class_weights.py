"""Fixed weights of the classes from their numbers of training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from dsn_saal.domain.errors import CheckFailed

Weighting = Literal["none", "inverse_frequency", "class_balanced"]


def fixed_weights(weighting: Weighting, counts: Sequence[int], *, effective_beta: float) -> Tensor:
    """Class weights (C,), float64, that sum to C.

    Args:
        weighting: "none" (ones), "inverse_frequency" (cost-sensitive learning: the cost of a class is 1/n), or
            "class_balanced" (Cui et al. 2019, equation 3: (1 - b) / (1 - b^n)).
        counts: training images per class, n.
        effective_beta: b of "class_balanced", in [0, 1); 0 gives ones, its limit 1 the inverse frequency.

    Raises:
        CheckFailed: where a class has no training image.
    """
    if min(counts) < 1:
        raise CheckFailed("a class without training images has no weight", value=list(counts))
    n = torch.tensor(counts, dtype=torch.float64)
    if weighting == "none":
        return torch.ones_like(n)
    if weighting == "inverse_frequency":
        weights = 1.0 / n
    else:
        weights = (1.0 - effective_beta) / -torch.expm1(n * _log(effective_beta))
    return weights * (len(counts) / weights.sum())


def _log(value: float) -> Tensor:
    return torch.log(torch.tensor(value, dtype=torch.float64))  # -inf for 0, which gives a weight of one
