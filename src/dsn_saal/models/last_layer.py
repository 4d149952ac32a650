"""The layer that gives the final logits: found, and replaced."""

from __future__ import annotations

from typing import cast

from torch import nn

from dsn_saal.models.backbone import Network
from dsn_saal.models.prototypes import Prototypes


def last_layer_of(network: Network) -> nn.Linear | Prototypes:
    """The layer that gives the final logits; its `in_features` is the number of features."""
    return cast("nn.Linear | Prototypes", cast("nn.Module", network).get_submodule(network.last_layer))


def replace_last_layer(network: Network, layer: nn.Module) -> None:
    """Put another layer in its place, under the same name."""
    path, _, name = network.last_layer.rpartition(".")
    setattr(cast("nn.Module", network).get_submodule(path), name, layer)
