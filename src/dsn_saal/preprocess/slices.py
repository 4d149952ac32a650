"""One slice from HU to the network's input, with its quality flags."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.preprocess.grid import grey_grid
from dsn_saal.preprocess.lung import LungRecipe, Lungs, find_lungs
from dsn_saal.preprocess.morphology import Mask
from dsn_saal.preprocess.resize import resize, resize_mask
from dsn_saal.preprocess.window import apply_window


@dataclass(frozen=True)
class Recipe:
    """Everything between a slice (HU, or a picture that somebody windowed) and the network's input.

    Attributes:
        level_hu: centre of the window.
        width_hu: width of the window.
        formula: "exact" or "dicom_linear".
        rounding: "trunc" or "round".
        lung: how lungs are found.
        interpolation: "bilinear", "area" or "cubic".
        side: side of the result in pixels.
        cut_out: whether the lungs are cut out; otherwise the whole image is kept, as section 5.1 does with public sets.
    """

    level_hu: int
    width_hu: int
    formula: str
    rounding: str
    lung: LungRecipe
    interpolation: str
    side: int
    cut_out: bool = True

    def window(self, hu: NDArray[np.int16]) -> NDArray[np.uint8]:
        """The windowed slice."""
        return apply_window(
            hu, level_hu=self.level_hu, width_hu=self.width_hu, formula=self.formula, rounding=self.rounding
        )


@dataclass(frozen=True)
class Quality:
    """Flags of one slice.

    Attributes:
        lung_share: mask pixels as a share of the body's (of the image's without a body); 1 where nothing is cut.
        n_regions: regions that hulls were drawn round.
        empty: no lung was found; the slice is then kept unmasked, if at all.
        touches_border: a lung meets the image border, where it is cut off and dropped.
        asymmetry: |left - right| / (left + right) of the mask about the body's middle; 0 where it is empty.
    """

    lung_share: float
    n_regions: int
    empty: bool
    touches_border: bool
    asymmetry: float


@dataclass(frozen=True)
class Slice:
    """A preprocessed slice.

    Attributes:
        image: (side, side) uint8.
        mask: (side, side) uint8.
        lungs: the mask at the acquired size.
        grid: (GRID, GRID) int16, the crop at the acquired size on a small grid.
        quality: flags.
        surroundings: (side, side) uint8, the slice without its lungs; None where nothing is cut out.
    """

    image: NDArray[np.uint8]
    mask: Mask
    lungs: Mask
    grid: NDArray[np.int16]
    quality: Quality
    surroundings: NDArray[np.uint8] | None


WHOLE = Quality(lung_share=1.0, n_regions=0, empty=False, touches_border=False, asymmetry=0.0)
"""Flags of a picture that nothing is cut out of."""


def preprocess_slice(pixels: NDArray[np.int16] | NDArray[np.uint8], recipe: Recipe) -> Slice:
    """Window, find lungs, mask, and resize last (section 4; extraction at 512 differs from extraction at 224).

    A slice without lungs stays unmasked and its mask is empty.

    Args:
        pixels: (rows, columns) int16 HU, or uint8 grey values of a picture, which is windowed already.
        recipe: what the paper says and what it leaves open.
    """
    grey = pixels if pixels.dtype == np.uint8 else recipe.window(pixels)  # type: ignore[arg-type]
    if not recipe.cut_out:
        side = (recipe.side, recipe.side)
        image = resize(grey, recipe.side, interpolation=recipe.interpolation)  # type: ignore[arg-type]
        whole = np.full(grey.shape, 255, np.uint8)
        return Slice(image, np.full(side, 255, np.uint8), whole, grey_grid(grey, None), WHOLE, None)  # type: ignore[arg-type]
    lungs = find_lungs(grey, recipe.lung)  # type: ignore[arg-type]
    quality = _quality(lungs)
    masked = grey if quality.empty else cv2.bitwise_and(grey, lungs.mask)
    image = resize(masked, recipe.side, interpolation=recipe.interpolation)  # type: ignore[arg-type]
    grid = grey_grid(masked, lungs.mask)  # type: ignore[arg-type]
    # Where no lung was found nobody knows what surrounds it: nothing of the slice is shown.
    rest = np.zeros_like(grey) if quality.empty else cv2.bitwise_and(grey, cv2.bitwise_not(lungs.mask))
    around = resize(rest, recipe.side, interpolation=recipe.interpolation)  # type: ignore[arg-type]
    return Slice(image, resize_mask(lungs.mask, recipe.side), lungs.mask, grid, quality, around)


def _quality(lungs: Lungs) -> Quality:
    area = cv2.countNonZero(lungs.mask)
    left = cv2.countNonZero(np.ascontiguousarray(lungs.mask[:, : int(lungs.midline)]))
    return Quality(
        lung_share=area / (lungs.body_px or lungs.mask.size),
        n_regions=lungs.n_regions,
        empty=area == 0,
        touches_border=lungs.touches_border,
        asymmetry=abs(2 * left - area) / area if area else 0.0,
    )
