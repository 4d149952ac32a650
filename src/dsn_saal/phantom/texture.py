"""Random fields in whole numbers: coherent texture through the slices of a case, and reconstruction noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.grid import MATRIX, blur

_FIELD_SIGMA = 45


class Field:
    """A smooth random field over a case: values round 128, alike in neighbouring slices.

    Args:
        rng: the case's generator.
        levels: number of levels, 5 mm apart.
        cells: cells across the matrix: few are coarse, many are fine.
    """

    def __init__(self, rng: np.random.Generator, levels: int, cells: int) -> None:
        white = rng.integers(0, 256, size=(levels + 2, cells, cells), dtype=np.uint8).astype(np.uint16)
        mixed = (white[:-2] + 2 * white[1:-1] + white[2:] + 2) // 4
        self._planes = [blur(plane.astype(np.uint8), 0.8) for plane in mixed]

    def at(self, level: int) -> NDArray[np.int16]:
        """The field at a level, (512, 512), stretched to a standard deviation near 45."""
        plane = cv2.resize(self._planes[level], (MATRIX, MATRIX), interpolation=cv2.INTER_LINEAR_EXACT)
        return (plane.astype(np.int16) - 128) * 3


def correlated_noise(rng: np.random.Generator, grain_px: float) -> NDArray[np.float32]:
    """Noise as filtered back-projection leaves it, (512, 512), standard deviation near 1.

    Its spectrum rises from nothing at low frequencies and falls again beyond the kernel's: a difference of Gaussians.
    """
    white = rng.integers(0, 1 << 16, size=(MATRIX, MATRIX), dtype=np.uint16)
    narrow, wide = blur(white, grain_px), blur(white, 2.2 * grain_px)
    band = (narrow.astype(np.int32) - wide.astype(np.int32)).astype(np.float32)
    # White noise of variance v keeps v / (4 pi s^2) behind a Gaussian of width s; the band keeps about 0.65 of that.
    expected = 18918.0 * 0.28209479 / grain_px * 0.80
    return band * np.float32(1 / expected)
