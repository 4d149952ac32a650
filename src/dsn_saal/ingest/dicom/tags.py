"""The few tags that are read, and their values out of a dataset; every other tag stays unread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_sequence

from dsn_saal.ingest.dicom.bounded import Counted
from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SEQUENCES = (
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "CTImageFrameTypeSequence", "PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence",
    "PixelValueTransformationSequence", "CTReconstructionSequence",
)  # fmt: skip
"""The only sequences whose items are read: the functional groups of a frame (DICOM PS3.3 C.7.6.16, C.8.15.3)."""

READ_TAGS = (
    "SOPClassUID", "Modality", "ImageType", "FrameType", "QualityControlImage", "BurnedInAnnotation",
    "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
    "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "Manufacturer", "ConvolutionKernel",
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "PixelPaddingValue", "PixelPaddingRangeLimit", "PixelData",
    *SEQUENCES,
)  # fmt: skip
"""The only tags that are read. The identifiers among them leave the reader as keyed hashes."""

TAGS = {keyword: pydicom.tag.Tag(keyword) for keyword in (*READ_TAGS, "TransferSyntaxUID")}
"""Their numbers: asking pydicom by keyword costs three times as much."""

LONG = {TAGS[keyword] for keyword in ("PixelData", *SEQUENCES)}

MAX_VALUE_BYTES = 2**16
"""Longest value of a tag that is neither pixels nor a sequence."""

MAX_SIDE = 4096
"""Largest Rows or Columns that is decoded."""

UNDEFINED = 0xFFFFFFFF
"""Length of an element whose end is marked."""


def require_short(dataset: Dataset) -> None:
    """Raise Excluded where a simple tag holds a sequence or a value without end: converting it would not be bounded."""
    for element in dataset.elements():
        if element.tag in LONG:
            continue
        value = element.value
        if element.VR == "SQ" or (isinstance(value, bytes) and len(value) > MAX_VALUE_BYTES):
            raise Excluded(Reason.UNREADABLE, "a tag that is read holds no value of its kind")


def pixel_bytes(dataset: Dataset) -> tuple[bytes, bool]:
    """The bytes of PixelData, and whether they are encapsulated (of undefined length, PS3.5 A.4).

    Raises:
        Excluded: NO_PIXELS.
    """
    number = TAGS["PixelData"]
    element = dataset.get_item(number) if number in dataset else None
    content = None if element is None else element.value
    if element is None or not isinstance(content, bytes) or not content:
        raise Excluded(Reason.NO_PIXELS, "no PixelData")
    if isinstance(element, RawDataElement):
        return content, element.length == UNDEFINED
    return content, element.is_undefined_length


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of one of SEQUENCES, [] where it is absent; raises Excluded where it cannot be parsed."""
    number = TAGS[keyword]
    if number not in dataset:
        return []
    try:
        element: Any = dataset.get_item(number)
        value = element.value
        if isinstance(value, bytes):  # of defined length: not parsed yet
            source = Counted(value)
            implicit, little = element.is_implicit_VR, element.is_little_endian
            value = read_sequence(source, implicit, little, len(value), "iso8859")
        found = list(value or [])
        for item in found:
            require_short(item_tags(item))
    except Excluded:
        raise
    except Exception as error:
        raise Excluded(Reason.UNREADABLE, f"{keyword}: the parser stopped with {type(error).__name__}") from None
    return found


def item_tags(item: Dataset) -> Dataset:
    """The whitelisted tags of an item, still unread."""
    return pydicom.dataset.Dataset({number: item.get_item(number) for number in TAGS.values() if number in item})


def tag(dataset: Dataset, keyword: str) -> Any:
    """The value of a tag, None where it is absent or empty; raises Excluded where it cannot be converted."""
    try:
        element = dataset.get(TAGS[keyword])
        value = None if element is None else element.value
    except Exception:
        raise Excluded(Reason.UNREADABLE, f"{keyword} is malformed") from None
    return None if value == "" else value


def text(dataset: Dataset, keyword: str) -> str:
    """A tag as text without padding, "" where it is absent; several values are joined as DICOM writes them."""
    value = tag(dataset, keyword)
    if value is None:
        return ""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
    return "\\".join(str(part).strip(" \0") for part in parts)


def code(dataset: Dataset, keyword: str) -> str:
    """A code string (VR CS) as text, in capitals as the standard wants it."""
    return text(dataset, keyword).upper()


def numbers(dataset: Dataset, keyword: str, count: int) -> list[float] | None:
    """A tag as `count` finite numbers, None where it is absent or holds anything else."""
    value = tag(dataset, keyword)
    try:
        found = [float(part) for part in ([value] if count == 1 else list(value))]
    except (TypeError, ValueError):
        return None
    finite = all(abs(number) < 1e9 for number in found)  # false for NaN and infinity, too
    return found if len(found) == count and finite else None


def whole(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    """A tag as a whole number; raises Excluded where it is absent without a default, or something else."""
    value = tag(dataset, keyword)
    if value is None and default is not None:
        return default
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise Excluded(Reason.UNREADABLE, f"{keyword} is missing or malformed") from None
