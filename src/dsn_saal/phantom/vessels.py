"""Branching trees in three dimensions: arteries, veins and the bronchi beside the arteries.

A tree serves leaves spread through the lung. Each branch heads for the middle of its leaves and forks where they part,
so that branches neither cross nor miss a region, and the same tree is cut by every slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.grid import SUBPIXEL_BITS, Grid
from dsn_saal.phantom.lungs import LungVolume

HALF_SLICE_MM = 2.5
_LEAF_RADIUS_MM = 0.55
_GROWTH = 0.38
"""Radius grows with the number of leaves to this power (Murray's law: 1/3 to 1/2.3)."""


@dataclass(frozen=True)
class Tree:
    """Branches of one tree.

    Attributes:
        start, end: (branches, 3) in mm.
        radius: (branches,) in mm.
        leaves: (leaves, 3) in mm, ordered so that every branch serves a contiguous range.
        span: (branches, 2) first and one past the last leaf of each branch.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    radius: NDArray[np.float64]
    leaves: NDArray[np.float64]
    span: NDArray[np.int64]

    @property
    def served(self) -> NDArray[np.int64]:
        """Leaves behind each branch."""
        return self.span[:, 1] - self.span[:, 0]


def grow(leaves: NDArray[np.float64], root: NDArray[np.float64], rng: np.random.Generator) -> Tree:
    """Grow a tree from `root` (3,) to `leaves` (n, 3)."""
    leaves = leaves.copy()
    rows: list[tuple[NDArray[np.float64], NDArray[np.float64], int, int]] = []
    pending = [(root, 0, len(leaves))]
    while pending:
        origin, first, last = pending.pop()
        group = leaves[first:last]
        if last - first == 1:
            rows.append((origin, group[0], first, last))
            continue
        fork = origin + rng.uniform(0.30, 0.55) * (group.mean(axis=0) - origin) + rng.uniform(-2, 2, 3)
        rows.append((origin, fork, first, last))
        axis = int(np.argmax(group.max(axis=0) - group.min(axis=0)))
        leaves[first:last] = group[np.argsort(group[:, axis], kind="stable")]
        cut = first + max(1, min(last - first - 1, round((last - first) * rng.uniform(0.3, 0.7))))
        pending += [(fork, first, cut), (fork, cut, last)]
    span = np.array([(first, last) for _, _, first, last in rows])
    radius = _LEAF_RADIUS_MM * (span[:, 1] - span[:, 0]) ** _GROWTH
    return Tree(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), radius, leaves, span)


def draw_tree(volume: LungVolume, side: int, n_leaves: int, rng: np.random.Generator) -> Tree:
    """A tree through one lung, rooted at its hilum."""
    inside = volume.points(volume.planes, side)
    leaves = inside[rng.choice(len(inside), size=n_leaves, replace=False)]
    jitter = rng.uniform(-0.5, 0.5, leaves.shape) * (volume.grid.spacing_mm, volume.grid.spacing_mm, 8.0)
    root = np.array([side * 26.0, rng.uniform(4, 16), volume.height_mm * rng.uniform(0.46, 0.54)])
    return grow(leaves + jitter, root, rng)


@dataclass(frozen=True)
class Cut:
    """What one slice shows of a tree: centre lines (n, 2, 2) in mm, radii in mm, share of the slice filled, leaves."""

    lines: NDArray[np.float64]
    radius: NDArray[np.float64]
    filled: NDArray[np.float64]
    served: NDArray[np.int64]


def cut(tree: Tree, z_mm: float) -> Cut:
    """The branches that pass through the slice at `z_mm`, clipped to its thickness."""
    z0, z1 = tree.start[:, 2] - z_mm, tree.end[:, 2] - z_mm
    reach = HALF_SLICE_MM + 0.5 * tree.radius
    hit = np.flatnonzero((np.minimum(z0, z1) < reach) & (np.maximum(z0, z1) > -reach))
    z0, rise, reach = z0[hit], (z1 - z0)[hit], reach[hit]
    safe = np.where(np.abs(rise) < 1e-6, 1e-6, rise)
    enter, leave = (-reach - z0) / safe, (reach - z0) / safe
    first = np.clip(np.minimum(enter, leave), 0, 1)[:, None]
    last = np.clip(np.maximum(enter, leave), 0, 1)[:, None]
    start, way = tree.start[hit, :2], tree.end[hit, :2] - tree.start[hit, :2]
    length = np.sqrt((way * way).sum(axis=1) + rise * rise)
    upright = np.abs(rise) / np.maximum(length, 1e-6)
    filled = np.maximum(upright, np.minimum(1.0, tree.radius[hit] / HALF_SLICE_MM + 0.1))
    lines = np.stack([start + first * way, start + last * way], axis=1)
    return Cut(lines, tree.radius[hit], filled, tree.served[hit])


def paint(image: NDArray[np.uint8], grid: Grid, seen: Cut, *, wider_mm: float = 0.0, strength: float = 1.0) -> None:
    """Draw branches into an 8-bit layer, 255 where the slice is full of vessel; thin ones fainter, thick ones last."""
    ends = grid.fixed_point(seen.lines.reshape(-1, 2)).reshape(-1, 4)
    wanted = 2 * (seen.radius + wider_mm) / grid.spacing_mm
    widths = np.maximum(1, np.rint(wanted)).astype(int)
    values = np.rint(255 * strength * np.minimum(1.0, wanted / widths) * seen.filled).astype(int)
    for i in np.argsort(values, kind="stable").tolist():
        x0, y0, x1, y1 = ends[i].tolist()
        cv2.line(image, (x0, y0), (x1, y1), int(values[i]), int(widths[i]), cv2.LINE_8, SUBPIXEL_BITS)


def only(seen: Cut, chosen: NDArray[np.bool_]) -> Cut:
    """Part of a cut."""
    return Cut(seen.lines[chosen], seen.radius[chosen], seen.filled[chosen], seen.served[chosen])


def beside(seen: Cut, shift_mm: tuple[float, float], share: float) -> Cut:
    """The bronchi that accompany arteries: shifted, `share` as wide."""
    return Cut(seen.lines + np.asarray(shift_mm), seen.radius * share, seen.filled, seen.served)
