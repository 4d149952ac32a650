"""From millimetres in the patient to pixels: every coordinate becomes a whole number of sixteenths of a pixel.

Rasterising whole numbers, and blurring whole numbers, gives the same bytes on every processor; a last-digit difference
of a sine is rounded away before it can reach a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MATRIX = 512
"""Rows and columns of a slice (paper section 4.1)."""

SUBPIXEL_BITS = 4

_ANGLES = np.arange(72) * (2 * np.pi / 72)
CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
"""Points of the unit circle, (72, 2)."""

Points = NDArray[np.float64]
Image = NDArray[Any]


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a slice lie in the patient.

    Attributes:
        spacing_mm: distance of pixel centres.
        centre_mm: patient x (to the left) and y (to the back) at the middle of the matrix.
        roll: cosine and sine of the patient's roll on the couch.
        size: rows and columns.
    """

    spacing_mm: float
    centre_mm: tuple[float, float] = (0.0, 0.0)
    roll: tuple[float, float] = (1.0, 0.0)
    size: int = MATRIX

    def coarser(self, factor: int) -> Grid:
        """The same field of view with `factor` times larger pixels."""
        return replace(self, spacing_mm=self.spacing_mm * factor, size=self.size // factor)

    def upright(self) -> Grid:
        """The grid of things that do not roll with the patient: the couch."""
        return replace(self, roll=(1.0, 0.0))

    def fixed_point(self, points_mm: Points) -> NDArray[np.int32]:
        """Points (n, 2) in mm as (n, 2) sixteenths of a pixel."""
        cosine, sine = self.roll
        x, y = points_mm[:, 0], points_mm[:, 1]
        rolled = np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)
        pixels = (rolled - self.centre_mm) / self.spacing_mm + (self.size - 1) / 2
        return np.rint(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)

    def patient(self, columns: NDArray[Any], rows: NDArray[Any]) -> tuple[Points, Points]:
        """Patient x and y in mm of pixel centres: the inverse of `fixed_point`."""
        x = (columns - (self.size - 1) / 2) * self.spacing_mm + self.centre_mm[0]
        y = (rows - (self.size - 1) / 2) * self.spacing_mm + self.centre_mm[1]
        cosine, sine = self.roll
        return x * cosine + y * sine, y * cosine - x * sine

    def pixels(self, length_mm: float) -> int:
        """A length as a whole number of pixels, at least one."""
        return max(1, round(length_mm / self.spacing_mm))

    def fill(self, image: Image, points_mm: Points, value: int) -> None:
        """Fill a polygon."""
        cv2.fillPoly(image, [self.fixed_point(points_mm)], value, cv2.LINE_8, SUBPIXEL_BITS)

    def stroke(self, image: Image, points_mm: Points, value: int, width_mm: float, *, closed: bool = False) -> None:
        """Draw a line of the given width through points."""
        path = self.fixed_point(points_mm)
        cv2.polylines(image, [path], closed, value, self.pixels(width_mm), cv2.LINE_8, SUBPIXEL_BITS)

    def blur(self, image: Image, sigma_mm: float) -> Image:
        """Gaussian blur of an unsigned whole-number image, in whole numbers."""
        return blur(image, sigma_mm / self.spacing_mm)


def blur(image: Image, sigma_px: float) -> Image:
    """Gaussian blur of an 8- or 16-bit unsigned image (OpenCV's fixed-point path, the same on every processor)."""
    side = 2 * max(1, round(2.5 * sigma_px)) + 1
    return cv2.GaussianBlur(image, (side, side), sigma_px, borderType=cv2.BORDER_REPLICATE)


def ellipse(x: float, y: float, width: float, depth: float, angle: float = 0.0) -> Points:
    """Ellipse round (x, y) with half axes `width` and `depth`, turned by `angle` radians: (72, 2) points."""
    across, along = CIRCLE[:, 0] * width, CIRCLE[:, 1] * depth
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    return np.stack([x + across * cosine - along * sine, y + across * sine + along * cosine], axis=1)


def egg(half_width: float, front: float, back: float, *, square: float) -> Points:
    """Closed outline from y = `front` to y = `back` at x = +-`half_width`; `square` 2 is an ellipse, more is boxier."""
    power = 2 / square
    middle, half = (front + back) / 2, (back - front) / 2
    x = np.sign(CIRCLE[:, 0]) * np.abs(CIRCLE[:, 0]) ** power
    y = np.sign(CIRCLE[:, 1]) * np.abs(CIRCLE[:, 1]) ** power
    return np.stack([half_width * x, middle + half * y], axis=1)


def rippled(outline: Points, ripples: tuple[float, ...], share: float = 1.0) -> Points:
    """An outline (72, 2) pushed in and out round its middle; `ripples` are cosine and sine shares of waves 2, 3..."""
    middle = outline.mean(axis=0)
    push = np.ones(len(outline))
    for wave, (even, odd) in enumerate(zip(ripples[::2], ripples[1::2], strict=True), start=2):
        push += share * (even * np.cos(wave * _ANGLES) + odd * np.sin(wave * _ANGLES))
    return middle + (outline - middle) * push[:, None]
