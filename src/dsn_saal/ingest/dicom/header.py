"""From a file's bytes to the few tags this program reads; every other tag stays unread."""

from __future__ import annotations

import logging
import warnings
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_dataset, read_sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# pydicom quotes values, identities among them, in its warnings, and its decoders log every failure with a traceback.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.logger.propagate = False
pydicom.config.logger.handlers = [logging.NullHandler()]
warnings.filterwarnings("ignore", module=r"pydicom\.")

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

_LONG = {TAGS[keyword] for keyword in ("PixelData", *SEQUENCES)}

MAX_FILE_BYTES = 512 * 2**20
"""Largest file that is opened: an enhanced CT of a thousand frames of 512 x 512."""

MAX_UNPACKED_BYTES = 64 * 2**20
"""Largest dataset that a deflated file may grow to."""

MAX_READS = 400_000
"""Most pieces that the parser may take a file in: an element is two or three. It bounds what nested items allocate."""

MAX_VALUE_BYTES = 2**16
"""Longest value of a tag that is neither pixels nor a sequence."""

MAX_SIDE = 4096
"""Largest Rows or Columns that is decoded."""

MARK_END = 132
"""End of preamble and mark; the file meta information follows (PS3.10 7.1)."""

_UNDEFINED = 0xFFFFFFFF

_VRS = {vr.value.encode() for vr in STANDARD_VR}


class _Counted(BytesIO):
    """Bytes that are read in a bounded number of pieces."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.left, self.size = MAX_READS, len(content)

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; raises Excluded where the parser asks without end."""
        self.left -= 1
        if self.left < 0:
            raise Excluded(Reason.TOO_LARGE, "more elements than a CT image has")
        return BytesIO.read(self, size)


def read_header(content: bytes) -> Dataset:
    """The whitelisted tags of a DICOM file, pixel data among them.

    Raises:
        Excluded: where the content is no DICOM, ends early, or cannot be parsed.
    """
    require_dicom(content)
    try:
        return _parsed(_Counted(content), MARK_END if _is_marked(content) else 0)
    except Excluded:
        raise
    except EOFError:
        raise _ends_early() from None
    except Exception as error:
        # The parser wraps what `_Counted` raises; the reason is then in the chain.
        inner = error.__context__
        if isinstance(inner, Excluded):
            raise inner from None
        raise Excluded(Reason.UNREADABLE, f"the parser stopped with {type(error).__name__}") from None


def require_dicom(content: bytes) -> None:
    """Raise Excluded unless the content begins as DICOM does; its first MARK_END bytes are enough.

    That is as PS3.10 7.1 says, or with a dataset at once: so it travels in a network, and some programs store it.
    """
    if not (_is_marked(content) or _is_bare(content[:MARK_END])):
        raise Excluded(Reason.NOT_DICOM, "no DICM mark after the preamble, and no dataset without one")


def _is_marked(content: bytes) -> bool:
    return content[128:MARK_END] == b"DICM"


def _is_bare(start: bytes) -> bool:
    """Whether bytes begin with two elements in order of one of the groups that come first."""
    group, element = start[:2], int.from_bytes(start[2:4], "little")
    if group not in (b"\x02\0", b"\x08\0"):
        return False
    if not _is_explicit(start):
        after = 8 + int.from_bytes(start[4:8], "little")
    elif start[4:6].decode() in EXPLICIT_VR_LENGTH_32:
        after = 12 + int.from_bytes(start[8:12], "little")
    else:
        after = 8 + int.from_bytes(start[6:8], "little")
    return start[after : after + 2] == group and element < int.from_bytes(start[after + 2 : after + 4], "little")


def _is_explicit(element: bytes) -> bool:
    """Whether an element states its value representation."""
    return element[4:6] in _VRS


def _parsed(source: _Counted, start: int) -> Dataset:
    """File meta information where there is any, then the dataset as its transfer syntax says (PS3.10 7.1, PS3.5 10)."""
    source.seek(start)
    meta = read_dataset(source, False, True, stop_when=lambda number, vr, length: number >> 16 != 2)
    meta = FileMetaDataset({number: meta.get_item(number) for number in [TAGS["TransferSyntaxUID"]] if number in meta})
    _require_short(meta)
    if source.tell() == source.size:
        raise _ends_early()
    syntax = tag(meta, "TransferSyntaxUID")
    if not isinstance(syntax, UID):
        syntax = meta.TransferSyntaxUID = _usual_syntax(source)
    if syntax == DeflatedExplicitVRLittleEndian:
        source = _Counted(_unpacked(source.read()))
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    # Told the length, the parser keeps what it has read when the file ends early.
    dataset = read_dataset(source, implicit, little, source.size - source.tell(), specific_tags=[*TAGS.values()])
    _require_whole(dataset, source)
    _require_short(dataset)
    dataset.file_meta = meta
    return dataset


def _usual_syntax(source: _Counted) -> UID:
    """What a dataset is most likely written in that does not tell; pixels that are packed otherwise are refused."""
    start = source.tell()
    explicit = _is_explicit(source.read(6))
    source.seek(start)
    return ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian


def _require_whole(dataset: Dataset, source: _Counted) -> None:
    """Raise Excluded where the file ends inside an element before the pixels; missing pixels are counted later."""
    if TAGS["PixelData"] in dataset:
        return
    read = [element for element in dataset.elements() if isinstance(element, RawDataElement)]
    cut = any(element.length != _UNDEFINED and len(element.value or b"") < element.length for element in read)
    if cut or source.tell() != source.size:  # skipped beyond the end, or gone back from it
        raise _ends_early()


def _ends_early() -> Excluded:
    return Excluded(Reason.TRUNCATED, "the file ends inside an element")


def _unpacked(packed: bytes) -> bytes:
    """A deflated dataset; raises Excluded where it unpacks to more than a CT slice could hold, or is damaged."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(packed, MAX_UNPACKED_BYTES)
    except zlib.error:
        raise Excluded(Reason.TRUNCATED, "the deflated dataset is damaged") from None
    if unpacker.unconsumed_tail:
        raise Excluded(Reason.TOO_LARGE, "the deflated dataset unpacks to more than a CT slice")
    if not unpacker.eof:
        raise Excluded(Reason.TRUNCATED, "the deflated dataset ends early")
    return content


def _require_short(dataset: Dataset) -> None:
    """Raise Excluded where a simple tag holds a sequence or a value without end: converting it would not be bounded."""
    for element in dataset.elements():
        if element.tag in _LONG:
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
        return content, element.length == _UNDEFINED
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
            source = _Counted(value)
            implicit, little = element.is_implicit_VR, element.is_little_endian
            value = read_sequence(source, implicit, little, len(value), "iso8859")
        found = list(value or [])
        for item in found:
            _require_short(item_tags(item))
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
