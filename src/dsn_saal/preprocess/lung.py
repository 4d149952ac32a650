"""Lung mask of a windowed slice: section 4.2 of the paper.

Binarise, keep the air inside the body, morphology, the largest regions, convex hull. Everything that the paper leaves
open is an argument. Radii and sizes are given for a 512 matrix and scaled to the slice's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.preprocess.airways import airways
from dsn_saal.preprocess.candidates import at_bone, core_depth, lung_candidates, up_to
from dsn_saal.preprocess.lung_recipe import LungRecipe as LungRecipe
from dsn_saal.preprocess.midline import split_at_midline, whole_lungs
from dsn_saal.preprocess.morphology import Mask, closed, closed_then_opened, eroded, opened
from dsn_saal.preprocess.regions import Outline, area_of, filled, hulls, largest, outlines

REFERENCE_SIDE = 512
"""Matrix that radii and sizes are given for."""

CUT_OFF = 0.08
"""Share of the body's hull that lung density outside the body's outline must hold for a lung to be cut off.

On 343 real slices the bays of arms and cushions hold up to 0.07, lungs cut by the field of view 0.11 and more.
"""


DENSER = 0.35
"""Least share of an open lung that is denser than gas.

A hyperinflated lung has half of it there; air round a body, blankets and mattress included, up to 0.25 of its own.
"""


@dataclass(frozen=True)
class Lungs:
    """What was found in one slice.

    Attributes:
        mask: (rows, columns) uint8, 0 or 255: the hulls.
        n_regions: regions the hulls were drawn round.
        body_px: pixels of the body with what it encloses.
        touches_border: whether a lung is open to the image border: the field of view cuts it off.
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
    cut_off = _is_cut_off(body, outline, part, recipe)
    if cut_off and recipe.cut_off == "found":
        inside, part = (slice(None), slice(None)), grey
        body = filled(grey.shape, bodies)
        body |= _open_lungs(grey, body, tissue, recipe)
    regions = _lung_regions(body, tissue[inside], part, recipe, columns / REFERENCE_SIDE)
    mask = np.zeros_like(grey)
    mask[inside] = hulls(part.shape, regions, joint=recipe.hull == "joint")
    return Lungs(mask, len(regions), cv2.countNonZero(body), cut_off, x + width / 2)


def _tissue(grey: NDArray[np.uint8], recipe: LungRecipe) -> Mask:
    limit = recipe.threshold - (recipe.tissue_side == "at_or_above")
    return cv2.threshold(grey, limit, 255, cv2.THRESH_BINARY)[1]  # type: ignore[return-value]


def _is_cut_off(body: Mask, outline: Outline, grey: NDArray[np.uint8], recipe: LungRecipe) -> bool:
    """Whether much of lung density lies in a bay of the body's outline: a lung that is open to the image border."""
    hull = hulls(body.shape, [outline], joint=False)
    fewest = CUT_OFF * cv2.countNonZero(hull)
    bays = hull & ~body
    if cv2.countNonZero(bays) < fewest:
        return False
    return cv2.countNonZero(bays & _as_dense_as_lung(grey, recipe)) >= fewest


def _as_dense_as_lung(grey: NDArray[np.uint8], recipe: LungRecipe) -> Mask:
    return up_to(grey, recipe.dense_grey) & ~up_to(grey, recipe.gas_grey)


def _open_lungs(grey: NDArray[np.uint8], body: Mask, tissue: Mask, recipe: LungRecipe) -> Mask:
    """Lungs among the air outside the body's outline.

    Unlike lung, a mattress has no rib near, and air round the body holds little that is denser than gas. What lies
    beyond a round field of view is as light as gas all over, and no lung that the field cuts off reaches into it.
    """
    air, scale, dense = ~(tissue | body), grey.shape[1] / REFERENCE_SIDE, _as_dense_as_lung(grey, recipe)
    air &= ~opened(air & up_to(grey, recipe.gas_grey), core_depth(recipe, scale))
    core = eroded(air, core_depth(recipe, scale))
    candidates = []
    for region in lung_candidates(outlines(air), core, grey, body, recipe, scale):
        inside, area = area_of(region)
        area &= air[inside]
        if cv2.countNonZero(area & dense[inside]) >= DENSER * cv2.countNonZero(area):
            candidates.append(region)
    return filled(grey.shape, at_bone(candidates, grey, body, recipe, scale))


def _lung_regions(body: Mask, tissue: Mask, grey: NDArray[np.uint8], recipe: LungRecipe, scale: float) -> list[Outline]:
    """What a hull is drawn round, among the air inside the body, in the coordinates of `body`."""
    close_px, open_px = (int(radius * scale + 0.5) for radius in (recipe.close_px, recipe.open_px))
    fewest = max(1, int(recipe.fewest_px * scale * scale + 0.5))
    air, candidates = _air_of_lungs(body & ~tissue, grey, body, recipe, scale)
    if recipe.order == "open_first":
        chosen = largest(outlines(opened(air, open_px)), recipe.n_regions, fewest_px=fewest)
        return largest(outlines(closed(filled(air.shape, chosen), close_px)), recipe.n_regions)
    if recipe.midline == "as_closed":
        return largest(outlines(closed_then_opened(air, close_px, open_px)), recipe.n_regions, fewest_px=fewest)
    lungs = [whole_lungs(side, close_px, open_px, fewest) for side in split_at_midline(air, candidates)]
    if len(lungs) == 1:
        return [points for _, points in lungs[0][: recipe.n_regions]]
    return _of_two_lungs(lungs, recipe)


def _air_of_lungs(
    air: Mask, grey: NDArray[np.uint8], body: Mask, recipe: LungRecipe, scale: float
) -> tuple[Mask, list[Outline]]:
    """The air inside the body that may be lung, and its regions before airways were cut out of them."""
    regions, core = outlines(air), eroded(air, core_depth(recipe, scale))
    if recipe.candidates == "lung_density":
        regions = lung_candidates(regions, core, grey, body, recipe, scale)
        kept = filled(air.shape, regions)
        air, core = air & kept, core & kept
    cut = airways(core, grey, body, recipe, scale) if recipe.airways == "cut_out" else None
    return (air if cut is None else air & ~cut), regions


def _of_two_lungs(lungs: list[list[tuple[int, Outline]]], recipe: LungRecipe) -> list[Outline]:
    """The pieces of the lung or lungs that are asked for, the larger lung first."""
    kept = [lung if recipe.pieces == "all" else lung[:1] for lung in lungs]
    kept.sort(key=lambda lung: -sum(count for count, _ in lung))
    return [points for lung in kept[: recipe.n_regions] for _, points in lung]
