"""VGG-16 with batch normalisation, plain or with a side classifier on each of its five stages.

The layers come from torchvision, and so do the names in the state dict: ImageNet weights load as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import init
from torchvision.models import vgg

from dsn_saal.models.backbone import HALVINGS, grid_of, scaled
from dsn_saal.models.deep_supervision import SideBranch, SideSpec
from dsn_saal.models.dropout import SeededDropout

HEAD_CHANNELS = 4096
"""Channels of the two hidden layers of VGG's head at width 1."""

HEAD_SD = 0.01
"""Standard deviation of the head's weights, as torchvision and the VGG authors have it."""

PUBLISHED_GRID = 7
"""Side of the last map at the published input of 224 pixels."""


@dataclass(frozen=True)
class Stage:
    """Positions of one stage in `features`: what a side branch taps, and where the stage ends."""

    first: int
    pool: int
    taps: tuple[int, ...]
    channels: tuple[int, ...]


def scaled_configuration(width: float) -> list[int | str]:
    """Configuration D of torchvision with its channels scaled by `width`; "M" is a 2x2 max pooling."""
    return [entry if isinstance(entry, str) else scaled(entry, width) for entry in vgg.cfgs["D"]]


def find_stages(features: nn.Sequential, tap: str) -> list[Stage]:
    """The stages of a VGG, each ended by its max pooling, with the positions that `tap` names."""
    offset = {"after_conv": 0, "after_bn": 1, "after_relu": 2}[tap]
    stages: list[Stage] = []
    taps: list[int] = []
    channels: list[int] = []
    first = 0
    for position, layer in enumerate(features):
        if isinstance(layer, nn.Conv2d):
            taps.append(position + offset)
            channels.append(layer.out_channels)
        elif isinstance(layer, nn.MaxPool2d):
            stages.append(Stage(first, position, tuple(taps), tuple(channels)))
            taps, channels, first = [], [], position + 1
    return stages


class Vgg16Bn(nn.Module):
    """VGG-16-BN with one logit vector per output: the side classifiers in stage order, the head last.

    Args:
        n_classes: classes.
        image_size: side of the square input in pixels, a multiple of 32.
        width: share of the published channel numbers.
        in_channels: channels of the first convolution: 1, or 3 where the grey image is fed three times.
        dropout: share of the head's hidden values that are dropped while training.
        side: the side branches, or None for the plain backbone.

    Raises:
        BadRequest: where the five halvings do not divide the input.
    """

    published_channels: ClassVar[tuple[int, ...]] = (64, 128, 256, 512, 512)
    first_conv: ClassVar[str] = "features.0"
    last_layer: ClassVar[str] = "classifier.6"

    def __init__(
        self, *, n_classes: int, image_size: int, width: float, in_channels: int, dropout: float, side: SideSpec | None
    ) -> None:
        super().__init__()
        self.grid = grid_of(image_size)
        self.in_channels = in_channels
        self.features = vgg.make_layers(scaled_configuration(width), batch_norm=True)
        first = self.features[0]
        self.features[0] = nn.Conv2d(in_channels, first.out_channels, kernel_size=3, padding=1)
        self.stages = find_stages(self.features, side.tap if side else "after_relu")
        self.classifier = _head(
            self.stages[-1].channels[-1] * self.grid**2, scaled(HEAD_CHANNELS, width), n_classes, dropout
        )
        self.sides = nn.ModuleList(
            SideBranch(stage.channels, side, window=2 ** (HALVINGS - depth), grid=self.grid, n_classes=n_classes)
            for depth, stage in enumerate(self.stages)
            if side is not None
        )
        if side and side.tap == "after_bn":  # an activation in place would overwrite what the branch has tapped
            for layer in self.features:
                if isinstance(layer, nn.ReLU):
                    layer.inplace = False

    @property
    def n_outputs(self) -> int:
        """Logit vectors per image."""
        return len(self.sides) + 1

    def forward(self, images: Tensor) -> list[Tensor]:
        """Logits (B, n_classes) of each output from images (B, 1, S, S): side 1 to side 5 where there are any, head."""
        x = images.expand(-1, self.in_channels, -1, -1)
        outputs = []
        for depth, stage in enumerate(self.stages):
            side = self.sides[depth] if len(self.sides) else None
            kept = []
            for position in range(stage.first, stage.pool):
                x = self.features[position](x)
                if isinstance(side, SideBranch) and position in stage.taps:
                    x, taken = side.take(x)
                    kept.append(taken)
            if side is not None:
                outputs.append(side(kept))
            x = self.features[stage.pool](x)
        outputs.append(self.classifier(torch.flatten(x, 1)))
        return outputs

    def initialise(self, generator: torch.Generator) -> None:
        """Torchvision's start: He's normal over the outputs, the head N(0, 0.01).

        A standard deviation of 0.01 belongs to the published numbers of inputs. A narrower layer has fewer inputs to
        sum, so it is scaled by the root of published over actual inputs: the signal that reaches the logits keeps its
        size.
        """
        for layer in self.features:
            if isinstance(layer, nn.Conv2d):
                init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
                init.zeros_(layer.get_parameter("bias"))
        linears = [layer for layer in self.classifier if isinstance(layer, nn.Linear)]
        for layer, inputs in zip(linears, (512 * PUBLISHED_GRID**2, HEAD_CHANNELS, HEAD_CHANNELS), strict=True):
            init.normal_(layer.weight, std=HEAD_SD * math.sqrt(inputs / layer.in_features), generator=generator)
            init.zeros_(layer.bias)


def _head(n_inputs: int, hidden: int, n_classes: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(n_inputs, hidden),
        nn.ReLU(inplace=True),
        SeededDropout(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        SeededDropout(dropout),
        nn.Linear(hidden, n_classes),
    )
