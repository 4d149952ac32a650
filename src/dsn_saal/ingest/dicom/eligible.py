"""Which images are axial CT slices of one body: the checks that need no pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydicom.uid import UID, CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from dsn_saal.ingest.dicom.tags import MAX_SIDE, code, numbers, text, whole
from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

ORIENTATION_TOLERANCE = 1e-3
"""How far the direction cosines may be from unit length and from a right angle."""

AXIAL_COSINE = math.cos(math.radians(45))
"""Smallest cosine between the slice normal and the patient's long axis that still counts as axial."""

_GREY = ("MONOCHROME2", "MONOCHROME1")
"""Both hold HU after the rescale: the interpretation turns the display round, not the values (PS3.3 C.7.6.3.1.2)."""


_CT = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""SOP class of secondary captures; those of several frames begin with it."""

_LOCALIZERS = {"LOCALIZER", "SCOUT", "TOPOGRAM", "TOP"}
_REFORMATS = {"REFORMATTED", "MPR", "CPR", "MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VRT", "SSD"}
"""What ImageType says of images that are no axial reconstruction: DICOM's words (PS3.3 C.8.2.1.1.1, C.8.16.1) and those
of makers, Siemens' behind a mark of the software ("CT_SOM5 TOP")."""


def require_ct(dataset: Dataset) -> None:
    """Raise Excluded unless the file says that it holds CT: by its Modality and, where it is one of DICOM, SOP class.

    A secondary capture is told apart by `require_ct_slice`. Where there is no Modality the SOP class alone counts.
    """
    modality, sop_class = code(dataset, "Modality"), UID(text(dataset, "SOPClassUID"))
    if modality != "CT" and (modality or sop_class not in _CT):
        raise Excluded(Reason.NOT_CT, "Modality is not CT" if modality else "no Modality")
    if sop_class.type == "SOP Class" and sop_class not in _CT and not _is_capture(sop_class):
        raise Excluded(Reason.NOT_CT, "the SOP class is not that of CT")


def _is_capture(sop_class: str) -> bool:
    return sop_class == _CAPTURE or sop_class.startswith(f"{_CAPTURE}.")


def require_ct_slice(dataset: Dataset, *, derived: str) -> None:
    """Raise Excluded unless the tags of a CT image describe one greyscale slice of a sane size.

    Args:
        dataset: the whitelisted tags.
        derived: "exclude" or "keep" what was computed from other images.
    """
    _require_original(dataset, derived=derived)
    if code(dataset, "BurnedInAnnotation") == "YES":
        raise Excluded(Reason.BURNED_IN, "BurnedInAnnotation is YES")
    if whole(dataset, "SamplesPerPixel", 1) != 1 or code(dataset, "PhotometricInterpretation") not in _GREY:
        raise Excluded(Reason.NOT_GREYSCALE, "neither MONOCHROME2 nor MONOCHROME1")
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    if not (0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE):
        raise Excluded(Reason.TOO_LARGE, f"Rows and Columns must lie in 1..{MAX_SIDE}")
    if rows != columns:
        raise Excluded(Reason.NOT_SQUARE, "Rows and Columns differ")


def _require_original(dataset: Dataset, *, derived: str) -> None:
    kinds = {*code(dataset, "ImageType").split("\\"), *code(dataset, "FrameType").split("\\")}
    kinds |= {kind.split(" ", 1)[1] for kind in kinds if kind.startswith("CT_SOM") and " " in kind}
    for word in sorted(kinds & _LOCALIZERS):
        raise Excluded(Reason.LOCALIZER, f"ImageType says {word}")
    if derived == "keep":
        return
    if "SECONDARY" in kinds:
        raise Excluded(Reason.SECONDARY, "ImageType says SECONDARY; ingest.derived: keep takes it in")
    if _is_capture(text(dataset, "SOPClassUID")):
        raise Excluded(Reason.SECONDARY, "the SOP class is secondary capture; ingest.derived: keep takes it in")
    if "DERIVED" in kinds:
        raise Excluded(Reason.DERIVED, "ImageType says DERIVED; ingest.derived: keep takes it in")
    for word in sorted(kinds & _REFORMATS):
        raise Excluded(Reason.DERIVED, f"ImageType says {word}; ingest.derived: keep takes it in")


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
