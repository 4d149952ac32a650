"""Floating-point operations of a network, counted layer by layer.

Torch's own counter takes the backward pass of a grouped convolution for an ungrouped one; this count does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dsn_saal.models.deep_supervision import SideBranch
from dsn_saal.models.registry import Network


@dataclass(frozen=True)
class Flops:
    """Operations for one image: a multiplication and an addition are two.

    Attributes:
        forward: of the forward pass.
        training: of forward and backward pass: each layer also has a gradient of its weights and, but for the first,
            one of its input, and each of the two costs as much as the layer itself.
    """

    forward: int
    training: int


def count_flops(network: Network, image_size: int) -> Flops:
    """Count convolutions and fully connected layers, side branches among them; the rest is next to nothing.

    Args:
        network: on any device, the meta device included; its values do not matter.
        image_size: side of the input in pixels.
    """
    counted: list[tuple[str, int]] = []
    hooks = [
        layer.register_forward_hook(_counting(name, counted))
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear | SideBranch)
    ]
    device, was_training = next(network.parameters()).device, network.training
    try:
        with torch.no_grad():
            network.eval()(torch.empty(1, 1, image_size, image_size, device=device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    forward = sum(count for _, count in counted)
    first = sum(count for name, count in counted if name == network.first_conv)
    return Flops(forward, 3 * forward - first)


def _counting(name: str, counted: list[tuple[str, int]]) -> Any:
    def count(layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        if isinstance(layer, SideBranch):
            counted.append((name, _of_branch(layer, inputs[0])))
        else:
            counted.append((name, 2 * output.numel() * layer.get_parameter("weight")[0].numel()))

    return count


def _of_branch(branch: SideBranch, kept: list[Tensor]) -> int:
    """The folded 1x1 convolutions on the pooled taps; what is not pooled first is counted layer by layer."""
    if not branch.spec.pools_first:
        return 0
    places = kept[0].shape[-2] * kept[0].shape[-1]
    return 2 * places * branch.fuse.out_channels * sum(tap.shape[1] for tap in kept)
