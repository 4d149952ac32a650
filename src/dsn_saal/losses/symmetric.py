"""Symmetric cross-entropy, the parent of the reverse term (Wang et al. 2019)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from dsn_saal.losses.objective import Loss, log_probabilities


class SymmetricCrossEntropy(Loss):
    """a * CE + b * RCE with RCE = -A (1 - p_y), a mean over the batch, for each output.

    The reverse cross-entropy -sum_n p_n log q_n of a one-hot label q has log 1 = 0 and log 0 = A, hence its short form.

    Args:
        ce_weight: a (0.1 in the authors' code for CIFAR-10).
        rce_weight: b (1.0 there).
        log_zero: A < 0 (-4 in their paper; their code clips labels at 1e-4, whose natural logarithm is -9.21).
    """

    parts = ("ce", "rce")

    def __init__(self, *, ce_weight: float, rce_weight: float, log_zero: float) -> None:
        super().__init__()
        self.ce_weight, self.rce_weight, self.log_zero = ce_weight, rce_weight, log_zero

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Terms (2, O) from logits (O, B, C) and targets (B,) int64."""
        chosen = functional.one_hot(targets, logits.shape[-1])
        log_p = (log_probabilities(logits) * chosen).sum(dim=-1)
        reverse = self.log_zero * log_p.expm1()  # -A (1 - p_y) without cancellation
        return torch.stack([self.ce_weight * -log_p.mean(dim=-1), self.rce_weight * reverse.mean(dim=-1)])
