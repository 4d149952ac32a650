"""Average pooling of a tap whose backward pass costs one addition."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class PooledTap(torch.autograd.Function):
    """A map (B, C, H, W) as it is, and its averages over windows (B, C, H / window, W / window).

    `AvgPool2d` beside the map would write its own gradient of full size and let autograd add it to the map's. Here the
    pooled gradient is spread onto the map's in place: nothing of full size is made. That is allowed because the map's
    gradient comes fresh from the one layer that follows the tap (a convolution, normalisation, activation or pooling)
    and nothing else holds it. On a CPU this is most of what deep supervision would cost.
    """

    @staticmethod
    def forward(ctx: Any, tap: Tensor, window: int) -> tuple[Tensor, Tensor]:
        """The map and its averages, at least in float32; `window` divides both sides."""
        ctx.window = window
        # Rows first: summing whole rows runs at memory speed, which a pooling kernel with a large window does not.
        rows = tap.unflatten(2, (-1, window)).mean(dim=3, dtype=torch.promote_types(tap.dtype, torch.float32))
        return tap.view_as(tap), rows.unflatten(3, (-1, window)).mean(dim=4)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, pooled: Tensor) -> tuple[Tensor, None]:
        """The map's gradient plus the pooled one, spread over its window."""
        window = ctx.window
        share = (pooled / window**2).unsqueeze(4).expand(-1, -1, -1, -1, window).flatten(3)
        grad.unflatten(2, (-1, window)).add_(share.unsqueeze(3))
        return grad, None
