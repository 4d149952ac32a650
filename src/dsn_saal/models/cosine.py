"""A last layer of cosines: only the direction of features and of class weights counts."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Cosines(nn.Module):
    """Scaled cosines between features and the weights of each class, in the place of a linear last layer.

    What LDAM's authors feed their loss (Cao et al. 2019; kaidic/LDAM-DRW): neither has a length, there is no bias.

    Args:
        n_features: D, what the layer reads.
        n_classes: classes.
        scale: factor of the cosines; theirs stands in the loss, here in the layer, so that the softmax of the logits is
            what the loss takes for probabilities.
    """

    def __init__(self, n_features: int, n_classes: int, *, scale: float) -> None:
        super().__init__()
        self.in_features, self.out_features, self.scale = n_features, n_classes, scale
        self.weight = nn.Parameter(torch.empty(n_classes, n_features))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Their start: uniform in a cube, each class then brought to length 1."""
        self.weight.uniform_(-1.0, 1.0, generator=generator)
        self.weight.copy_(functional.normalize(self.weight, dim=1))

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, C) within +- scale, float32 whatever autocast says, from features (B, D)."""
        directions = functional.normalize(features.float(), dim=1), functional.normalize(self.weight, dim=1)
        # Products and a sum instead of a matrix product, which autocast would take in bfloat16.
        return self.scale * (directions[0][:, None] * directions[1]).sum(dim=-1)

    def extra_repr(self) -> str:
        """What the module prints of itself."""
        return f"{self.in_features} features, {self.out_features} classes, scale={self.scale:g}"
