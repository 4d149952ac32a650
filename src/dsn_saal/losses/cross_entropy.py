"""Cross-entropy, plain or weighted by class, and its focal form."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from dsn_saal.losses.class_weights import Weighting, fixed_weights
from dsn_saal.losses.objective import Loss, log_probabilities


class CrossEntropy(Loss):
    """Mean over the batch of -w_y (1 - p_y)^gamma log p_y, for each output.

    gamma 0 is the cross-entropy of equation (4); above, the focal loss (Lin et al. 2017, equation 4, on the softmax:
    the published one is for sigmoids). A mean over the images, not over the sum of their weights, as the official
    class-balanced code has it.

    Args:
        counts: training images per class; None needs weighting "none".
        weighting: how the classes are weighted.
        effective_beta: constant of weighting "class_balanced".
        gamma: focusing parameter, at least 0.
    """

    parts = ("ce",)
    weights: Tensor | None

    def __init__(
        self,
        counts: Sequence[int] | None = None,
        *,
        weighting: Weighting = "none",
        effective_beta: float = 0.0,
        gamma: float = 0.0,
    ) -> None:
        super().__init__()
        self.gamma = gamma
        weights = None
        if weighting != "none":
            if counts is None:
                raise ValueError("weights of classes need their counts")
            weights = fixed_weights(weighting, counts, effective_beta=effective_beta)
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Terms (1, O) from logits (O, B, C) and targets (B,) int64."""
        log_p = log_probabilities(logits)
        # One-hot products instead of gather: their backward is deterministic on every device.
        chosen = functional.one_hot(targets, logits.shape[-1])
        log_p_y = (log_p * chosen).sum(dim=-1)
        loss = -log_p_y
        if self.gamma:
            # The bound keeps the slope of a root finite where p_y rounds to one.
            loss = loss * (-log_p_y.expm1()).clamp(min=torch.finfo(torch.float64).tiny).pow(self.gamma)
        if self.weights is not None:
            loss = loss * (chosen * self.weights).sum(dim=-1)
        return loss.mean(dim=-1, keepdim=True).T

    def state(self, classes: Sequence[str]) -> dict[str, float]:
        """The weight of each class where they are weighted."""
        if self.weights is None:
            return {}
        return {f"w_{name}": weight for name, weight in zip(classes, self.weights.tolist(), strict=True)}
