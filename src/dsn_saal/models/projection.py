"""A backbone as the encoder of contrastive learning: its last layer gives features, and is thrown away afterwards."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dsn_saal.models.backbone import Network, framework_linear
from dsn_saal.models.last_layer import last_layer_of, replace_last_layer


def project(network: Network, *, dim: int, mlp: bool, generator: torch.Generator | None) -> None:
    """Put a projection to feature vectors in the place of the network's last layer.

    Args:
        network: changed in place; its outputs are then (B, dim).
        dim: length of a feature vector.
        mlp: whether a hidden layer as wide as the input comes first (MoCo v2), or the projection is linear (MoCo v1).
        generator: source of the start values, torch's own for fully connected layers; None leaves them undefined.
    """
    replaced = last_layer_of(network)
    inputs = replaced.in_features
    with torch.device("meta"):
        layers = [nn.Linear(inputs, inputs), nn.ReLU()] if mlp else []
        head = nn.Sequential(*layers, nn.Linear(inputs, dim))
    head.to_empty(device=replaced.weight.device)
    for layer in head:
        if isinstance(layer, nn.Linear) and generator is not None:
            framework_linear(layer, generator)
    replace_last_layer(network, head)


def load_body(network: Network, encoder: Mapping[str, Tensor]) -> None:
    """Give a classifier an encoder's values in all layers but the last; that one and side branches keep theirs.

    Args:
        network: the classifier, changed in place.
        encoder: state dict of an encoder of the same backbone.
    """
    last = f"{network.last_layer}."
    body = {name: value for name, value in encoder.items() if not name.startswith(last)}
    kept = {name: value for name, value in network.state_dict().items() if name not in body}
    network.load_state_dict({**body, **kept})
