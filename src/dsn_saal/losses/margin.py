"""Label-distribution-aware margins: rare classes must be told apart by more (Cao et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.losses.objective import Loss, log_probabilities


class MarginCrossEntropy(Loss):
    """Cross-entropy of the logits less s * m_y at the true class, a mean over the batch, for each output.

    The margins m_n are proportional to n^(-1/4) and scaled so that the largest is `largest_margin` (LDAM, equation 13).
    The authors' logits are s times the cosines of a normalised last layer (models.cosine.Cosines); the margin is one of
    cosines.

    Args:
        counts: training images per class, n.
        largest_margin: margin of the rarest class (0.5 in the authors' code).
        scale: s, the factor that is in the logits (30 there; 1 for plain logits).

    Raises:
        CheckFailed: where a class has no training image.
    """

    parts = ("ce",)
    margins: Tensor

    def __init__(self, counts: Sequence[int], *, largest_margin: float, scale: float) -> None:
        super().__init__()
        if min(counts) < 1:
            raise CheckFailed("a class without training images has no margin", value=list(counts))
        margins = torch.tensor(counts, dtype=torch.float64).pow(-0.25)
        self.register_buffer("margins", margins * (largest_margin / margins.max()), persistent=False)
        self.scale = scale

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Terms (1, O) from logits (O, B, C) and targets (B,) int64."""
        chosen = functional.one_hot(targets, logits.shape[-1])
        log_p = log_probabilities(logits.double() - self.scale * chosen * self.margins)
        return -(log_p * chosen).sum(dim=-1).mean(dim=-1, keepdim=True).T

    def state(self, classes: Sequence[str]) -> dict[str, float]:
        """The margin of each class."""
        return {f"margin_{name}": margin for name, margin in zip(classes, self.margins.tolist(), strict=True)}
