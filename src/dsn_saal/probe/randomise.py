"""Weights drawn anew layer by layer from the top: what a map still shows then, it did not learn.

The check of Adebayo et al. 2018 (Sanity Checks for Saliency Maps, cascading randomisation).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from dsn_saal.models import Network


def layers_from_the_top(network: Network) -> list[tuple[str, ...]]:
    """Names of the modules of each layer with weights, last layer first, without the side branches.

    A convolution and the normalisation that follows it are one layer.
    """
    layers: list[tuple[str, ...]] = []
    for name, module in cast("nn.Module", network).named_modules():
        if name.split(".")[0] == "sides":
            continue
        if isinstance(module, nn.Conv2d | nn.Linear):
            layers.append((name,))
        elif isinstance(module, nn.BatchNorm2d) and layers:
            layers[-1] = (*layers[-1], name)
    return layers[::-1]


def randomised(network: Network, fresh: Network, images: Sequence[Tensor]) -> Iterator[str]:
    """Replace the network's layers one after the other, from the top, by those of a fresh one; yield after each.

    The statistics of a replaced normalisation are measured anew on the images: with those of other weights its
    channels would all be cut off or all be let through, and the map would change for that alone.

    Args:
        network: trained, in evaluation mode; it is changed.
        fresh: of the same kind, as training would start it.
        images: batches (B, 1, S, S), normalised.

    Yields:
        Name of the layer that was replaced last.
    """
    old, new = cast("nn.Module", network), cast("nn.Module", fresh)
    replaced: list[nn.BatchNorm2d] = []
    for names in layers_from_the_top(network):
        for name in names:
            module = old.get_submodule(name)
            module.load_state_dict(new.get_submodule(name).state_dict())
            if isinstance(module, nn.BatchNorm2d):
                replaced.append(module)
        _measure_anew(network, replaced, images)
        yield names[0]


def _measure_anew(network: Network, norms: Sequence[nn.BatchNorm2d], images: Sequence[Tensor]) -> None:
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    with torch.no_grad():
        for batch in images:
            network(batch)
    for norm in norms:
        norm.eval()
