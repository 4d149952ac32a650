"""Grad-CAM (Selvaraju et al. 2017): where in the picture the evidence for a class lies, on the grid of one layer."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models import Network
from dsn_saal.models.vgg import Vgg16Bn

Tap = Literal["after_relu", "after_conv"]


def last_map(network: Network, tap: Tap) -> nn.Module:
    """The layer whose output is the last map of a VGG-16: its last convolution, or the activation that follows it.

    Raises:
        BadRequest: for another backbone.
    """
    if not isinstance(network, Vgg16Bn):
        raise BadRequest(
            "class activation maps are built for vgg16_bn only", value=type(network).__name__, where="probe.cam",
            next_step="name experiments with that backbone",
        )  # fmt: skip
    last = max(place for place, layer in enumerate(network.features) if isinstance(layer, nn.Conv2d))
    return network.features[last + {"after_conv": 0, "after_relu": 2}[tap]]


def activation_maps(network: Network, layer: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Grad-CAM of one layer: its channels weighted by the mean gradient of the class's final logit, negatives dropped.

    Args:
        network: in evaluation mode.
        layer: a module of the network that runs once a forward pass and gives maps (B, K, h, w).
        images: (B, 1, S, S), normalised.
        classes: (B,) int64, the class of each image whose evidence is looked for.

    Returns:
        (B, h, w), at least 0; all zero where nothing speaks for the class.

    Raises:
        BadRequest: where the layer runs more or less than once.
    """
    seen: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> None:
        seen.append(output)

    hook = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits = network(images)[-1]
    finally:
        hook.remove()
    if len(seen) != 1:
        raise BadRequest("the layer of a class activation map must run once", value=f"{len(seen)} times")
    scores = logits.gather(1, classes.unsqueeze(1)).sum()  # images do not mix, so one backward pass serves all
    gradient = torch.autograd.grad(scores, seen[0])[0]
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return functional.relu((weights * seen[0]).sum(dim=1)).detach()
