"""From a file's bytes to the few tags this program reads; every other tag stays unread."""

from __future__ import annotations

import warnings
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import DeflatedExplicitVRLittleEndian

from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# pydicom quotes values, identities among them, in its warnings.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.logger.disabled = True

READ_TAGS = (
    "Modality", "ImageType", "QualityControlImage", "BurnedInAnnotation",
    "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "Manufacturer", "ConvolutionKernel",
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "PixelPaddingRangeLimit", "PixelData",
)  # fmt: skip
"""The only tags that are read. The identifiers among them leave the reader as keyed hashes."""

_TAGS = {keyword: pydicom.tag.Tag(keyword) for keyword in (*READ_TAGS, "TransferSyntaxUID")}

MAX_FILE_BYTES = 64 * 2**20
"""Largest file that is opened, and largest dataset that a deflated file may grow to."""

_META_START = 128 + 4 + 12
"""Preamble, mark, and the element whose last four bytes hold the length of the file meta information after it."""

MAX_SIDE = 4096
"""Largest Rows or Columns that is decoded."""


def read_header(content: bytes) -> Dataset:
    """The whitelisted tags of a DICOM Part 10 file, pixel data among them.

    Raises:
        Excluded: where the content is no DICOM, ends early, or cannot be parsed.
    """
    if content[128:132] != b"DICM":
        raise Excluded(Reason.NOT_DICOM, "no DICM mark after the preamble")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _require_bounded(content)
            dataset = pydicom.dcmread(BytesIO(content), specific_tags=list(_TAGS.values()))
    except Excluded:
        raise
    except InvalidDicomError:
        raise Excluded(Reason.NOT_DICOM, "not DICOM Part 10") from None
    except EOFError:
        raise Excluded(Reason.TRUNCATED, "the file ends inside an element") from None
    except Exception as error:
        raise Excluded(Reason.UNREADABLE, f"the parser stopped with {type(error).__name__}") from None
    if not tag(dataset.file_meta, "TransferSyntaxUID"):
        raise Excluded(Reason.UNREADABLE, "no TransferSyntaxUID")
    return dataset


def _require_bounded(content: bytes) -> None:
    """Raise Excluded where a deflated dataset unpacks to more than a CT slice could hold, or is damaged."""
    start = _META_START + int.from_bytes(content[_META_START - 4 : _META_START], "little")
    if DeflatedExplicitVRLittleEndian.encode() not in content[_META_START:start]:
        return
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacker.decompress(content[start:], MAX_FILE_BYTES)
    except zlib.error:
        raise Excluded(Reason.TRUNCATED, "the deflated dataset is damaged") from None
    if unpacker.unconsumed_tail:
        raise Excluded(Reason.TOO_LARGE, "the deflated dataset unpacks to more than a CT slice")
    if not unpacker.eof:
        raise Excluded(Reason.TRUNCATED, "the deflated dataset ends early")


def tag(dataset: Dataset, keyword: str) -> Any:
    """The value of a tag, None where it is absent or empty; raises Excluded where it cannot be converted."""
    try:
        element = dataset.get(_TAGS[keyword])  # by number: by keyword costs three times as much
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
    except (TypeError, ValueError):
        raise Excluded(Reason.UNREADABLE, f"{keyword} is missing or malformed") from None
