"""Regions of a binary image by their outlines: exact pixel counts and hulls without a label image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.preprocess.morphology import Mask

Outline = NDArray[np.int32]
"""Boundary pixels of a region in order, (n, 1, 2), x before y."""


def outlines(mask: Mask) -> list[Outline]:
    """Outer boundary of every 8-connected region that lies in no hole of another one."""
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return list(found)  # type: ignore[arg-type]


def pixel_count(outline: Outline) -> int:
    """Pixels of a region with its holes filled, by Pick's theorem: area + boundary / 2 + 1."""
    if len(outline) == 1:
        return 1
    return round(cv2.contourArea(outline) + len(outline) / 2 + 1)


def largest(regions: Sequence[Outline], count: int, *, fewest_px: int = 1) -> list[Outline]:
    """The `count` regions with most pixels (holes filled) of at least `fewest_px`, largest first.

    Ties go to the region whose first boundary pixel comes first in the image.
    """
    sized = [(pixel_count(region), region) for region in regions if len(region) >= 1]
    kept = [(size, region) for size, region in sized if size >= fewest_px]
    kept.sort(key=lambda entry: (-entry[0], int(entry[1][0, 0, 1]), int(entry[1][0, 0, 0])))
    return [region for _, region in kept[:count]]


def filled(shape: tuple[int, int], regions: Sequence[Outline]) -> Mask:
    """The regions with their holes, as a mask."""
    mask = np.zeros(shape, np.uint8)
    cv2.drawContours(mask, list(regions), -1, 255, cv2.FILLED)
    return mask


def area_of(region: Outline) -> tuple[tuple[slice, slice], Mask]:
    """The rectangle round a region, and the region with its holes in it."""
    x, y, width, height = cv2.boundingRect(region)
    return (slice(y, y + height), slice(x, x + width)), filled((height, width), [region - np.array([x, y], np.int32)])


def hulls(shape: tuple[int, int], regions: Sequence[Outline], *, joint: bool) -> Mask:
    """Convex hulls of the regions (one round all of them if `joint`), as a mask."""
    groups: list[Any] = [np.concatenate(list(regions))] if joint and len(regions) else list(regions)
    mask = np.zeros(shape, np.uint8)
    for group in groups:
        cv2.fillConvexPoly(mask, cv2.convexHull(group), 255)
    return mask
