"""Bones as a slice cuts them: slanting ribs, vertebrae with processes, breastbone, shoulder blades, collarbones."""

from __future__ import annotations

import numpy as np

from dsn_saal.phantom.anatomy import Anatomy
from dsn_saal.phantom.grid import Grid, Image, Points, ellipse

CORTEX, MARROW, CARTILAGE = 620, 210, 110
_RIB_PERIOD_MM = 23.0
_RIB_DROP_MM = 88.0
_RIB_HALF_HEIGHT_MM = 6.5
_BONY_SHARE = 0.86
"""Share of a rib, from the spine on, that is bone and not cartilage."""


def paint_bones(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    """Draw every bone that the slice at height s cuts, into an image in HU."""
    _paint_ribs(image, grid, anatomy, s)
    _paint_vertebra(image, grid, anatomy, s)
    _paint_breastbone(image, grid, anatomy, s)
    _paint_shoulder(image, grid, anatomy, s)


def _bone(image: Image, grid: Grid, outline: Points, wall_mm: float) -> None:
    grid.fill(image, outline, MARROW)
    grid.stroke(image, outline, CORTEX, wall_mm, closed=True)


def _rib_course(anatomy: Anatomy, s: float, side: int) -> Points:
    """The middle of the rib cage's wall on one side, from the spine to the breastbone, (60, 2)."""
    wall = anatomy.cavity(s)
    middle = wall.mean(axis=0)
    outward = wall - middle
    length = np.sqrt((outward * outward).sum(axis=1, keepdims=True))
    wall = wall + outward / length * 6.5
    half = wall[wall[:, 0] * side >= 0]
    half = half[np.argsort(-np.arctan2(half[:, 1] - middle[1], np.abs(half[:, 0])), kind="stable")]
    share = np.linspace(0.02, 0.97, 60) * (len(half) - 1)
    index = np.arange(len(half))
    return np.stack([np.interp(share, index, half[:, 0]), np.interp(share, index, half[:, 1])], axis=1)


def _paint_ribs(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    z = s * anatomy.height
    period = _RIB_PERIOD_MM * anatomy.height / 260
    for side in (-1, 1):
        course = _rib_course(anatomy, s, side)
        along = np.linspace(0, 1, len(course))
        for rib in range(-3, 15):
            height = (rib + anatomy.rib_phase) * period - _RIB_DROP_MM * (along - 0.25 * along * along)
            cut = np.flatnonzero(np.abs(height + 30 - z) < _RIB_HALF_HEIGHT_MM)
            bony = cut[along[cut] < _BONY_SHARE]
            if len(bony) >= 2:
                grid.stroke(image, course[bony], CORTEX, 9.0)
                grid.stroke(image, course[bony], MARROW + 60, 4.5)
            if len(cut) - len(bony) >= 2:
                grid.stroke(image, course[cut[along[cut] >= _BONY_SHARE]], CARTILAGE, 10.0)


def _paint_vertebra(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    y = anatomy.spine_y
    size = 1.0 + 0.12 * (0.5 - s)
    phase = (s * anatomy.height / (_RIB_PERIOD_MM * anatomy.height / 260) + anatomy.rib_phase) % 1.0
    disc = phase < 0.2
    wing = 1.0 - abs(phase - 0.6) * 1.6
    back = y + 30 * size
    grid.fill(image, ellipse(0, back - 6, 17 * size, 13 * size), MARROW + 150)
    for side in (-1, 1):
        if wing > 0.4:
            tip = np.array([[side * 12.0, back - 8], [side * (18 + 20 * wing), back + 2 - 6 * wing]])
            grid.stroke(image, tip, CORTEX - 100, 9.0)
            grid.stroke(image, tip, MARROW, 5.0)
    spinous = np.array([[0.0, back], [0.0, back + 12 + 12 * (1 - phase)]])
    grid.stroke(image, spinous, CORTEX - 100, 7.0)
    grid.stroke(image, spinous, MARROW + 80, 3.0)
    body = ellipse(0, y, 17.5 * size, 14.5 * size)
    if disc:
        grid.fill(image, body, 90)
    else:
        _bone(image, grid, body, 1.8)
    grid.fill(image, ellipse(0, back - 8, 8.5 * size, 7.5 * size), 30)


def _paint_breastbone(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    if not 0.30 < s < 0.90:
        return
    front = float(anatomy.cavity(s)[:, 1].min()) - 9
    upper = s > 0.74
    wide, deep = (26.0, 7.0) if upper else (17.0, 5.5)
    _bone(image, grid, ellipse(0, front, wide, deep), 1.6)
    for side in (-1, 1):
        rib = np.array([[side * (wide + 2), front + 1], [side * (wide + 20), front + 6]])
        grid.stroke(image, rib, CARTILAGE, 9.0)


def _paint_shoulder(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    wall = anatomy.cavity(s)
    wide, back = float(wall[:, 0].max()), float(wall[:, 1].max())
    reach = anatomy.body_half_width
    for side in (-1, 1):
        if s > 0.55:
            inner = np.array([side * (0.52 * wide + 12), back + 17])
            outer = np.array([side * min(wide + 22, reach - 12), back - 38 - 20 * (s - 0.55)])
            bend = (inner + outer) / 2 + np.array([side * 9.0, 8.0])
            blade = np.stack([inner, bend, outer])
            grid.stroke(image, blade, CORTEX, 6.5)
            grid.stroke(image, blade, MARROW + 40, 2.5)
            if s > 0.80:
                grid.stroke(image, np.stack([bend, bend + np.array([side * 16.0, 10.0])]), CORTEX - 60, 6.0)
                _bone(image, grid, ellipse(outer[0] + side * 12, outer[1] - 6, 12, 16), 2.2)
        if s > 0.86:
            front = float(wall[:, 1].min())
            tilt = (s - 0.86) * 260
            ends = np.array([[side * (14 + tilt), front - 10], [side * (44 + tilt), front - 6]])
            grid.stroke(image, ends, CORTEX, 10.0)
            grid.stroke(image, ends, MARROW, 5.5)
