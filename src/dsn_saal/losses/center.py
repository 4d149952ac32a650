"""Cross-entropy with a pull of each image's features towards a learnt center of its class (Wen et al. 2016)."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from dsn_saal.losses.objective import Looks, Loss, log_probabilities


class CenterCrossEntropy(Loss):
    """-log p_y for each output, and for the final one lambda / 2 ||f - c_y||^2 beside it, means over the batch.

    f is what the network's last layer reads (after dropout, where the head has any), c_y the center of the image's
    class. Only the final output has features: the side classifiers of deep supervision keep plain cross-entropy.

    Centers are moved by the authors' rule, not by the optimizer (their equation 4 and algorithm 1): with the images
    of class j in the batch,

        c_j <- c_j - rate * sum (c_j - f) / (1 + n_j)

    after the loss has been taken with the old ones, and only while the module trains. Their published code starts the
    centers uniformly within the root of 3 / D and takes the mean over the batch, as here; the sum in their equation 2
    is that of one batch.

    Args:
        n_classes: classes.
        n_features: D, inputs of the network's last layer.
        center_weight: lambda (0.003 in the paper's face experiments).
        center_rate: alpha of the centers (0.5 there).
        generator: source of the start.
    """

    parts = ("ce", "center")
    looks_at: ClassVar[Looks] = "features"
    centers: Tensor

    def __init__(
        self, n_classes: int, n_features: int, *, center_weight: float, center_rate: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.center_weight, self.center_rate = center_weight, center_rate
        bound = math.sqrt(3.0 / n_features)
        start = torch.empty(n_classes, n_features, dtype=torch.float64).uniform_(-bound, bound, generator=generator)
        self.register_buffer("centers", start)  # persistent: a checkpoint holds them

    def forward(self, logits: Tensor, targets: Tensor, features: Tensor) -> Tensor:
        """Terms (2, O) from logits (O, B, C), targets (B,) int64 and features (B, D); moves the centers."""
        chosen = functional.one_hot(targets, logits.shape[-1]).double()
        ce = -(log_probabilities(logits) * chosen).sum(dim=-1).mean(dim=-1)
        # Products with one-hot rows instead of gather and scatter: sums in a fixed order on every device.
        away = features.flatten(1).double() - chosen @ self.centers  # (B, D)
        pull = 0.5 * self.center_weight * away.square().sum(dim=1).mean()
        if self.training:
            self._move(away.detach(), chosen)
        return torch.stack([ce, functional.pad(pull.unsqueeze(0), (len(ce) - 1, 0))])

    @torch.no_grad()
    def _move(self, away: Tensor, chosen: Tensor) -> None:
        per_class = 1.0 + chosen.sum(dim=0)
        self.centers += self.center_rate * (chosen.T @ away) / per_class.unsqueeze(1)
