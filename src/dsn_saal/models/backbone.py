"""What every backbone is: a torchvision network with one logit vector per output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import init

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models.deep_supervision import SideBranch, SideSpec

HALVINGS = 5
"""Every backbone halves the image five times."""


class Network(Protocol):
    """A backbone with its side branches; a torch module."""

    published_channels: ClassVar[tuple[int, ...]]
    """Channels that each side branch taps at width 1."""
    first_conv: ClassVar[str]
    """Name of the first convolution in the state dict."""
    last_layer: ClassVar[str]
    """Name of the layer that gives the logits."""
    grid: int
    in_channels: int
    sides: nn.ModuleList

    @property
    def n_outputs(self) -> int:
        """Logit vectors per image."""

    def __call__(self, images: Tensor) -> list[Tensor]:
        """Logits (B, C) of each output, the head last, from images (B, 1, S, S)."""

    def initialise(self, generator: torch.Generator) -> None:
        """First values of body and head, but for batch normalisation and side branches."""

    def compile(self, *, backend: str, dynamic: bool) -> None:
        """As torch has it."""

    def eval(self) -> nn.Module:
        """As torch has it."""

    def modules(self) -> Iterator[nn.Module]:
        """As torch has it."""

    def state_dict(self) -> dict[str, Tensor]:
        """As torch has it."""

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> object:
        """As torch has it."""


def grid_of(image_size: int) -> int:
    """Side of the last map; raises BadRequest where five halvings do not divide the image."""
    if image_size % 2**HALVINGS:
        raise BadRequest(
            "the network halves the image five times, so its side must be a multiple of 32",
            value=image_size,
            where="preprocess.image_size",
        )
    return image_size // 2**HALVINGS


def scaled(channels: int, width: float) -> int:
    """Channels at a share of the published width, at least one."""
    return max(1, round(channels * width))


def map_branches(
    channels: Sequence[int], side: SideSpec | None, *, strides: Sequence[int], grid: int, n_classes: int
) -> nn.ModuleList:
    """A side branch for each of a staged network's maps, none without `side`.

    Args:
        channels: of each map.
        side: what a branch is made of.
        strides: of each map: side of the image over side of the map.
        grid: side of the pooled maps.
        n_classes: classes.
    """
    if side is None:
        return nn.ModuleList()
    return nn.ModuleList(
        SideBranch((count,), side, window=2**HALVINGS // stride, grid=grid, n_classes=n_classes)
        for count, stride in zip(channels, strides, strict=True)
    )


def tapped(sides: nn.ModuleList, place: int, x: Tensor, outputs: list[Tensor]) -> Tensor:
    """Let branch `place`, where there is one, classify the map x; returns x for the backbone."""
    if not len(sides):
        return x
    side = cast("SideBranch", sides[place])
    x, kept = side.take(x)
    outputs.append(side([kept]))
    return x


def framework_linear(layer: nn.Linear, generator: torch.Generator) -> None:
    """Torch's own start of a fully connected layer: uniform within 1 / sqrt(inputs)."""
    bound = layer.in_features**-0.5
    init.uniform_(layer.weight, -bound, bound, generator=generator)
    init.uniform_(layer.bias, -bound, bound, generator=generator)
