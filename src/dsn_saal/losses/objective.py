"""What losses share: terms per output, and their weighted sum (equations 1 and 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

Looks = Literal["nothing", "features", "prototypes"]


class Loss(nn.Module):
    """A loss over the outputs of a network: terms (P, O), each a mean over the batch, from logits and targets.

    Attributes:
        parts: names of the P addends of each output's loss.
        looks_at: what it is called with beside (logits, targets): the "features" (B, D) that the network's last layer
            read, the "prototypes" (C, m, D) of that layer, or "nothing".
    """

    parts: ClassVar[tuple[str, ...]]
    looks_at: ClassVar[Looks] = "nothing"

    def state(self, classes: Sequence[str]) -> dict[str, float]:
        """What the loss has learned, by name, for the training history; `classes` names its class weights."""
        return {}


def log_probabilities(logits: Tensor) -> Tensor:
    """Log-softmax over the classes in float64: a handful of numbers, so precision is free."""
    return torch.log_softmax(logits.double(), dim=-1)


def total(terms: Tensor, side_weight: float) -> Tensor:
    """Sum over parts and outputs, side outputs weighted by `side_weight`, the final (last) output by 1."""
    outputs = terms.sum(dim=0)
    return outputs[-1] + side_weight * outputs[:-1].sum()
