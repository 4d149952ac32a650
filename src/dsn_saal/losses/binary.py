"""Binary cross-entropy over sigmoids, each class against the rest: the loss of Transfer-CheXNet's code."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from dsn_saal.losses.objective import Loss


class BinaryCrossEntropy(Loss):
    """-(q log s + (1 - q) log(1 - s)) with sigmoids s and one-hot q, a mean over classes and batch, for each output.

    The class with the largest sigmoid is that with the largest softmax, so predictions do not depend on which of the
    two is looked at. Probabilities are softmaxes here as everywhere: the rows of a table are then ranked alike.
    """

    parts = ("bce",)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Terms (1, O) from logits (O, B, C) and targets (B,) int64."""
        chosen = functional.one_hot(targets, logits.shape[-1])
        signed = torch.where(chosen.bool(), logits, -logits).double()
        return -functional.logsigmoid(signed).mean(dim=(-2, -1)).unsqueeze(0)
