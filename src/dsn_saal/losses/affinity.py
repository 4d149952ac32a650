"""The max-margin loss on Gaussian affinities to prototypes of the classes (Hayat et al. 2019)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from dsn_saal.losses.objective import Looks, Loss


class MaxMarginAffinity(Loss):
    """A hinge on affinities, and a term that keeps the prototypes at equal distances.

    With the affinities d_j = exp(-||f - w_j||^2 / sigma) of an image, the largest over a class's prototypes,

        hinge = sum over j != y of max(0, margin + d_j - d_y), a mean over the batch
        spread = mean over the pairs of prototypes of (||w_j - w_k||^2 - mu)^2, mu being the mean of ||w_j - w_k||^2

    No code of the authors is public. Distances are squared in the Gaussian and in the spread, as in all public
    reimplementations but one, which takes plain distances in both.

    Args:
        margin: lambda.
        spread_weight: weight of the spread beside the hinge (1 is their plain sum).
    """

    parts = ("hinge", "spread")
    looks_at: ClassVar[Looks] = "prototypes"

    def __init__(self, *, margin: float, spread_weight: float) -> None:
        super().__init__()
        self.margin, self.spread_weight = margin, spread_weight

    def forward(self, logits: Tensor, targets: Tensor, prototypes: Tensor) -> Tensor:
        """Terms (2, 1) from log-affinities (1, B, C), targets (B,) int64 and prototypes (C, m, D)."""
        chosen = functional.one_hot(targets, logits.shape[-1]).double()
        affinity = logits.double().exp()
        own = (affinity * chosen).sum(dim=-1, keepdim=True)
        hinge = (functional.relu(self.margin + affinity - own) * (1 - chosen)).sum(dim=-1).mean(dim=-1)
        return torch.stack([hinge, self.spread_weight * _spread(prototypes).expand_as(hinge)])


def _spread(prototypes: Tensor) -> Tensor:
    flat = prototypes.flatten(0, 1).double()
    # All pairs by broadcasting and a factor of 0 or 1 instead of by index: a gradient in a fixed order on every device,
    # and no step that waits for it.
    squared = (flat[:, None] - flat).square().sum(dim=-1)
    each_once = torch.ones_like(squared).triu(diagonal=1)
    pairs = len(flat) * (len(flat) - 1) / 2
    mean = (squared * each_once).sum() / pairs
    return ((squared - mean).square() * each_once).sum() / pairs
