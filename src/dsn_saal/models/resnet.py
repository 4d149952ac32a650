"""ResNet-50 and ResNeXt-50 (32x4d), plain or with a side classifier on the map of each of their four stages."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import init
from torchvision.models import resnet

from dsn_saal.models.backbone import framework_linear, grid_of, map_branches, scaled, tapped
from dsn_saal.models.deep_supervision import SideSpec

BLOCKS = (3, 4, 6, 3)
"""Bottlenecks of the four stages."""

PLANES = (64, 128, 256, 512)
"""Planes of the four stages at width 1; a stage's map has four times as many channels."""

STRIDES = (4, 8, 16, 32)
"""Side of the image over side of each stage's map."""


class ResNet50(resnet.ResNet):  # type: ignore[misc]
    """ResNet-50 with one logit vector per output: the side classifiers in stage order, the head last.

    The layers and their names are torchvision's. The head has no hidden layer, so `dropout` finds nothing to drop.

    Args:
        n_classes: classes.
        image_size: side of the square input in pixels, a multiple of 32.
        width: share of the published channel numbers.
        in_channels: channels of the first convolution: 1, or 3 where the grey image is fed three times.
        dropout: not used.
        side: the side branches, or None for the plain backbone; each taps the map that a stage ends with.

    Raises:
        BadRequest: where five halvings do not divide the input.
    """

    published_channels: ClassVar[tuple[int, ...]] = (256, 512, 1024, 2048)
    first_conv: ClassVar[str] = "conv1"
    last_layer: ClassVar[str] = "fc"
    cardinality: ClassVar[int] = 1
    base: ClassVar[int] = 64
    """Channels of each group of a bottleneck in the first stage, at width 1."""

    def __init__(
        self, *, n_classes: int, image_size: int, width: float, in_channels: int, dropout: float, side: SideSpec | None
    ) -> None:
        nn.Module.__init__(self)  # torchvision's own constructor knows no width and draws start values
        self._norm_layer = nn.BatchNorm2d
        self.inplanes, self.dilation = scaled(64, width), 1
        self.groups = scaled(self.cardinality, width) if self.cardinality > 1 else 1
        self.base_width = self.base / width if self.groups > 1 else self.base  # channels of a group do not shrink
        self.conv1 = nn.Conv2d(in_channels, self.inplanes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        planes = [scaled(count, width) for count in PLANES]
        for stage, (count, blocks) in enumerate(zip(planes, BLOCKS, strict=True)):
            layer = self._make_layer(resnet.Bottleneck, count, blocks, stride=1 if stage == 0 else 2)
            self.add_module(f"layer{stage + 1}", layer)
        channels = [count * resnet.Bottleneck.expansion for count in planes]
        self.fc = nn.Linear(channels[-1], n_classes)
        self.in_channels, self.grid = in_channels, grid_of(image_size)
        self.sides = map_branches(channels, side, strides=STRIDES, grid=self.grid, n_classes=n_classes)

    @property
    def n_outputs(self) -> int:
        """Logit vectors per image."""
        return len(self.sides) + 1

    def forward(self, images: Tensor) -> list[Tensor]:
        """Logits (B, n_classes) of each output from images (B, 1, S, S): sides in stage order, head."""
        x = images.expand(-1, self.in_channels, -1, -1)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        outputs: list[Tensor] = []
        for place, stage in enumerate((self.layer1, self.layer2, self.layer3, self.layer4)):
            x = tapped(self.sides, place, stage(x), outputs)
        outputs.append(self.fc(x.mean(dim=(2, 3))))
        return outputs

    def initialise(self, generator: torch.Generator) -> None:
        """Torchvision's start: He's normal over the outputs, torch's own for the head."""
        for name, layer in self.named_modules():
            if isinstance(layer, nn.Conv2d) and not name.startswith("sides."):
                init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        framework_linear(self.fc, generator)


class ResNeXt50(ResNet50):
    """ResNeXt-50 (32x4d): the same with grouped bottlenecks; a narrower one has fewer groups of the same size."""

    cardinality: ClassVar[int] = 32
    base: ClassVar[int] = 4
