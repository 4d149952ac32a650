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
        n, channels, height, width = tap.shape
        # Channels last, and whole rows first: sums over long runs of memory, which a pooling kernel with a large
        # window is not.
        lines = tap.permute(0, 2, 3, 1).reshape(n, height // window, window, width * channels)
        rows = lines.sum(dim=2, dtype=torch.promote_types(tap.dtype, torch.float32))
        sums = rows.view(n, height // window, width // window, window, channels).sum(dim=3)
        return tap.view_as(tap), sums.div_(window**2).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, pooled: Tensor) -> tuple[Tensor, None]:
        """The map's gradient plus the pooled one, spread over its window."""
        window = ctx.window
        n, channels, height, width = grad.shape
        share = (pooled / window**2).permute(0, 2, 3, 1).unsqueeze(3).expand(-1, -1, -1, window, -1)
        grad = grad.contiguous(memory_format=torch.channels_last)  # a copy only where the network is laid otherwise
        lines = grad.permute(0, 2, 3, 1).view(n, height // window, window, width * channels)
        lines.add_(share.reshape(n, height // window, 1, width * channels))
        return grad, None
