"""How much of a class activation map lies inside the lungs, on the map's own grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cell_shares(masks: NDArray[np.bool_], grid: int) -> Floats:
    """Share of every grid cell that a mask covers: (n, S, S) becomes (n, grid, grid).

    Raises:
        ValueError: where the grid does not divide the mask.
    """
    n, side, _ = masks.shape
    if side % grid:
        raise ValueError(f"a grid of {grid} does not divide {side} pixels")
    cell = side // grid
    return masks.reshape(n, grid, cell, grid, cell).mean(axis=(2, 4), dtype=np.float64)


def energy_shares(maps: NDArray[np.floating], masks: NDArray[np.bool_]) -> Floats:
    """Share of each map's sum that lies inside its mask.

    A cell that the mask covers in part counts in part, as if its energy were spread evenly over it.

    Args:
        maps: (n, g, g), at least 0.
        masks: (n, S, S), S a multiple of g.

    Returns:
        (n,) in [0, 1]; NaN for a map that is zero everywhere.
    """
    energy = maps.astype(np.float64)
    total = energy.sum(axis=(1, 2))
    inside = (energy * cell_shares(masks, maps.shape[1])).sum(axis=(1, 2))
    return np.divide(inside, total, out=np.full(len(maps), np.nan), where=total > 0)
