"""The bilevel update of Meta-Weight-Net (Shu et al. 2019, Algorithm 1): weights of samples learnt from a clean set.

A small network V maps the loss of a sample to its weight. Each step asks how V would have to change for one step of
the classifier, taken with V's weights, to lower the loss on a small balanced meta set; the gradient runs through that
virtual step.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, grad_and_value
from torch.nn import functional, init

Tensors = dict[str, Tensor]


class WeightNet(nn.Module):
    """Loss of a sample (B,) to its weight in (0, 1), (B,): one hidden layer and a sigmoid.

    Args:
        hidden: width of the hidden layer (100 in both official codes).
        generator: source of the start values, torch's own for fully connected layers.
    """

    def __init__(self, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        with torch.device("meta"):
            self.first, self.second = nn.Linear(1, hidden), nn.Linear(hidden, 1)
        self.to_empty(device="cpu")
        for layer in (self.first, self.second):
            bound = layer.in_features**-0.5
            init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            init.uniform_(layer.bias, -bound, bound, generator=generator)

    def forward(self, losses: Tensor) -> Tensor:
        """Weights (B,) of losses (B,)."""
        hidden = functional.relu(self.first(losses.unsqueeze(1)))
        return torch.sigmoid(self.second(hidden)).squeeze(1)


def sample_losses(network: nn.Module, values: Tensors, images: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy (B,) of the network's final output, with `values` in place of its parameters and buffers.

    Batch normalisation in training mode writes its running means into the buffers of `values`.
    """
    return functional.cross_entropy(functional_call(network, values, (images,))[-1].float(), targets, reduction="none")


def weighted_mean(losses: Tensor, weights: Tensor, *, normalise: bool) -> Tensor:
    """The loss that a step descends: weights over their sum as the official code for imbalance has it, else a mean."""
    if normalise:
        total = weights.sum()
        return (losses * weights).sum() / torch.where(total == 0, 1.0, total)
    return (losses * weights).mean()


def meta_gradient(
    network: nn.Module,
    weight_net: WeightNet,
    batch: tuple[Tensor, Tensor],
    meta_batch: tuple[Tensor, Tensor],
    *,
    lr: float,
    normalise: bool,
) -> tuple[Tensors, Tensor]:
    """Gradient of the meta loss, after a virtual step of the classifier, by the parameters of the weight net.

    Args:
        network: the classifier; neither its parameters nor its buffers change.
        weight_net: V.
        batch: images (B, 1, S, S) and targets (B,) of the training set.
        meta_batch: the same of the meta set.
        lr: rate of the virtual step, plain gradient descent (equation 3).
        normalise: see `weighted_mean`.

    Returns:
        The gradient by name of the weight net's parameters (equation 4), and the meta loss itself.
    """
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    chosen = {name: value.detach() for name, value in weight_net.named_parameters()}

    def buffers() -> Tensors:
        return {name: value.detach().clone() for name, value in network.named_buffers()}

    def virtual_loss(own: Tensors, theta: Tensors) -> Tensor:
        losses = sample_losses(network, {**own, **buffers()}, *batch)
        # The weight of a sample is a function of its loss that the classifier's step takes as given.
        weights = functional_call(weight_net, theta, (losses.detach(),))
        return weighted_mean(losses, weights, normalise=normalise)

    def meta_loss(theta: Tensors) -> Tensor:
        slopes = grad(virtual_loss)(parameters, theta)
        moved = {name: value - lr * slopes[name] for name, value in parameters.items()}
        return sample_losses(network, {**moved, **buffers()}, *meta_batch).mean()

    gradient, value = grad_and_value(meta_loss)(chosen)
    return gradient, value.detach()
