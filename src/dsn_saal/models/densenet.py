"""DenseNet-169 and DenseNet-121, plain or with a side classifier on the map of each of their four dense blocks."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional, init
from torchvision.models import densenet

from dsn_saal.models.backbone import framework_linear, grid_of, map_branches, scaled, tapped
from dsn_saal.models.deep_supervision import SideSpec

GROWTH, FIRST = 32, 64
"""Channels that each layer adds, and channels of the first convolution, at width 1."""

STRIDES = (4, 8, 16, 32)
"""Side of the image over side of each block's map."""


class DenseNet169(densenet.DenseNet):  # type: ignore[misc]
    """DenseNet-169 with one logit vector per output: the side classifiers in block order, the head last.

    A side branch taps a block's map before the transition. The layers and their names are torchvision's. The head has
    no hidden layer, so `dropout` finds nothing to drop.

    Args:
        n_classes: classes.
        image_size: side of the square input in pixels, a multiple of 32.
        width: share of the published channel numbers.
        in_channels: channels of the first convolution: 1, or 3 where the grey image is fed three times.
        dropout: not used.
        side: the side branches, or None for the plain backbone.

    Raises:
        BadRequest: where five halvings do not divide the input.
    """

    published_channels: ClassVar[tuple[int, ...]] = (256, 512, 1280, 1664)
    first_conv: ClassVar[str] = "features.conv0"
    last_layer: ClassVar[str] = "classifier"
    blocks: ClassVar[tuple[int, int, int, int]] = (6, 12, 32, 32)

    def __init__(
        self, *, n_classes: int, image_size: int, width: float, in_channels: int, dropout: float, side: SideSpec | None
    ) -> None:
        super().__init__(scaled(GROWTH, width), self.blocks, scaled(FIRST, width), num_classes=n_classes)
        self.features.conv0 = nn.Conv2d(in_channels, scaled(FIRST, width), 7, stride=2, padding=3, bias=False)
        self.in_channels, self.grid = in_channels, grid_of(image_size)
        channels, held = [], scaled(FIRST, width)
        for layers in self.blocks:
            held += layers * scaled(GROWTH, width)
            channels.append(held)
            held //= 2
        self.sides = map_branches(channels, side, strides=STRIDES, grid=self.grid, n_classes=n_classes)

    @property
    def n_outputs(self) -> int:
        """Logit vectors per image."""
        return len(self.sides) + 1

    def forward(self, x: Tensor) -> list[Tensor]:
        """Logits (B, n_classes) of each output from images (B, 1, S, S): sides in block order, head."""
        x = x.expand(-1, self.in_channels, -1, -1)
        outputs: list[Tensor] = []
        for name, layer in self.features.named_children():
            x = layer(x)
            if name.startswith("denseblock"):
                x = tapped(self.sides, len(outputs), x, outputs)
        outputs.append(self.classifier(functional.relu(x, inplace=True).mean(dim=(2, 3))))
        return outputs

    def initialise(self, generator: torch.Generator) -> None:
        """Torchvision's start: He's normal over the inputs, torch's own for the head with a bias of zero."""
        for layer in self.features.modules():
            if isinstance(layer, nn.Conv2d):
                init.kaiming_normal_(layer.weight, generator=generator)
        framework_linear(self.classifier, generator)
        init.zeros_(self.classifier.bias)


class DenseNet121(DenseNet169):
    """DenseNet-121: the same with fewer layers."""

    published_channels: ClassVar[tuple[int, ...]] = (256, 512, 1024, 1024)
    blocks: ClassVar[tuple[int, int, int, int]] = (6, 12, 24, 16)
