"""Trachea, main bronchi and gullet that are joined to a lung, where partial volume hides the wall between them.

Density tells them from lung as regions of their own. Joined to a lung they are part of its region, and its hull takes
in what lies between: half of the mediastinum. So they are cut out by what makes an airway: gas within a wall.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.preprocess.candidates import BONE_PX, bone_near, up_to
from dsn_saal.preprocess.lung_recipe import LungRecipe
from dsn_saal.preprocess.morphology import Mask, dilated
from dsn_saal.preprocess.regions import Outline, area_of, filled, outlines, pixel_count

WALLED = 0.66
"""Least share of an airway's surroundings that is denser than lung.

On 340 real slices tracheae joined to a lung have 0.68 to 0.97 of it, most bubbles of emphysema less than 0.03, and
tips of a lung between heart and breastbone up to 0.57.
"""

LIGHTER = 0.1
"""Least step from an airway's gas to the lightest quarter of the lung it is joined to, over that from gas to tissue.

The tip of a lung between heart and breastbone may be walled on three sides, but holds what the lung behind it holds. On
340 real slices walled airways step by 0.13 and more, such tips of phantoms by 0.07 and less.
"""

LIGHTEST = 0.25
"""Share of the lung round an airway that is its lightest part: more than what noise makes light, less than its edge."""

FILLS = 0.6
"""Least share of its rectangle that a cut tube fills: an upright ellipse fills 0.79, a crescent half or less."""

CORE_PX = (60, 2000)
"""Pixels at 512 of an airway's core: from a lobar bronchus to a wide trachea."""

RIM_PX, WALL_PX = 1, 3
"""Pixels at 512 beyond the core's depth that are partial volume still, and after them those that must be wall."""


def airways(core: Mask, grey: NDArray[np.uint8], body: Mask, recipe: LungRecipe, scale: float) -> Mask | None:
    """The airways in the middle half of the body with their rims, None where there are none.

    Args:
        core: binary image of the air that may be lung, as deep inside its region as `core_depth`.
        grey: windowed slice of the same shape.
        body: the body with all that it encloses.
        recipe: limits of density.
        scale: side of the slice's matrix over 512.
    """
    first = core.shape[1] // 4
    middle = (slice(None), slice(first, core.shape[1] - first))
    gas = core[middle] & up_to(np.ascontiguousarray(grey[middle]), recipe.gas_grey)
    rim, wall = (int((recipe.core_px + beyond) * scale + 0.5) for beyond in (RIM_PX, RIM_PX + WALL_PX))
    found = [tube + np.array([first, 0], np.int32) for tube in outlines(gas) if _is_tube(tube, gas.shape[1], scale)]
    tubes = filled(core.shape, found)
    walled = [tube for tube in found if _is_walled(tube, grey, tubes, recipe, rim, wall)]
    if not walled:
        return None
    cut, bone = np.zeros_like(core), body & ~up_to(grey, recipe.bone_grey - 1)
    reach = rim + int(recipe.bone_px * scale + 0.5)
    for tube in walled:
        if bone_near(tube, bone, reach) < BONE_PX * scale * scale:  # else the tip of a lung at rib or spine
            inside, area = _grown(tube, core.shape, wall, rim + 1)
            cut[inside] |= area
    return cut


def _is_tube(core: Outline, width: int, scale: float) -> bool:
    """Whether a core of gas has the size and shape of a cut tube, and lies wholly within the columns looked at."""
    fewest, most = CORE_PX[0] * scale * scale, CORE_PX[1] * scale * scale
    if len(core) ** 2 < 4 * fewest:  # a boundary too short for so many pixels: most are specks of noise
        return False
    x, _, across, down = cv2.boundingRect(core)
    size = pixel_count(core)
    return x > 0 and x + across < width and fewest <= size <= most and size >= FILLS * across * down


def _is_walled(core: Outline, grey: NDArray[np.uint8], tubes: Mask, recipe: LungRecipe, rim: int, wall: int) -> bool:
    """Whether a tube has a wall, and is lighter than what it is joined to; at the carina that is another tube."""
    inside, lumen = _grown(core, grey.shape, wall, rim)
    around = _grown(core, grey.shape, wall, wall)[1] & ~lumen
    part = np.ascontiguousarray(grey[inside])
    lung = around & up_to(part, recipe.dense_grey) & ~tubes[inside]
    joined = cv2.countNonZero(lung)
    if joined > (1 - WALLED) * cv2.countNonZero(around):
        return False
    gas = cv2.mean(part, _grown(core, grey.shape, wall, 0)[1])[0]
    as_light = gas + LIGHTER * (recipe.dense_grey - recipe.gas_grey)
    return cv2.countNonZero(lung & up_to(part, int(as_light))) <= LIGHTEST * joined


def _grown(core: Outline, shape: tuple[int, ...], room: int, by: int) -> tuple[tuple[slice, slice], Mask]:
    """The rectangle round a region with so much room, within the image; and in it the region grown by `by` pixels."""
    (rows, columns), area = area_of(core)
    top, left = max(0, rows.start - room), max(0, columns.start - room)
    bottom, right = min(shape[0], rows.stop + room), min(shape[1], columns.stop + room)
    part = np.zeros((bottom - top, right - left), np.uint8)
    part[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = area
    return (slice(top, bottom), slice(left, right)), dilated(part, by)
