"""Dropout that draws from the run's own generator instead of torch's global one."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SeededDropout(nn.Module):
    """`nn.Dropout` with a generator of its own, so that a run's randomness is one stream that a checkpoint can hold.

    Attributes:
        p: share of the values that are set to zero while training.
        generator: source of the masks, on the device of the input; must be set before training.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Zero a share p of the values and scale the rest by 1 / (1 - p); the identity in evaluation."""
        if not self.training or self.p == 0.0:
            return x
        if self.generator is None:
            raise RuntimeError("dropout trains without a generator: set it, the global stream is never read")
        kept = torch.empty_like(x).bernoulli_(1.0 - self.p, generator=self.generator)
        return x * kept.div_(1.0 - self.p)

    def extra_repr(self) -> str:
        """What the module prints of itself."""
        return f"p={self.p}"
