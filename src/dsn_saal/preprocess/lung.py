"""Lung mask of a windowed slice: section 4.2 of the paper.

Binarise, keep the air inside the body, morphology, the largest regions, convex hull. Everything that the paper leaves
open is an argument. Radii and sizes are given for a 512 matrix and scaled to the slice's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.preprocess.midline import split_at_midline, whole_lungs
from dsn_saal.preprocess.morphology import Mask, closed, closed_then_opened, eroded, opened
from dsn_saal.preprocess.regions import Outline, area_of, filled, hulls, largest, outlines, pixel_count

REFERENCE_SIDE = 512
"""Matrix that radii and sizes are given for."""

CUT_OFF = 0.08
"""Share of the body's hull that lung density outside the body's outline must hold for a lung to be cut off.

On 343 real slices the bays of arms and cushions hold up to 0.07, lungs cut by the field of view 0.11 and more.
"""


@dataclass(frozen=True)
class LungRecipe:
    """How lungs are found.

    Attributes:
        threshold: grey value of the binarisation.
        tissue_side: whether tissue is "at_or_above" the threshold or "above" it.
        order: "close_first" (close, open, choose) or "open_first" (open, choose, close).
        close_px: closing radius at 512.
        open_px: opening radius at 512.
        n_regions: how many of the largest regions are lung.
        fewest_px: smallest region at 512 that may be lung.
        candidates: "any" air inside the body, or "lung_density": only regions whose core is as dense as lung.
        dense_grey: largest median grey value of lung; denser regions are noise in fat.
        gas_grey: largest median grey value of gas (trachea, bowel).
        gas_share: a region of a larger share of the body's rectangle is lung however thin its tissue.
        core_px: how deep inside a region its density is judged, at 512.
        midline: "as_closed", or "split": each side of the body has one lung, which is closed by itself and stays whole.
        hull: "per_region" or "joint".
    """

    threshold: int
    tissue_side: str
    order: str
    close_px: int
    open_px: int
    n_regions: int
    fewest_px: int
    candidates: str
    dense_grey: int
    gas_grey: int
    gas_share: float
    core_px: int
    midline: str
    hull: str


@dataclass(frozen=True)
class Lungs:
    """What was found in one slice.

    Attributes:
        mask: (rows, columns) uint8, 0 or 255: the hulls.
        n_regions: regions the hulls were drawn round.
        body_px: pixels of the body with what it encloses.
        touches_border: whether a lung is open to the image border, and so dropped: the field of view cuts it off.
        midline: column that halves the body.
    """

    mask: Mask
    n_regions: int
    body_px: int
    touches_border: bool
    midline: float


def find_lungs(grey: NDArray[np.uint8], recipe: LungRecipe) -> Lungs:
    """Lungs of one slice.

    Args:
        grey: (rows, columns) uint8, the windowed slice.
        recipe: how they are found.

    Returns:
        The mask, all zero where there is no lung, and what the quality flags need.
    """
    columns = grey.shape[1]
    tissue = _tissue(grey, recipe)
    bodies = largest(outlines(tissue), 1)
    if not bodies:
        return Lungs(np.zeros_like(grey), 0, 0, False, columns / 2)
    x, y, width, height = cv2.boundingRect(bodies[0])
    inside = (slice(y, y + height), slice(x, x + width))
    outline, part = bodies[0] - np.array([x, y], np.int32), np.ascontiguousarray(grey[inside])
    body = filled((height, width), [outline])
    regions = _lung_regions(body & ~tissue[inside], part, recipe, columns / REFERENCE_SIDE)
    mask = np.zeros_like(grey)
    mask[inside] = hulls((height, width), regions, joint=recipe.hull == "joint")
    cut_off = _is_cut_off(body, outline, part, recipe)
    return Lungs(mask, len(regions), pixel_count(outline), cut_off, x + width / 2)


def _is_cut_off(body: Mask, outline: Outline, grey: NDArray[np.uint8], recipe: LungRecipe) -> bool:
    """Whether much of lung density lies in a bay of the body's outline: a lung that is open to the image border."""
    hull = hulls(body.shape, [outline], joint=False)
    bays = hull & ~body & _up_to(grey, recipe.dense_grey) & ~_up_to(grey, recipe.gas_grey)
    return cv2.countNonZero(bays) >= CUT_OFF * cv2.countNonZero(hull)


def _tissue(grey: NDArray[np.uint8], recipe: LungRecipe) -> Mask:
    limit = recipe.threshold - (recipe.tissue_side == "at_or_above")
    return cv2.threshold(grey, limit, 255, cv2.THRESH_BINARY)[1]  # type: ignore[return-value]


def _lung_regions(air: Mask, grey: NDArray[np.uint8], recipe: LungRecipe, scale: float) -> list[Outline]:
    """What a hull is drawn round, among the air inside the body, in the coordinates of `air`."""
    close_px, open_px, core_px = (
        int(radius * scale + 0.5) for radius in (recipe.close_px, recipe.open_px, recipe.core_px)
    )
    fewest = max(1, int(recipe.fewest_px * scale * scale + 0.5))
    candidates = outlines(air)
    if recipe.candidates == "lung_density":
        candidates = of_lung_density(candidates, air, grey, recipe, core_px)
        air = air & filled(air.shape, candidates)
    if recipe.order == "open_first":
        chosen = largest(outlines(opened(air, open_px)), recipe.n_regions, fewest_px=fewest)
        return largest(outlines(closed(filled(air.shape, chosen), close_px)), recipe.n_regions)
    if recipe.midline == "as_closed":
        return largest(outlines(closed_then_opened(air, close_px, open_px)), recipe.n_regions, fewest_px=fewest)
    sides = split_at_midline(air, candidates)
    each = recipe.n_regions if len(sides) == 1 else 1
    lungs = [lung for side in sides for lung in whole_lungs(side, close_px, open_px, fewest)[:each]]
    return [points for _, points in sorted(lungs, key=lambda lung: -lung[0])[: recipe.n_regions]]


def of_lung_density(
    regions: list[Outline], air: Mask, grey: NDArray[np.uint8], recipe: LungRecipe, core_px: int
) -> list[Outline]:
    """The regions of `air` that may be lung: neither specks of noise in fat nor gas in trachea and bowel.

    A region is judged by the (lower) median grey value of its core, out of reach of the partial volume at its rim;
    one without a core is none.

    Args:
        regions: outlines of the regions.
        air: binary image of the air inside the body.
        grey: windowed slice of the same shape.
        recipe: limits of density and of the size of gas.
        core_px: how deep the core lies.
    """
    most_gas = recipe.gas_share * air.size
    core = eroded(air, core_px)
    up_to_gas, up_to_lung = (core & _up_to(grey, limit) for limit in (recipe.gas_grey, recipe.dense_grey))
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


def _up_to(grey: NDArray[np.uint8], limit: int) -> Mask:
    return cv2.threshold(grey, limit, 255, cv2.THRESH_BINARY_INV)[1]  # type: ignore[return-value]
