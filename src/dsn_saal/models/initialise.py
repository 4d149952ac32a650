"""Initial values from the run's generator: torchvision's for the backbone, RCF's or torch's for side layers."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import init

from dsn_saal.models.vgg import HEAD_CHANNELS, PUBLISHED_GRID, Vgg16Bn

HEAD_SD = 0.01
"""Standard deviation of the head's weights, as torchvision and the VGG authors have it."""

SIDE_SD = 0.01
"""Standard deviation of the side layers' weights, as RCF has it."""


@torch.no_grad()
def initialise(network: Vgg16Bn, *, side_init: str, generator: torch.Generator) -> None:
    """Give every parameter and buffer its first value, in a fixed order; nothing reads the global generator.

    The head's standard deviation is 0.01 at the published size. A narrower head has fewer inputs to sum, so it is
    scaled by the root of published over actual inputs: the signal that reaches the logits keeps its size.
    """
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            init.zeros_(layer.get_parameter("bias"))
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
    linears = [layer for layer in network.classifier if isinstance(layer, nn.Linear)]
    published = (512 * PUBLISHED_GRID**2, HEAD_CHANNELS, HEAD_CHANNELS)
    for layer, inputs in zip(linears, published, strict=True):
        init.normal_(layer.weight, std=HEAD_SD * math.sqrt(inputs / layer.in_features), generator=generator)
        init.zeros_(layer.get_parameter("bias"))
    for layer in network.sides.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            _initialise_side(layer, side_init, generator)


def _initialise_side(layer: nn.Conv2d | nn.Linear, side_init: str, generator: torch.Generator) -> None:
    if side_init == "framework":
        bound = 1.0 / math.sqrt(layer.weight[0].numel())
        init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
        init.uniform_(layer.get_parameter("bias"), -bound, bound, generator=generator)
    else:
        init.normal_(layer.weight, std=SIDE_SD, generator=generator)
        init.zeros_(layer.get_parameter("bias"))
