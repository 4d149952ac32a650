"""What a network's last layer reads: the features that some losses look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from dsn_saal.models.registry import Network

Features = tuple[Tensor] | tuple[()]
"""Features (B, D) of a batch, or nothing where nobody asked for them."""


def last_layer_of(network: Network) -> nn.Linear:
    """The layer that gives the final logits."""
    return cast("nn.Linear", cast("nn.Module", network).get_submodule(network.last_layer))


def watched_features(network: Network) -> Callable[[], Features]:
    """Let the network keep what its last layer reads, from now on; returns what gives it out, once a forward pass.

    Only a network that is watched pays for it.
    """
    seen: list[Tensor] = []

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[:] = inputs[:1]

    def latest() -> Features:
        return (seen.pop(),)  # given away, so that no graph outlives its backward pass

    last_layer_of(network).register_forward_pre_hook(keep)
    return latest


def no_features() -> Features:
    """What stands in where a loss needs none."""
    return ()
