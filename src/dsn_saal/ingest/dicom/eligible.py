"""Which images are axial CT slices of one body: the checks that need no pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dsn_saal.ingest.dicom.header import MAX_SIDE, numbers, tag, text, whole
from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

ORIENTATION_TOLERANCE = 1e-3
"""How far the direction cosines may be from unit length and from a right angle."""

AXIAL_COSINE = math.cos(math.radians(45))
"""Smallest cosine between the slice normal and the patient's long axis that still counts as axial."""

_GREY = ("MONOCHROME2", "MONOCHROME1")
"""Both hold HU after the rescale: the interpretation turns the display round, not the values (PS3.3 C.7.6.3.1.2)."""


def require_ct(dataset: Dataset) -> None:
    """Raise Excluded unless the file says that it holds CT."""
    if text(dataset, "Modality") != "CT":
        raise Excluded(Reason.NOT_CT, "Modality is not CT" if tag(dataset, "Modality") else "no Modality")


def require_ct_slice(dataset: Dataset, *, derived: str) -> None:
    """Raise Excluded unless the tags of a CT image describe one greyscale slice of a sane size.

    Args:
        dataset: the whitelisted tags.
        derived: "exclude" or "keep" what was computed from other images.
    """
    _require_original(dataset, derived=derived)
    if text(dataset, "BurnedInAnnotation") == "YES":
        raise Excluded(Reason.BURNED_IN, "BurnedInAnnotation is YES")
    if whole(dataset, "SamplesPerPixel", 1) != 1 or text(dataset, "PhotometricInterpretation") not in _GREY:
        raise Excluded(Reason.NOT_GREYSCALE, "neither MONOCHROME2 nor MONOCHROME1")
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    if not (0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE):
        raise Excluded(Reason.TOO_LARGE, f"Rows and Columns must lie in 1..{MAX_SIDE}")
    if rows != columns:
        raise Excluded(Reason.NOT_SQUARE, "Rows and Columns differ")


def _require_original(dataset: Dataset, *, derived: str) -> None:
    kinds = [*text(dataset, "ImageType").split("\\"), *text(dataset, "FrameType").split("\\")]
    if "LOCALIZER" in kinds:
        raise Excluded(Reason.LOCALIZER, "ImageType says LOCALIZER")
    if derived == "exclude" and "SECONDARY" in kinds:
        raise Excluded(Reason.SECONDARY, "ImageType says SECONDARY; ingest.derived: keep takes it in")
    if derived == "exclude" and "DERIVED" in kinds:
        raise Excluded(Reason.DERIVED, "ImageType says DERIVED; ingest.derived: keep takes it in")


def position_mm(dataset: Dataset) -> float:
    """Position of the slice along its normal, growing towards the head (for axial slices).

    The normal is the cross product of row and column direction (DICOM PS3.3 C.7.6.2.1.1), turned so that its component
    along the patient's long axis is positive: two scanners that write the columns the other way round still agree.

    Raises:
        Excluded: NO_POSITION or NOT_AXIAL.
    """
    origin, cosines = numbers(dataset, "ImagePositionPatient", 3), numbers(dataset, "ImageOrientationPatient", 6)
    if origin is None or cosines is None:
        missing = "ImagePositionPatient" if origin is None else "ImageOrientationPatient"
        raise Excluded(Reason.NO_POSITION, f"{missing} is missing or malformed")
    (a, b, c), (d, e, f) = cosines[:3], cosines[3:]
    lengths = (a * a + b * b + c * c, d * d + e * e + f * f)
    skew = max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(a * d + b * e + c * f))
    if skew > ORIENTATION_TOLERANCE:
        raise Excluded(Reason.NO_POSITION, "ImageOrientationPatient does not hold two perpendicular unit vectors")
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    if abs(normal[2]) < AXIAL_COSINE:
        raise Excluded(Reason.NOT_AXIAL, "the slice is not axial")
    sign = math.copysign(1.0, normal[2])
    return sign * (origin[0] * normal[0] + origin[1] * normal[1] + origin[2] * normal[2]) + 0.0  # + 0.0: no minus zero
