"""ResNet-32 for CIFAR, as Meta-Weight-Net's official codes have it, made to fit images of 224 pixels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional, init

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models.backbone import framework_linear, grid_of, scaled
from dsn_saal.models.deep_supervision import SideSpec

BLOCKS = 5
"""Residual blocks of each of the three stages: 1 + 3 * 5 * 2 + 1 = 32 layers."""

PLANES = (16, 32, 64)
"""Channels of the three stages at width 1."""


NARROWEST = 0.25
"""Least share of them that is built: the published network is narrow as it is."""


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut without weights: every other pixel, zeros for new channels (option A)."""

    def __init__(self, channels: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.stride, self.new = stride, planes - channels

    def forward(self, x: Tensor) -> Tensor:
        """The block's map (B, planes, S / stride, S / stride)."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        return functional.relu(self.bn2(self.conv2(y)) + self._shortcut(x), inplace=True)

    def _shortcut(self, x: Tensor) -> Tensor:
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        before = self.new // 2
        return functional.pad(x, (0, 0, 0, 0, before, self.new - before)) if self.new else x


class ResNet32(nn.Module):
    """ResNet-32 with one logit vector and a last map of 7x7 at 224 pixels.

    The DSN-SAAL paper says that it added convolutions and subsampling to the official network until its last map was
    7x7, not how. This is the smallest way we found: the official first convolution takes steps of two, and two more
    3x3 convolutions of its 16 channels with steps of two follow. From there on everything is the official network,
    whose first stage sees 28x28 here and 32x32 on CIFAR. ImageNet weights were never published for it.

    Args:
        n_classes: classes.
        image_size: side of the square input in pixels, a multiple of 32.
        width: share of the published channel numbers; below a quarter it is a quarter.
        in_channels: channels of the first convolution: 1, or 3 where the grey image is fed three times.
        dropout: not used, there is no hidden layer in the head.
        side: must be None.

    Raises:
        BadRequest: where five halvings do not divide the input, or side branches are asked for.
    """

    published_channels: ClassVar[tuple[int, ...]] = ()
    first_conv: ClassVar[str] = "conv1"
    last_layer: ClassVar[str] = "linear"

    def __init__(
        self, *, n_classes: int, image_size: int, width: float, in_channels: int, dropout: float, side: SideSpec | None
    ) -> None:
        if side is not None:
            raise BadRequest(
                "ResNet-32 has no side classifiers",
                where="models.<name>.deep_supervision",
                next_step="set it to null, or choose vgg16_bn, resnet50, resnext50 or densenet169",
            )
        super().__init__()
        self.in_channels, self.grid = in_channels, grid_of(image_size)
        first, *_ = planes = [scaled(count, max(width, NARROWEST)) for count in PLANES]
        self.conv1 = nn.Conv2d(in_channels, first, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.reduce = nn.Sequential(*[layer for _ in range(2) for layer in _halving(first)])
        held = first
        blocks: list[Block] = []
        for count in planes:
            blocks.append(Block(held, count, 1 if not blocks else 2))
            blocks += [Block(count, count, 1) for _ in range(BLOCKS - 1)]
            held = count
        self.stages = nn.Sequential(*blocks)
        self.linear = nn.Linear(held, n_classes)
        self.sides = nn.ModuleList()

    @property
    def n_outputs(self) -> int:
        """Logit vectors per image."""
        return 1

    def forward(self, images: Tensor) -> list[Tensor]:
        """Logits (B, n_classes) from images (B, 1, S, S), in a list of one."""
        x = self.conv1(images.expand(-1, self.in_channels, -1, -1))
        x = self.reduce(functional.relu(self.bn1(x), inplace=True))
        return [self.linear(self.stages(x).mean(dim=(2, 3)))]

    def initialise(self, generator: torch.Generator) -> None:
        """The official start: He's normal over the inputs for every weight, torch's own for the head's bias."""
        framework_linear(self.linear, generator)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                init.kaiming_normal_(layer.weight, generator=generator)


def _halving(channels: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
