"""Initial values from the run's generator: torchvision's for the backbone, RCF's or torch's for side layers."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import init

from dsn_saal.models.backbone import Network
from dsn_saal.models.vgg import PUBLISHED_GRID

SIDE_SD = 0.01
"""Standard deviation of the side layers' weights, as RCF has it."""


@torch.no_grad()
def initialise(network: Network, *, side_init: str, generator: torch.Generator) -> None:
    """Give every parameter and buffer its first value, in a fixed order; nothing reads the global generator.

    As in the backbones, a standard deviation belongs to the published number of inputs and grows where there are fewer.
    """
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
    network.initialise(generator)
    for side, channels in zip(network.sides, network.published_channels, strict=bool(len(network.sides))):
        for name, layer in side.named_modules():
            if isinstance(layer, nn.Conv2d | nn.Linear) and side_init == "framework":
                _framework(layer, generator)
            elif isinstance(layer, nn.Conv2d | nn.Linear):
                inputs = layer.weight[0].numel()
                published = {"convs": channels, "classify": inputs * PUBLISHED_GRID**2 // network.grid**2}
                _normal(layer, SIDE_SD, published.get(name.partition(".")[0], inputs), generator)


def _normal(layer: nn.Conv2d | nn.Linear, sd: float, published_inputs: int, generator: torch.Generator) -> None:
    init.normal_(layer.weight, std=sd * math.sqrt(published_inputs / layer.weight[0].numel()), generator=generator)
    init.zeros_(layer.get_parameter("bias"))


def _framework(layer: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    bound = 1.0 / math.sqrt(layer.weight[0].numel())
    init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    init.uniform_(layer.get_parameter("bias"), -bound, bound, generator=generator)
