"""MobileNet-V2, a comparison of Table 3; the paper gives it no side classifiers."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import init
from torchvision.models import mobilenetv2

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models.backbone import grid_of
from dsn_saal.models.deep_supervision import SideSpec
from dsn_saal.models.dropout import SeededDropout


class MobileNetV2(mobilenetv2.MobileNetV2):  # type: ignore[misc]
    """MobileNet-V2 with one logit vector. The layers and their names are torchvision's.

    Args:
        n_classes: classes.
        image_size: side of the square input in pixels, a multiple of 32.
        width: share of the published channel numbers; its last 1280 channels are never fewer.
        in_channels: channels of the first convolution: 1, or 3 where the grey image is fed three times.
        dropout: share of the head's inputs that are dropped while training (torchvision: 0.2).
        side: must be None.

    Raises:
        BadRequest: where five halvings do not divide the input, or side branches are asked for.
    """

    published_channels: ClassVar[tuple[int, ...]] = ()
    first_conv: ClassVar[str] = "features.0.0"
    last_layer: ClassVar[str] = "classifier.1"

    def __init__(
        self, *, n_classes: int, image_size: int, width: float, in_channels: int, dropout: float, side: SideSpec | None
    ) -> None:
        if side is not None:
            raise BadRequest(
                "MobileNet-V2 has no side classifiers",
                where="models.<name>.deep_supervision",
                next_step="set it to null, or choose vgg16_bn, resnet50, resnext50 or densenet169",
            )
        super().__init__(num_classes=n_classes, width_mult=width)
        first = self.features[0][0]
        self.features[0][0] = nn.Conv2d(in_channels, first.out_channels, 3, stride=2, padding=1, bias=False)
        self.classifier[0] = SeededDropout(dropout)
        self.in_channels, self.grid = in_channels, grid_of(image_size)
        self.sides = nn.ModuleList()

    @property
    def n_outputs(self) -> int:
        """Logit vectors per image."""
        return 1

    def forward(self, x: Tensor) -> list[Tensor]:
        """Logits (B, n_classes) from images (B, 1, S, S), in a list of one."""
        x = self.features(x.expand(-1, self.in_channels, -1, -1))
        return [self.classifier(x.mean(dim=(2, 3)))]

    def initialise(self, generator: torch.Generator) -> None:
        """Torchvision's start: He's normal over the outputs, the head N(0, 0.01)."""
        for layer in self.features.modules():
            if isinstance(layer, nn.Conv2d):
                init.kaiming_normal_(layer.weight, mode="fan_out", generator=generator)
        last = self.classifier[1]
        init.normal_(last.weight, std=0.01, generator=generator)
        init.zeros_(last.bias)
