"""The layer that gives the final logits: found, and replaced by another kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn

from dsn_saal.models.backbone import Network
from dsn_saal.models.cosine import Cosines
from dsn_saal.models.prototypes import Prototypes

LastLayer = nn.Linear | Prototypes | Cosines
"""Each has `in_features`, the number of features that it reads, and a `weight`."""

KINDS: dict[str, type[Prototypes] | type[Cosines]] = {"prototypes": Prototypes, "cosines": Cosines}


def last_layer_of(network: Network) -> LastLayer:
    """The layer that gives the final logits."""
    return cast("LastLayer", cast("nn.Module", network).get_submodule(network.last_layer))


def replace_last_layer(network: Network, layer: nn.Module) -> None:
    """Put another layer in its place, under the same name."""
    path, _, name = network.last_layer.rpartition(".")
    setattr(cast("nn.Module", network).get_submodule(path), name, layer)


def give_last_layer(
    network: Network, n_classes: int, wanted: Mapping[str, Any], generator: torch.Generator | None
) -> None:
    """Put a last layer of another kind in the place of the linear one.

    To be called when all else has its values: body and head then start as in the network with a linear last layer.

    Args:
        network: changed in place.
        n_classes: classes.
        wanted: `kind`, a key of KINDS, and the arguments of its class.
        generator: source of its start; None leaves it undefined.
    """
    linear = last_layer_of(network)
    settings = dict(wanted)
    with torch.device("meta"):
        layer = KINDS[settings.pop("kind")](linear.in_features, n_classes, **settings)
    layer.to_empty(device=linear.weight.device)
    if generator is not None:
        layer.initialise(generator)
    replace_last_layer(network, layer)
