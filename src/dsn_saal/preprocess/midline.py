"""One lung on each side of the body: closing cannot join them, opening cannot tear one.

Closing joins the lungs at the anterior junction, where they lie a few pixels apart or touch; one hull round both then
takes in heart and mediastinum. Opening tears the thin rim of lung round the dome of the diaphragm, and the piece in
front of it is lost. Both are undone before the hull.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.preprocess.morphology import Mask, closed, closed_then_opened
from dsn_saal.preprocess.regions import Outline, area_of, largest, outlines, pixel_count

MOST_ACROSS = 0.2
"""A region with a smaller share of its pixels across the midline is one lung, with a larger one it is two."""

LEAST_SIDE = 0.05
"""Least share of the air on either side of the midline: with less there is one lung in the slice."""

OPENED = 0.75
"""Least share of a region that opening must leave: a crescent thinner than the disk stays as it is.

Opening leaves more of any lung that is not one; what noise and bowel it would remove is no candidate any more.
"""

NECK = 0.5
"""How much of the narrower side's widest column the column at the midline may hold."""


def split_at_midline(air: Mask, regions: list[Outline]) -> list[Mask]:
    """The air of the two sides of the body, so that each lung can be closed by itself.

    The sides meet at the narrowest column of the middle half of the body, where the anterior junction lies. Where no
    column is a neck between two wider parts there is one lung only, and all air comes back as it is. A region that
    crosses the neck with a small share belongs to its own side as a whole.

    Args:
        air: binary image.
        regions: outlines of its regions; small ones may be missing.
    """
    cut = _neck(np.asarray(cv2.reduce(air, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S), np.int32).reshape(-1))
    if cut is None:
        return [air]
    left, right = air.copy(), air.copy()
    left[:, cut:] = 0
    right[:, :cut] = 0
    for region in regions:
        x, _, across, _ = cv2.boundingRect(region)
        if x < cut < x + across:
            inside, area = area_of(region)
            _keep_whole(area & air[inside], cut - x, left[inside], right[inside])
    return [left, right]


def _neck(columns: NDArray[np.int32]) -> int | None:
    """The narrowest column between two parts that are wider, None without one; of equals the nearest to the middle."""
    width, share = len(columns), np.cumsum(columns, dtype=np.int64)
    middle = np.arange(width // 4, width - width // 4)
    smaller = np.minimum(share[middle], share[-1] - share[middle])
    middle = middle[smaller >= LEAST_SIDE * share[-1]]
    wider = np.minimum(np.maximum.accumulate(columns), np.maximum.accumulate(columns[::-1])[::-1])
    middle = middle[columns[middle] <= NECK * wider[middle]]
    if not share[-1] or not len(middle):
        return None
    return int(middle[np.lexsort((np.abs(2 * middle - width), columns[middle]))[0]])


def _keep_whole(own: Mask, cut: int, left: Mask, right: Mask) -> None:
    """Give a region that crosses the midline with a small share to the side of its greater part, in place."""
    on_left, on_right = cv2.countNonZero(own[:, :cut]), cv2.countNonZero(own[:, cut:])
    if min(on_left, on_right) >= MOST_ACROSS * (on_left + on_right):
        return
    gains, loses = (left, right) if on_left > on_right else (right, left)
    gains |= own
    loses &= ~own


def whole_lungs(air: Mask, close_px: int, open_px: int, fewest_px: int) -> list[tuple[int, Outline]]:
    """Regions after closing and opening, largest first: pixel count and boundary points.

    Pieces that only opening has separated count as one region and keep one hull; so does what is too thin for opening.
    """
    after_both = closed_then_opened(air, close_px, open_px)
    pieces = largest(outlines(after_both), air.size)
    lost = cv2.countNonZero(air & ~after_both)
    if len(pieces) == 1 and lost < (1 - OPENED) * fewest_px:
        groups = [pieces]
    else:
        groups = _joined(pieces, outlines(closed(air, close_px)))
    counted = [(sum(pixel_count(piece) for piece in group), np.concatenate(group)) for group in groups if group]
    whole = [lung for lung in counted if lung[0] >= fewest_px]
    whole.sort(key=lambda lung: (-lung[0], int(lung[1][0, 0, 1]), int(lung[1][0, 0, 0])))
    return whole


def _joined(pieces: list[Outline], regions: list[Outline]) -> list[list[Outline]]:
    """The pieces that lie in each region, or the region itself where opening has left too little of it."""
    groups = []
    for region in regions:
        own = [piece for piece in pieces if cv2.pointPolygonTest(region, piece[0, 0].tolist(), False) >= 0]
        whole = sum(map(pixel_count, own)) >= OPENED * pixel_count(region)
        groups.append(own if whole else [region])
    return groups
