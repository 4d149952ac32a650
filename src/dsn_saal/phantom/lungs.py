"""The true lungs: a mask per slice, and a coarse volume that vessels and lesions are placed in."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.anatomy import Anatomy
from dsn_saal.phantom.grid import Grid, Image

LOWEST, HIGHEST = 0.07, 0.965
"""Heights s between which slices are taken: below and above, the lungs are thinner than a slice can show."""

VOLUME_STEP = 8
_EDGE_MM = 3.2
_SMALLEST_MM2 = 120.0


def lung_mask(anatomy: Anatomy, grid: Grid, s: float) -> NDArray[np.uint8]:
    """The lungs at height s as 0/255 (size, size): vessels and lesions included, mediastinum and hila not."""
    mask = np.zeros((grid.size, grid.size), np.uint8)
    grid.fill(mask, anatomy.cavity(s), 255)
    for outline in anatomy.not_lung(s):
        grid.fill(mask, outline, 0)
    thin = 2 * grid.pixels(_EDGE_MM) + 1  # no slivers: 5 mm slices of real lungs have none either
    opened: Image = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thin, thin), np.uint8))
    smooth = (grid.blur(opened, _EDGE_MM) > 127).astype(np.uint8)
    return _one_region_a_side(smooth, grid)


def _one_region_a_side(mask: Image, grid: Grid) -> NDArray[np.uint8]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    middle = int(grid.fixed_point(np.zeros((1, 2)))[0, 0]) // 16
    kept = np.zeros(len(stats), np.uint8)
    smallest = _SMALLEST_MM2 / grid.spacing_mm**2
    for side in (0, 1):
        best, area = 0, smallest
        for region in range(1, len(stats)):
            left = 2 * stats[region, cv2.CC_STAT_LEFT] + stats[region, cv2.CC_STAT_WIDTH] < 2 * middle
            if left == (side == 0) and stats[region, cv2.CC_STAT_AREA] > area:
                best, area = region, stats[region, cv2.CC_STAT_AREA]
        if best:
            kept[best] = 255
    return kept[labels]


@dataclass(frozen=True)
class LungVolume:
    """Where there is lung, coarsely: to put vessels and lesions into it.

    Attributes:
        heights: s of each plane.
        planes: 0/255 masks (planes, size, size).
        grid: pixels of the planes.
        height_mm: millimetres of one unit of s.
    """

    heights: NDArray[np.float64]
    planes: NDArray[np.uint8]
    grid: Grid
    height_mm: float

    def points(self, planes: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
        """Patient x, y, z (mm) of every marked voxel on one side (-1 the patient's right, +1 left)."""
        levels, rows, columns = np.nonzero(planes)
        x, y = self.grid.patient(columns, rows)
        found = np.stack([x, y, self.heights[levels] * self.height_mm], axis=1)
        return found[found[:, 0] * side > 0]

    def rim(self, depth_mm: float) -> NDArray[np.uint8]:
        """The lung within `depth_mm` of its surface in the slice."""
        side = 2 * self.grid.pixels(depth_mm) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        return np.stack([cv2.subtract(plane, cv2.erode(plane, kernel)) for plane in self.planes])


def lung_volume(anatomy: Anatomy, grid: Grid) -> LungVolume:
    """The lungs of a patient on a grid `VOLUME_STEP` times coarser, 32 planes high."""
    coarse = grid.coarser(VOLUME_STEP)
    heights = LOWEST + (HIGHEST - LOWEST) * (np.arange(32) + 0.5) / 32
    planes = np.stack([lung_mask(anatomy, coarse, float(s)) for s in heights])
    return LungVolume(heights, planes, coarse, anatomy.height)
