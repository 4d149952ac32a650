"""A last layer of prototypes: an image belongs to the class whose nearest prototype its features lie next to."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Prototypes(nn.Module):
    """Log-affinities of features to the nearest prototype of each class, in the place of a linear last layer.

    The affinity is exp(-||f - w||^2 / sigma) (Hayat et al. 2019); its logarithm is given out, so that the softmax of
    the logits is the share of a class in the sum of the affinities, and the largest logit the nearest class.

    Ours: f is what the layer reads over the root of D, so that its length does not grow with the width of the network.
    As they come, 4096 features lie at squared distances of thousands from prototypes of length 1.4: at a sigma of 10
    every affinity is 0, and so is every gradient.

    Args:
        n_features: D, what the layer reads.
        n_classes: classes.
        per_class: prototypes of each class, m.
        sigma: of the Gaussian.
    """

    def __init__(self, n_features: int, n_classes: int, *, per_class: int, sigma: float) -> None:
        super().__init__()
        self.in_features, self.out_features = n_features, n_classes
        self.sigma = sigma
        self.weight = nn.Parameter(torch.empty(n_classes, per_class, n_features))

    def initialise(self, generator: torch.Generator) -> None:
        """He's normal start over the features; the authors' own is not known."""
        nn.init.normal_(self.weight, std=math.sqrt(2.0 / self.in_features), generator=generator)

    def forward(self, features: Tensor) -> Tensor:
        """Log-affinities (B, C), float32 whatever autocast says, from features (B, D)."""
        # Differences instead of the expanded square: nothing cancels, and C prototypes are cheap.
        away = (features.float() / math.sqrt(self.in_features))[:, None, None] - self.weight
        return -away.square().sum(dim=-1).amin(dim=-1) / self.sigma

    def extra_repr(self) -> str:
        """What the module prints of itself."""
        n_classes, per_class, n_features = self.weight.shape
        return f"{n_features} features, {n_classes} classes of {per_class}, sigma={self.sigma:g}"
