"""What some losses look at beside the logits: the features that the last layer reads, or its prototypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models.last_layer import last_layer_of
from dsn_saal.models.prototypes import Prototypes
from dsn_saal.models.registry import Network

Beside = tuple[Tensor] | tuple[()]
"""What a loss takes after logits and targets: one tensor, or nothing."""


def beside_logits(network: Network, wanted: Literal["nothing", "features", "prototypes"]) -> Callable[[], Beside]:
    """What gives out, once a forward pass, the thing that a loss looks at.

    Args:
        network: it is watched from now on where features are wanted; only then does it pay for it.
        wanted: "features" (B, D) that the last layer read, its "prototypes" (C, m, D), or "nothing".

    Raises:
        BadRequest: where prototypes are wanted of a network whose last layer has none.
    """
    if wanted == "nothing":
        return nothing
    layer = last_layer_of(network)
    if wanted == "features":
        return _watched(layer)
    if not isinstance(layer, Prototypes):
        raise BadRequest(
            "the loss needs a last layer of prototypes, and this network has another",
            value=type(layer).__name__,
            where="models.<name>.last_layer",
            next_step="give the model prototypes, or the experiment another loss",
        )
    return lambda: (layer.weight,)


def nothing() -> Beside:
    """What stands in where a loss looks at logits alone."""
    return ()


def _watched(layer: nn.Module) -> Callable[[], Beside]:
    seen: list[Tensor] = []

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[:] = inputs[:1]

    layer.register_forward_pre_hook(keep)
    return lambda: (seen.pop(),)  # given away, so that no graph outlives its backward pass
