"""Soft tissue as a slice cuts it: skin, fat, muscle, breasts, mediastinum with great vessels and airways, abdomen."""

from __future__ import annotations

import numpy as np

from dsn_saal.phantom.anatomy import Anatomy
from dsn_saal.phantom.grid import Grid, Image, ellipse

AIR, FAT, MUSCLE, BLOOD, LIVER = -1000, -92, 52, 42, 58
_HEART_WALL = 46


def paint_trunk(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    """Draw the body wall: skin, fat, breasts, muscle in its layers."""
    skin = anatomy.trunk(s)
    grid.fill(image, skin, FAT)
    grid.stroke(image, skin, 10, 1.8, closed=True)
    _paint_breasts(image, grid, anatomy, s)
    flesh = anatomy.trunk(s, anatomy.fat)
    grid.fill(image, flesh, MUSCLE)
    grid.stroke(image, anatomy.trunk(s, anatomy.fat + 0.45 * anatomy.muscle), FAT + 10, 1.6, closed=True)
    spine = anatomy.spine_y + 28
    for side in (-1, 1):  # the long muscles of the back, each in a sheath of fat
        grid.stroke(image, ellipse(side * 31, spine + 9, 23, 14), FAT + 10, 1.4, closed=True)


def _paint_breasts(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    grown = anatomy.breast * max(0.0, 1 - ((s - 0.42) / 0.24) ** 2)
    if grown < 8:
        return
    front = float(anatomy.trunk(s)[:, 1].min())
    for side in (-1, 1):
        x = side * 0.52 * anatomy.half_width
        outline = ellipse(x, front + 24, 0.46 * anatomy.half_width, 20 + 0.45 * grown)
        grid.fill(image, outline, FAT)
        grid.stroke(image, outline, 10, 1.8, closed=True)
        grid.fill(image, ellipse(x, front + 18, 0.22 * anatomy.half_width, 6 + 0.22 * grown), -25)


def paint_cavity(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    """Draw what fills the rib cage but the lungs."""
    grid.fill(image, anatomy.cavity(s), 30)
    grid.fill(image, anatomy.mediastinum(s), -70)
    _paint_abdomen(image, grid, anatomy, s)
    heart = anatomy.heart_outline(s)
    if heart is not None:
        middle = heart.mean(axis=0)
        grid.fill(image, heart, -60)
        grid.fill(image, middle + (heart - middle) * 0.94, _HEART_WALL)
        grid.fill(image, middle + (heart - middle) * 0.55 + (3, -2), BLOOD - 6)
    _paint_great_vessels(image, grid, anatomy, s)
    _paint_airways(image, grid, anatomy, s)


def _paint_abdomen(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    for side, tissue in ((1, 38), (-1, LIVER)):
        dome = anatomy.dome(s, side)
        if dome is None:
            continue
        grid.fill(image, dome, 46)
        middle = dome.mean(axis=0)
        grid.fill(image, middle + (dome - middle) * 0.95, FAT if side > 0 else LIVER)
        if side < 0:
            continue
        grid.fill(image, middle + (dome - middle) * (0.55, 0.60) + (-4, -14), tissue)  # stomach
        depth = float(np.ptp(dome[:, 1])) / 2
        wide = float(np.ptp(dome[:, 0])) / 2
        grid.fill(image, middle + (0.45 * wide, 0.45 * depth) + (dome - middle) * (0.38, 0.36), 48)  # spleen
        gas = min(anatomy.gas, 0.28 * depth, 0.33 * wide)
        if gas > 4:
            grid.fill(image, middle + ellipse(-4, -14 - 0.22 * depth, 1.2 * gas, 0.8 * gas), -960)


def _paint_great_vessels(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    depth, carina = anatomy.half_depth, anatomy.carina
    arch = carina + 0.10
    if s < arch:
        grid.fill(image, ellipse(24, 0.50 * depth, 12.5, 12.5), BLOOD)  # descending aorta
    if 0.46 < s < arch:
        grid.fill(image, ellipse(-10, -0.30 * depth, 16, 16), BLOOD)  # ascending aorta
    if abs(s - arch) < 0.032:
        grid.fill(image, ellipse(11, 0.10 * depth, 13, 0.42 * depth, -0.45), BLOOD)
    if 0.45 < s < arch + 0.04:
        grid.fill(image, ellipse(-21, -0.12 * depth, 8, 9), BLOOD - 4)  # superior vena cava
    if carina - 0.11 < s < carina - 0.03:
        grid.fill(image, ellipse(14, -0.28 * depth, 14, 12, 0.4), BLOOD)  # pulmonary trunk
        grid.stroke(image, np.array([[14, -0.28 * depth], [26, 0.0], [27, 0.06 * depth]]), BLOOD, 15)
        grid.stroke(image, np.array([[10, -0.12 * depth], [-22, 0.02 * depth]]), BLOOD, 14)
    if s > arch + 0.03:
        spread = (s - arch) * 45
        for x, y, size in ((-16 - spread, -0.10, 7), (-3, -0.16, 6), (13 + spread, -0.02, 5.5), (17 + spread, -0.2, 7)):
            grid.fill(image, ellipse(x, y * depth, size, size), BLOOD)
    grid.fill(image, ellipse(6, 0.44 * depth, 8.5, 6.5, 0.3), 32)  # gullet


def _paint_airways(image: Image, grid: Grid, anatomy: Anatomy, s: float) -> None:
    y, size, below = 0.20 * anatomy.half_depth, anatomy.trachea, anatomy.carina - s
    if below <= 0:
        outlines = [ellipse(0, y, size, 1.05 * size)]
    elif below < 0.085:
        apart = 6 + 90 * below
        outlines = [ellipse(side * apart * 0.85, y + 60 * below, 0.80 * size, 0.68 * size) for side in (-1, 1)]
    else:
        return
    for outline in outlines:
        grid.stroke(image, outline, 25, 3.0, closed=True)
    for outline in outlines:
        grid.fill(image, outline, -985)
