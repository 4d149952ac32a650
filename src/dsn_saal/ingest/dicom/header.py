"""From a file's bytes to the few tags this program reads; every other tag stays unread."""

from __future__ import annotations

import logging
import warnings
import zlib
from typing import TYPE_CHECKING

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

from dsn_saal.ingest.dicom.bounded import Counted
from dsn_saal.ingest.dicom.tags import TAGS, UNDEFINED, require_short, tag
from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# pydicom quotes values, identities among them, in its warnings, and its decoders log every failure with a traceback.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.logger.propagate = False
pydicom.config.logger.handlers = [logging.NullHandler()]
warnings.filterwarnings("ignore", module=r"pydicom\.")

MAX_FILE_BYTES = 512 * 2**20
"""Largest file that is opened: an enhanced CT of a thousand frames of 512 x 512."""

MAX_UNPACKED_BYTES = 64 * 2**20
"""Largest dataset that a deflated file may grow to."""

MARK_END = 132
"""End of preamble and mark; the file meta information follows (PS3.10 7.1)."""

_VRS = {vr.value.encode() for vr in STANDARD_VR}


def read_header(content: bytes) -> Dataset:
    """The whitelisted tags of a DICOM file, pixel data among them.

    Raises:
        Excluded: where the content is no DICOM, ends early, or cannot be parsed.
    """
    require_dicom(content)
    try:
        return _parsed(Counted(content), MARK_END if _is_marked(content) else 0)
    except Excluded:
        raise
    except EOFError:
        raise _ends_early() from None
    except Exception as error:
        # The parser wraps what `Counted` raises; the reason is then in the chain.
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


def _parsed(source: Counted, start: int) -> Dataset:
    """File meta information where there is any, then the dataset as its transfer syntax says (PS3.10 7.1, PS3.5 10)."""
    source.seek(start)
    meta = read_dataset(source, False, True, stop_when=lambda number, vr, length: number >> 16 != 2)
    meta = FileMetaDataset({number: meta.get_item(number) for number in [TAGS["TransferSyntaxUID"]] if number in meta})
    require_short(meta)
    if source.tell() == source.size:
        raise _ends_early()
    syntax = tag(meta, "TransferSyntaxUID")
    if not isinstance(syntax, UID):
        syntax = meta.TransferSyntaxUID = _usual_syntax(source)
    if syntax == DeflatedExplicitVRLittleEndian:
        source = Counted(_unpacked(source.read()))
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    # Told the length, the parser keeps what it has read when the file ends early.
    dataset = read_dataset(source, implicit, little, source.size - source.tell(), specific_tags=[*TAGS.values()])
    _require_whole(dataset, source)
    require_short(dataset)
    dataset.file_meta = meta
    return dataset


def _usual_syntax(source: Counted) -> UID:
    """What a dataset is most likely written in that does not tell; pixels that are packed otherwise are refused."""
    start = source.tell()
    explicit = _is_explicit(source.read(6))
    source.seek(start)
    return ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian


def _require_whole(dataset: Dataset, source: Counted) -> None:
    """Raise Excluded where the file ends inside an element before the pixels; missing pixels are counted later."""
    if TAGS["PixelData"] in dataset:
        return
    read = [element for element in dataset.elements() if isinstance(element, RawDataElement)]
    cut = any(element.length != UNDEFINED and len(element.value or b"") < element.length for element in read)
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
