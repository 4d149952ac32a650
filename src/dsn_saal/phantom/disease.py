"""Lesions of the three classes, as radiologists describe them, each a cluster of ellipsoids in the patient.

COVID-19: both lungs, several lobes, below the pleura, more often at the back and low: rounded ground glass, some with
reticulation ("crazy paving"), some with a dense core. Bacterial pneumonia: mostly one lung, the territory of one
branch of the bronchial tree (a segment or a lobe), consolidated, with air in its bronchi; sometimes a small effusion.
Normal: none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.grid import Grid, ellipse
from dsn_saal.phantom.lungs import LungVolume
from dsn_saal.phantom.vessels import Tree

LOWEST_LESION, HIGHEST_LESION = 0.11, 0.90
"""Heights s between which lesions lie: slices beyond carry their case's label without a sign of it."""

Ellipsoids = NDArray[np.float64]
"""Rows of x, y, z, half width, half depth, half height (mm), turn (radians)."""

NOTHING: Ellipsoids = np.zeros((0, 7))


@dataclass(frozen=True)
class Disease:
    """What is ill in one patient.

    Attributes:
        haze: ellipsoids of ground glass; dense: of consolidation.
        haze_strength, dense_strength: how much of the lung's air is gone, 0 to 1.
        paving: strength of the reticulation on the ground glass, 0 for none.
        effusion_mm: depth of free fluid behind each lung (right, left).
    """

    haze: Ellipsoids = field(default_factory=lambda: NOTHING)
    dense: Ellipsoids = field(default_factory=lambda: NOTHING)
    haze_strength: float = 0.0
    dense_strength: float = 0.0
    paving: float = 0.0
    effusion_mm: tuple[float, float] = (0.0, 0.0)


def draw_disease(
    class_name: str, mild: bool, volume: LungVolume, trees: dict[int, Tree], rng: np.random.Generator
) -> Disease:
    """Lesions of one patient; `trees` are the bronchial trees by side (-1 right, +1 left)."""
    if class_name == "covid19":
        return _covid(mild, volume, rng)
    if class_name == "bacterial_pneumonia":
        return _pneumonia(mild, volume, trees, rng)
    return Disease()


def _covid(mild: bool, volume: LungVolume, rng: np.random.Generator) -> Disease:
    rim = volume.rim(13.0)
    lesions, cores = [], []
    for side in (-1, 1):
        spots = volume.points(rim, side)
        outer = np.abs(spots[:, 0]) > 0.45 * np.abs(spots[:, 0]).max()
        low, high = (limit * volume.height_mm for limit in (LOWEST_LESION + 0.03, HIGHEST_LESION - 0.03))
        spots = spots[outer & (spots[:, 2] > low) & (spots[:, 2] < high)]
        for _ in range(int(rng.integers(4, 8)) if mild else int(rng.integers(12, 24))):
            spot = _dependent(spots, rng)
            lesion = _rounded(spot, side, rng.uniform(11, 19) if mild else rng.uniform(14, 32), rng)
            lesions.append(lesion)
            if not mild and rng.random() < 0.3:
                cores.append(lesion * (1, 1, 1, 0.55, 0.5, 0.6, 1))
    return Disease(
        haze=np.array(lesions),
        dense=np.array(cores) if cores else NOTHING,
        haze_strength=rng.uniform(0.55, 0.75) if mild else rng.uniform(0.78, 1.0),
        dense_strength=rng.uniform(0.7, 0.9),
        paving=rng.uniform(0.5, 1.0) if not mild and rng.random() < 0.5 else 0.0,
    )


def _dependent(spots: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The most dependent of a few spots: towards the back and the base."""
    few = spots[rng.integers(0, len(spots), size=int(rng.integers(1, 4)))]
    return few[int(np.argmax(few[:, 1] - 0.4 * few[:, 2]))]


def _rounded(spot: NDArray[np.float64], side: int, size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """An ellipsoid flattened against the chest wall."""
    turn = float(np.arctan2(spot[1], spot[0] - side * 62.0)) + np.pi / 2
    flat = rng.uniform(0.55, 0.95)
    return np.array([*spot, size * rng.uniform(1.0, 1.6), size * flat, size * rng.uniform(0.9, 1.4), turn])


def _pneumonia(mild: bool, volume: LungVolume, trees: dict[int, Tree], rng: np.random.Generator) -> Disease:
    side = 1 if rng.random() < 0.45 else -1
    if mild:
        found = _territories(trees[side], int(rng.integers(2, 5)), (0.05, 0.11), volume, rng)
    else:
        found = _territories(trees[side], int(rng.integers(3, 6)), (0.12, 0.30), volume, rng)
        if rng.random() < 0.2:
            found = np.concatenate([found, _territories(trees[-side], 1, (0.04, 0.09), volume, rng)])
    patchy = mild or rng.random() < 0.35
    fluid = rng.uniform(5, 12) if not mild and rng.random() < 0.3 else 0.0
    return Disease(
        haze=found * (1, 1, 1, 1.25, 1.25, 1.1, 1),
        dense=found * (1, 1, 1, 0.75, 0.75, 0.8, 1) if patchy else found,
        haze_strength=rng.uniform(0.4, 0.55) if mild else rng.uniform(0.35, 0.6),
        dense_strength=rng.uniform(0.58, 0.75) if mild else rng.uniform(0.88, 1.0),
        effusion_mm=(fluid, 0.0) if side < 0 else (0.0, fluid),
    )


def _territories(
    tree: Tree, count: int, wanted: tuple[float, float], volume: LungVolume, rng: np.random.Generator
) -> Ellipsoids:
    """Spheres round the leaves of up to `count` separate branches that each serve about the wanted share of a lung."""
    fewest, most = (max(2, round(share * len(tree.leaves))) for share in wanted)
    served, free = tree.served, np.ones(len(tree.leaves), bool)
    lowest, highest = LOWEST_LESION * volume.height_mm + 6, HIGHEST_LESION * volume.height_mm - 6
    found: list[Ellipsoids] = []
    for branch in rng.permutation(np.flatnonzero((served >= fewest) & (served <= most))):
        first, last = tree.span[branch]
        leaves = tree.leaves[first:last]
        leaves = leaves[(leaves[:, 2] > lowest) & (leaves[:, 2] < highest)]
        if len(found) < count and free[first:last].all() and 2 * len(leaves) > last - first:
            free[first:last] = False
            size = rng.uniform(13, 19, (len(leaves), 1))
            found.append(np.concatenate([leaves, size, size, np.minimum(size, 14), np.zeros_like(size)], axis=1))
    return np.concatenate(found) if found else NOTHING


def paint_ellipsoids(layer: NDArray[np.uint8], grid: Grid, found: Ellipsoids, height_mm: float, z_mm: float) -> bool:
    """Fill (255) what the slice at `z_mm` cuts of the ellipsoids; False where it cuts none or lies in the margins."""
    if not LOWEST_LESION * height_mm < z_mm < HIGHEST_LESION * height_mm:
        return False
    painted = False
    for x, y, z, wide, deep, high, turn in found:
        left = 1 - ((z - z_mm) / high) ** 2
        if left > 0.02:
            share = float(np.sqrt(left))
            grid.fill(layer, ellipse(x, y, wide * share, deep * share, turn), 255)
            painted = True
    return painted
