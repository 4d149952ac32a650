"""Side classifiers on the stages of a backbone (paper section 3.1, in the style of RCF)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from dsn_saal.models.pooled_tap import PooledTap

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
        self.spec, self.window = spec, window
        self.convs = nn.ModuleList(nn.Conv2d(channels, spec.channels, 1) for channels in in_channels)
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(spec.channels) if spec.side_bn else nn.Identity() for _ in in_channels
        )
        self.fuse = nn.Conv2d(joined, spec.fuse_channels, 1)
        self.fuse_norm = nn.BatchNorm2d(spec.fuse_channels) if spec.side_bn else nn.Identity()
        self.classify = nn.Linear(spec.fuse_channels * grid * grid, n_classes)

    def take(self, tap: Tensor) -> tuple[Tensor, Tensor]:
        """The tap (B, C, H, W) for the backbone, and what the branch keeps: pooled where pooling comes first."""
        return PooledTap.apply(tap, self.window) if self.spec.pools_first else (tap, tap)

    def forward(self, kept: Sequence[Tensor]) -> Tensor:
        """Logits (B, n_classes) of the stage from what `take` kept of its taps."""
        fused = self._folded(kept) if self.spec.pools_first else self._layer_by_layer(kept)
        return self.classify(fused.flatten(1))

    def _layer_by_layer(self, kept: Sequence[Tensor]) -> Tensor:
        maps = [norm(conv(tap)) for tap, conv, norm in zip(kept, self.convs, self.norms, strict=True)]
        joined = torch.cat(maps, dim=1) if self.spec.merge == "concat" else torch.stack(maps).sum(dim=0)
        # nn.AdaptiveAvgPool2d would be the same function, but has no deterministic backward on CUDA.
        return functional.avg_pool2d(self.fuse_norm(self.fuse(joined)), self.window)

    def _folded(self, kept: Sequence[Tensor]) -> Tensor:
        """The 1x1 convolutions and their fusion as the one matrix that they are together, on the pooled taps."""
        weights: list[Tensor] = [conv.get_parameter("weight").flatten(1) for conv in self.convs]
        biases: list[Tensor] = [conv.get_parameter("bias") for conv in self.convs]
        if self.spec.merge == "concat":
            weight, bias = torch.block_diag(*weights), torch.cat(biases)
        else:
            weight, bias = torch.cat(weights, dim=1), torch.stack(biases).sum(dim=0)
        fuse = self.fuse.weight.flatten(1)
        offset = self.fuse.get_parameter("bias") + fuse @ bias
        return (fuse @ weight) @ torch.cat(list(kept), dim=1).flatten(2) + offset.unsqueeze(1)
