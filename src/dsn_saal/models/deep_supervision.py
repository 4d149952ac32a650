"""Side classifiers on the stages of a backbone (paper section 3.1, in the style of RCF)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Tap = Literal["after_relu", "after_bn", "after_conv"]


@dataclass(frozen=True)
class SideSpec:
    """What every side branch is made of.

    Attributes:
        tap: where a branch leaves a convolution of the backbone.
        channels: channels of each 1x1 side convolution.
        merge: how the maps of one stage are joined before the fusing 1x1 convolution.
        fuse_channels: channels of the fused map.
        side_bn: batch normalisation after every added convolution.
        side_init: initial values of the added layers.
        pool_first: pool each tap before its convolution. The side convolutions, their sum or concatenation, the
            fusion and the pooling are all linear, so the logits are the same function at a fraction of the work. None:
            wherever that holds, i.e. without side_bn.
    """

    tap: Tap
    channels: int
    merge: Literal["sum", "concat"]
    fuse_channels: int
    side_bn: bool
    side_init: Literal["normal_0.01", "framework"]
    pool_first: bool | None = None

    def __post_init__(self) -> None:
        if self.pool_first and self.side_bn:
            raise ValueError("pooling first is another function once side_bn normalises in between")

    @property
    def pools_first(self) -> bool:
        """Whether each tap is pooled before its convolution."""
        return not self.side_bn if self.pool_first is None else self.pool_first


class SideBranch(nn.Module):
    """The side classifier of one stage: 1x1 convolutions, fusion, average pooling, one fully connected layer.

    Args:
        in_channels: channels of the stage's taps, one per convolution of the backbone.
        spec: what the branch is made of.
        window: side of the pooling window, which brings the stage's map down to `grid`.
        grid: side of the pooled map.
        n_classes: classes.
    """

    def __init__(self, in_channels: Sequence[int], spec: SideSpec, *, window: int, grid: int, n_classes: int) -> None:
        super().__init__()
        joined = spec.channels * (len(in_channels) if spec.merge == "concat" else 1)
        self.spec = spec
        self.convs = nn.ModuleList(nn.Conv2d(channels, spec.channels, 1) for channels in in_channels)
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(spec.channels) if spec.side_bn else nn.Identity() for _ in in_channels
        )
        self.fuse = nn.Conv2d(joined, spec.fuse_channels, 1)
        self.fuse_norm = nn.BatchNorm2d(spec.fuse_channels) if spec.side_bn else nn.Identity()
        # nn.AdaptiveAvgPool2d would be the same function, but has no deterministic backward on CUDA.
        self.pool = nn.AvgPool2d(window)
        self.classify = nn.Linear(spec.fuse_channels * grid * grid, n_classes)

    def take(self, tap: Tensor) -> Tensor:
        """What the branch keeps of one tap (B, C, H, W): pooled to (B, C, grid, grid) where pooling comes first."""
        return self.pool(tap) if self.spec.pools_first else tap

    def forward(self, kept: Sequence[Tensor]) -> Tensor:
        """Logits (B, n_classes) of the stage from what `take` kept of its taps."""
        maps = self._joined_linear(kept) if not self.spec.side_bn and self.spec.merge == "sum" else self._joined(kept)
        fused = self.fuse_norm(self.fuse(maps))
        pooled = fused if self.spec.pools_first else self.pool(fused)
        return self.classify(pooled.flatten(1))

    def _joined(self, kept: Sequence[Tensor]) -> Tensor:
        maps = [norm(conv(tap)) for tap, conv, norm in zip(kept, self.convs, self.norms, strict=True)]
        return torch.cat(maps, dim=1) if self.spec.merge == "concat" else torch.stack(maps).sum(dim=0)

    def _joined_linear(self, kept: Sequence[Tensor]) -> Tensor:
        # A sum of 1x1 convolutions is one 1x1 convolution of the concatenated taps: one kernel instead of five.
        weight = torch.cat([conv.get_parameter("weight") for conv in self.convs], dim=1)
        bias = torch.stack([conv.get_parameter("bias") for conv in self.convs]).sum(dim=0)
        return functional.conv2d(torch.cat(list(kept), dim=1), weight, bias)
