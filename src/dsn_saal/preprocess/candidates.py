"""Which air inside the body may be lung: neither noise in fat, nor gas in trachea and bowel.

Density tells large regions apart. Small ones, at the apex and below the dome of the diaphragm, need their place too:
lung lines the rib cage, so a rib or the spine is near; bowel and airways lie away from bone.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.preprocess.lung_recipe import LungRecipe
from dsn_saal.preprocess.morphology import Mask, dilated
from dsn_saal.preprocess.regions import Outline, area_of, filled, pixel_count

BONE_PX = 25
"""Pixels at 512 of bone in a region's reach that make a rib; fewer are noise, a clip or a calcified vessel.

On 300 real slices lung of 300 pixels or more has 33 and more (four pieces of 37 x 60 have 0 to 20), gas in the bowel
23 and fewer, but two regions beside bowel with contrast medium.
"""


def lung_candidates(
    regions: list[Outline], core: Mask, grey: NDArray[np.uint8], body: Mask, recipe: LungRecipe, scale: float
) -> list[Outline]:
    """The regions of air that may be lung, by density and, up to `gas_share` of the rectangle, by place.

    Args:
        regions: outlines of the regions.
        core: binary image of the air that lies deeper inside its region than `core_depth`.
        grey: windowed slice of the same shape.
        body: the body with all that it encloses; bone elsewhere is none.
        recipe: limits.
        scale: side of the slice's matrix over 512.
    """
    most_gas = recipe.gas_share * core.size
    found = of_lung_density(regions, core, grey, recipe, core_px=core_depth(recipe, scale), most_gas=most_gas)
    large = [region for region in found if pixel_count(region) > most_gas]
    return large + at_bone([region for region in found if pixel_count(region) <= most_gas], grey, body, recipe, scale)


def core_depth(recipe: LungRecipe, scale: float) -> int:
    """How deep in pixels of the slice a region's core lies."""
    return int(recipe.core_px * scale + 0.5)


def at_bone(
    regions: list[Outline], grey: NDArray[np.uint8], body: Mask, recipe: LungRecipe, scale: float
) -> list[Outline]:
    """The regions that have as much bone of the body in reach as a rib; all of them where no reach is asked for."""
    reach = int(recipe.bone_px * scale + 0.5)
    if not reach or not regions:
        return regions
    bone = body & ~up_to(grey, recipe.bone_grey - 1)
    fewest = max(1, int(BONE_PX * scale * scale + 0.5))
    return [region for region in regions if bone_near(region, bone, reach) >= fewest]


def bone_near(region: Outline, bone: Mask, reach: int) -> int:
    """Pixels of bone no farther from the region than `reach`."""
    x, y, width, height = cv2.boundingRect(region)
    left, top = max(0, x - reach), max(0, y - reach)
    part = bone[top : y + height + reach, left : x + width + reach]
    area = filled((part.shape[0], part.shape[1]), [region - np.array([left, top], np.int32)])
    return cv2.countNonZero(part & dilated(area, reach))


def of_lung_density(
    regions: list[Outline], core: Mask, grey: NDArray[np.uint8], recipe: LungRecipe, *, core_px: int, most_gas: float
) -> list[Outline]:
    """The regions of air that may be lung: neither specks of noise in fat nor gas in trachea and bowel.

    A region is judged by the (lower) median grey value of its core, out of reach of the partial volume at its rim;
    one without a core is none.

    Args:
        regions: outlines of the regions.
        core: binary image of the air that lies deeper inside its region than `core_depth`.
        grey: windowed slice of the same shape.
        recipe: limits of density.
        core_px: how deep the core lies.
        most_gas: pixels of the largest region that may be gas.
    """
    up_to_gas, up_to_lung = (core & up_to(grey, limit) for limit in (recipe.gas_grey, recipe.dense_grey))
    kept = []
    for region in regions:
        count = pixel_count(region)
        if count < 2 * core_px * (core_px + 1) + 1:  # fewer than the diamond that any core's neighbourhood holds
            continue
        inside, area = area_of(region)
        half = (cv2.countNonZero(area & core[inside]) + 1) // 2
        light = cv2.countNonZero(area & up_to_lung[inside]) >= half > 0
        gas = count <= most_gas and cv2.countNonZero(area & up_to_gas[inside]) >= half
        if light and not gas:
            kept.append(region)
    return kept


def up_to(grey: NDArray[np.uint8], limit: int) -> Mask:
    """Where the grey value is at most `limit`."""
    return cv2.threshold(grey, limit, 255, cv2.THRESH_BINARY_INV)[1]  # type: ignore[return-value]
