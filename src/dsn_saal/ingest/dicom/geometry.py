"""Where the slices of a series lie: spacing, gaps, overlaps, tilt, and whether their numbers follow their positions.

Everything comes from ImagePositionPatient and ImageOrientationPatient (DICOM PS3.3 C.7.6.2.1.1). InstanceNumber is
compared with them and never decides. Results are rounded, so that they have the same bytes on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

Vector = tuple[float, float, float]

SAME_PLACE_MM = 0.01
"""Slices that are nearer lie in one place."""

GAP = 1.5
"""A distance larger than so many usual distances lacks a slice."""

EVEN_MM = 0.1
"""Distances that differ by less are one spacing: positions are written with few digits."""

SAME_DIRECTION = 1e-3
"""Direction cosines that differ by less are one direction."""

SHEAR_FROM_DEG = 0.5
"""Slices whose stack leans by less stand upright."""

DECIMALS = 3
"""Digits of results in mm and degrees."""


@dataclass(frozen=True)
class Geometry:
    """How the slices of one series lie.

    Attributes:
        spacing_mm: median distance along the normal between neighbouring places, NaN for one place.
        gaps: distances larger than GAP times the spacing.
        overlaps: slices that lie where another of the series lies.
        uneven: whether distances that are no gaps differ from the spacing.
        turned: whether the slices do not share one orientation.
        tilt_deg: angle between the slices' normal and the patient's long axis.
        shear_deg: angle between the normal and the line from the first slice's corner to the last one's: a tilted
            gantry leaves the stack leaning; 0 where it stands upright.
        order: "ascending" or "descending" where InstanceNumber grows or falls with the position, "shuffled",
            "missing" where a slice has none, "" for one place.
    """

    spacing_mm: float
    gaps: int
    overlaps: int
    uneven: bool
    turned: bool
    tilt_deg: float
    shear_deg: float
    order: str


def tilt_deg(cosines: Sequence[float]) -> float:
    """Angle in degrees, 0 to 90, between a slice's normal and the patient's long axis.

    Args:
        cosines: (6,) ImageOrientationPatient.
    """
    x, y, z = normal_of(cosines)
    return round(math.degrees(math.atan2(math.hypot(x, y), abs(z))), DECIMALS)


def normal_of(cosines: Sequence[float]) -> Vector:
    """The slice's normal, towards the head: the cross product of row and column direction.

    Args:
        cosines: (6,) ImageOrientationPatient.
    """
    a, b, c, d, e, f = cosines
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    return (x, y, z) if z >= 0 else (-x, -y, -z)


def series_geometry(
    positions: Sequence[Vector], cosines: Sequence[Sequence[float]], numbers: Sequence[tuple[int, int] | None]
) -> Geometry:
    """How the slices of a series lie.

    Args:
        positions: (n, 3) ImagePositionPatient in mm, n >= 1.
        cosines: (n, 6) ImageOrientationPatient.
        numbers: (n,) InstanceNumber and frame, None where a slice has none.
    """
    # Without this the slice that a folder lists first would be the measure in a series of two orientations.
    measure = normal_of(min(tuple(one) for one in cosines))
    along = [sum(x * n for x, n in zip(position, measure, strict=True)) for position in positions]
    ordered = sorted(range(len(along)), key=lambda at: (along[at], numbers[at] or (0, 0)))
    steps = [along[after] - along[before] for before, after in pairwise(ordered)]
    distances = [step for step in steps if step >= SAME_PLACE_MM]
    spacing = median(distances) if distances else math.nan
    whole = [distance for distance in distances if distance <= GAP * spacing]
    return Geometry(
        spacing_mm=round(spacing, DECIMALS),
        gaps=len(distances) - len(whole),
        overlaps=len(steps) - len(distances),
        uneven=any(abs(distance - spacing) > EVEN_MM for distance in whole),
        turned=any(
            abs(one - first) > SAME_DIRECTION for other in cosines for one, first in zip(other, cosines[0], strict=True)
        ),
        tilt_deg=tilt_deg(min(tuple(one) for one in cosines)),
        shear_deg=_shear_deg(positions[ordered[0]], positions[ordered[-1]], measure) if distances else 0.0,
        order=_order([along[at] for at in ordered], [numbers[at] for at in ordered]) if distances else "",
    )


def _shear_deg(first: Vector, last: Vector, normal: Vector) -> float:
    way = [b - a for a, b in zip(first, last, strict=True)]
    along = sum(w * n for w, n in zip(way, normal, strict=True))
    aside = math.sqrt(sum((w - along * n) ** 2 for w, n in zip(way, normal, strict=True)))
    angle = math.degrees(math.atan2(aside, abs(along)))
    return round(angle, DECIMALS) if angle >= SHEAR_FROM_DEG else 0.0


def _order(along: list[float], numbers: list[tuple[int, int] | None]) -> str:
    """Whether numbers follow places; slices in one place may have any order among themselves."""
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return "missing"
    places: list[list[tuple[int, int]]] = [[known[0]]]
    for (before, after), number in zip(pairwise(along), known[1:], strict=True):
        if after - before >= SAME_PLACE_MM:
            places.append([])
        places[-1].append(number)
    if all(max(lower) < min(upper) for lower, upper in pairwise(places)):
        return "ascending"
    return "descending" if all(min(lower) > max(upper) for lower, upper in pairwise(places)) else "shuffled"
