"""The image size a compressed frame declares: read before the decoder allocates for it."""

from __future__ import annotations

from pydicom import uid
from pydicom.encaps import generate_frames

from dsn_saal.ingest.reasons import Excluded, Reason

_NOT_FRAME_HEADERS = {0xC4, 0xC8, 0xCC}
"""Markers in the range of the JPEG frame headers that are none: Huffman table, extension, arithmetic conditioning."""


def require_frame_size(pixel_data: bytes, syntax: uid.UID, *, rows: int, columns: int) -> None:
    """Raise Excluded unless the one encapsulated frame declares `rows` x `columns`.

    RLE and uncompressed frames declare no size of their own; their decoders are bounded by Rows and Columns.
    """
    if not syntax.is_compressed or syntax in (uid.RLELossless, *(uid.DeflatedExplicitVRLittleEndian,)):
        return
    try:
        frame = next(generate_frames(pixel_data, number_of_frames=1))
        size = _jpeg2000_size(frame) if frame[:2] == b"\xff\x4f" else _jpeg_size(frame)
    except Exception:
        raise Excluded(Reason.TRUNCATED, "the compressed frame ends early") from None
    if size != (rows, columns):
        raise Excluded(Reason.DECODER_FAILED, "the compressed frame does not have the declared size")


def _jpeg2000_size(frame: bytes) -> tuple[int, int]:
    """(rows, columns) from the SIZ marker (ISO 15444-1 A.5.1), which must come first."""
    if frame[2:4] != b"\xff\x51":
        raise ValueError("no SIZ marker")
    right, bottom, left, top = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
    return bottom - top, right - left


def _jpeg_size(frame: bytes) -> tuple[int, int]:
    """(rows, columns) from the first frame header of JPEG or JPEG-LS (ISO 10918-1 B.2.2, ISO 14495-1 C.2.2)."""
    at = 2
    while True:
        marker = frame[at + 1]
        if frame[at] != 0xFF:
            raise ValueError("no marker")
        if marker == 0xFF:  # fill byte
            at += 1
        elif (0xC0 <= marker <= 0xCF and marker not in _NOT_FRAME_HEADERS) or marker == 0xF7:
            header = frame[at + 5 : at + 9]
            return int.from_bytes(header[:2], "big"), int.from_bytes(header[2:4], "big")
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
