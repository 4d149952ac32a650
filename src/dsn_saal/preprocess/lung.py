"""Lung mask of a windowed slice: section 4.2 of the paper.

Binarise, keep the air inside the body, morphology, the largest regions, convex hull. Everything that the paper leaves
open is an argument. Radii and sizes are given for a 512 matrix and scaled to the slice's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.preprocess.morphology import Mask, closed, closed_then_opened, eroded, opened
from dsn_saal.preprocess.regions import Outline, area_of, filled, hulls, largest, outlines, pixel_count

REFERENCE_SIDE = 512
"""Matrix that radii and sizes are given for."""

MOST_ACROSS = 0.2
"""A region with a smaller share of its pixels across the midline is one lung, with a larger one it is two."""


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
        midline: "as_closed", or "split": lungs are closed each for itself, so that they cannot join across the midline.
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
    midline: str
    hull: str


@dataclass(frozen=True)
class Lungs:
    """What was found in one slice.

    Attributes:
        mask: (rows, columns) uint8, 0 or 255: the hulls.
        n_regions: regions the hulls were drawn round.
        body_px: pixels of the body with what it encloses.
        touches_border: whether the body reaches the image border, so that lungs may be cut off.
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
    rows, columns = grey.shape
    tissue = _tissue(grey, recipe)
    bodies = largest(outlines(tissue), 1)
    if not bodies:
        return Lungs(np.zeros_like(grey), 0, 0, False, columns / 2)
    x, y, width, height = cv2.boundingRect(bodies[0])
    inside = (slice(y, y + height), slice(x, x + width))
    body = filled((height, width), [bodies[0] - np.array([x, y], np.int32)])
    air = body & ~tissue[inside]
    regions = _lung_regions(air, np.ascontiguousarray(grey[inside]), recipe, columns / REFERENCE_SIDE)
    mask = np.zeros_like(grey)
    mask[inside] = hulls((height, width), regions, joint=recipe.hull == "joint")
    touches = x == 0 or y == 0 or x + width == columns or y + height == rows
    return Lungs(mask, len(regions), pixel_count(bodies[0]), touches, x + width / 2)


def _tissue(grey: NDArray[np.uint8], recipe: LungRecipe) -> Mask:
    limit = recipe.threshold - (recipe.tissue_side == "at_or_above")
    return cv2.threshold(grey, limit, 255, cv2.THRESH_BINARY)[1]  # type: ignore[return-value]


def _lung_regions(air: Mask, grey: NDArray[np.uint8], recipe: LungRecipe, scale: float) -> list[Outline]:
    """Outlines of the lungs among the air inside the body, in the coordinates of `air`."""
    close_px, open_px = int(recipe.close_px * scale + 0.5), int(recipe.open_px * scale + 0.5)
    fewest = max(1, int(recipe.fewest_px * scale * scale + 0.5))
    if recipe.candidates == "lung_density":
        air = of_lung_density(air, grey, recipe, fewest, open_px)
    if recipe.order == "open_first":
        chosen = largest(outlines(opened(air, open_px)), recipe.n_regions, fewest_px=fewest)
        return largest(outlines(closed(filled(air.shape, chosen), close_px)), recipe.n_regions)
    halves = [air] if recipe.midline == "as_closed" else list(split_at_midline(air))
    found = [region for half in halves for region in outlines(closed_then_opened(half, close_px, open_px))]
    return largest(found, recipe.n_regions, fewest_px=fewest)


def of_lung_density(air: Mask, grey: NDArray[np.uint8], recipe: LungRecipe, fewest_px: int, core_px: int) -> Mask:
    """The regions of `air` that may be lung: neither specks of noise in fat nor gas in trachea and bowel.

    A region is judged by the (lower) median grey value of its core, out of reach of the partial volume at its rim;
    one without a core is none.

    Args:
        air: binary image of the air inside the body.
        grey: windowed slice of the same shape.
        recipe: limits of density and size.
        fewest_px: smallest region.
        core_px: how deep the core lies.
    """
    most_gas = recipe.gas_share * air.size
    core = eroded(air, core_px)
    up_to_gas, up_to_lung = (core & _up_to(grey, limit) for limit in (recipe.gas_grey, recipe.dense_grey))
    kept = []
    for region in outlines(air):
        count = pixel_count(region)
        if count < fewest_px:
            continue
        inside, area = area_of(region)
        half = (cv2.countNonZero(area & core[inside]) + 1) // 2
        light = cv2.countNonZero(area & up_to_lung[inside]) >= half > 0
        gas = count <= most_gas and cv2.countNonZero(area & up_to_gas[inside]) >= half
        if light and not gas:
            kept.append(region)
    return air & filled(air.shape, kept)


def _up_to(grey: NDArray[np.uint8], limit: int) -> Mask:
    return cv2.threshold(grey, limit, 255, cv2.THRESH_BINARY_INV)[1]  # type: ignore[return-value]


def split_at_midline(air: Mask) -> tuple[Mask, Mask]:
    """The air of the two sides of the body, so that each lung can be closed by itself.

    The sides meet at the narrowest column of the middle half, where the anterior junction lies. A region that crosses
    it with a small share only belongs to its own side as a whole.
    """
    width = air.shape[1]
    columns = cv2.reduce(air, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
    middle = np.arange(width // 4, width - width // 4)
    order = np.lexsort((np.abs(2 * middle - width), columns[middle]))
    cut = int(middle[order[0]])
    left, right = air.copy(), air.copy()
    left[:, cut:] = 0
    right[:, :cut] = 0
    for region in outlines(air):
        x, _, across, _ = cv2.boundingRect(region)
        if x < cut < x + across:
            inside, area = area_of(region)
            _keep_whole(area & air[inside], cut - x, left[inside], right[inside])
    return left, right


def _keep_whole(own: Mask, cut: int, left: Mask, right: Mask) -> None:
    """Give a region that crosses the midline with a small share to the side of its greater part, in place."""
    on_left, on_right = cv2.countNonZero(own[:, :cut]), cv2.countNonZero(own[:, cut:])
    if min(on_left, on_right) >= MOST_ACROSS * (on_left + on_right):
        return
    gains, loses = (left, right) if on_left > on_right else (right, left)
    gains |= own
    loses &= ~own
