"""Cross-entropy, the baseline's loss (equation 4)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from dsn_saal.losses.objective import Loss, log_probabilities


class CrossEntropy(Loss):
    """Mean over the batch of -log p_y, for each output."""

    parts = ("ce",)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Terms (1, O) from logits (O, B, C) and targets (B,) int64."""
        log_p = log_probabilities(logits)
        # One-hot products instead of gather: their backward is deterministic on every device.
        chosen = functional.one_hot(targets, logits.shape[-1])
        return -(log_p * chosen).sum(dim=-1).mean(dim=-1, keepdim=True).T
