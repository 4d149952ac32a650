"""One compressed frame, and what it declares of itself: read before the decoder allocates for it."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import uid

from dsn_saal.ingest.reasons import Excluded, Reason

_NOT_FRAME_HEADERS = {0xC4, 0xC8, 0xCC}
"""Markers in the range of the JPEG frame headers that are none: Huffman table, extension, arithmetic conditioning."""

_HIERARCHICAL = 0xDE
"""Marker of a hierarchical progression, which declares a size of its own; DICOM has retired it."""

_END = b"\xff\xd9"
_PADDING = 10
"""Bytes after the end marker that are put up with: frames are padded to an even length, some writers pad more."""

MAX_TILES = 4096
"""Most tiles of a JPEG 2000 image; the decoder allocates for each of them before it reads the first."""

MAX_FRAGMENTS = 2**16
"""Most fragments of encapsulated pixel data."""

_ITEM, _SEQUENCE_END, _ITEM_BYTES = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", 8


@dataclass(frozen=True)
class FrameHeader:
    """What a codestream says of its image.

    Attributes:
        rows: lines.
        columns: samples a line.
        components: 1 for grey values.
        bits: bits a sample.
    """

    rows: int
    columns: int
    components: int
    bits: int


def require_frame(frame: bytes, syntax: uid.UID, *, rows: int, columns: int, bits_allocated: int) -> None:
    """Raise Excluded unless a compressed frame is whole and declares one grey image of `rows` x `columns`.

    RLE declares no size of its own; its decoder is bounded by Rows and Columns.
    """
    if syntax == uid.RLELossless:
        return
    try:
        header = _jpeg2000_header(frame) if _is_jpeg2000(frame) else _jpeg_header(frame)
    except (IndexError, ValueError):
        raise Excluded(Reason.TRUNCATED, "the compressed frame ends early, or does not begin as its coding") from None
    if _END not in frame[-_PADDING:]:
        # Without it decoders fill the rest of the image with whatever they find plausible.
        raise Excluded(Reason.TRUNCATED, "the compressed frame has no end marker")
    if (header.rows, header.columns) != (rows, columns):
        raise Excluded(Reason.DECODER_FAILED, "the compressed frame does not have the declared size")
    if header.components != 1 or not 0 < header.bits <= bits_allocated:
        raise Excluded(Reason.DECODER_FAILED, "the compressed frame does not hold one grey value of the declared bits")


def _is_jpeg2000(frame: bytes) -> bool:
    return frame[:2] == b"\xff\x4f" or frame[4:8] == b"jP  "


def _jpeg2000_header(frame: bytes) -> FrameHeader:
    """The SIZ marker (ISO 15444-1 A.5.1), which must come first, inside a JP2 file (Annex I) where writers add one."""
    start = 0 if frame[:2] == b"\xff\x4f" else frame.index(b"\xff\x4f\xff\x51")
    if b"pclr" in frame[:start]:
        raise ValueError("a palette makes more components of one")
    siz = frame[start + 2 : start + 43]
    if siz[:2] != b"\xff\x51" or len(siz) < 41:
        raise ValueError("no SIZ marker")
    right, bottom, left, top, wide, high = (int.from_bytes(siz[at : at + 4], "big") for at in (6, 10, 14, 18, 22, 26))
    if not wide or not high or -(-right // wide) * -(-bottom // high) > MAX_TILES:
        raise ValueError("too many tiles")
    components, precision = int.from_bytes(siz[38:40], "big"), siz[40]
    return FrameHeader(bottom - top, right - left, components, (precision & 0x7F) + 1)


def _jpeg_header(frame: bytes) -> FrameHeader:
    """The first frame header of JPEG or JPEG-LS (ISO 10918-1 B.2.2, ISO 14495-1 C.2.2)."""
    at = 2
    while True:
        marker = frame[at + 1]
        if frame[at] != 0xFF or marker == _HIERARCHICAL:
            raise ValueError("no marker, or one that DICOM does not have")
        if marker == 0xFF:  # fill byte
            at += 1
        elif (0xC0 <= marker <= 0xCF and marker not in _NOT_FRAME_HEADERS) or marker == 0xF7:
            rows, columns = (int.from_bytes(frame[at + start : at + start + 2], "big") for start in (5, 7))
            return FrameHeader(rows, columns, frame[at + 9], frame[at + 4])
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")


def compressed_frame(content: bytes, number: int, count: int) -> bytes:
    """The codestream of one frame of encapsulated pixel data (PS3.5 A.4).

    Where there are as many fragments as frames each is one, and of a single frame all are its own: the offset table,
    which writers get wrong, is then not needed.

    Raises:
        Excluded: TRUNCATED where items are missing or cut.
    """
    places = _fragments(content)
    if count == 1:
        return b"".join(content[start:end] for start, end in places)
    if len(places) == count:
        return content[slice(*places[number])]
    table = _offsets(content)
    if len(table) != count or sorted(set(table)) != table:
        raise Excluded(Reason.TRUNCATED, "neither fragments nor offset table tell the frames apart")
    first = places[0][0] - _ITEM_BYTES
    low, high = table[number] + first, table[number + 1] + first if number + 1 < count else len(content)
    return b"".join(content[start:end] for start, end in places if low <= start - _ITEM_BYTES < high)


def _fragments(content: bytes) -> list[tuple[int, int]]:
    """Start and end of every fragment; the first item, the offset table, is none."""
    places: list[tuple[int, int]] = []
    at = 0
    while at + _ITEM_BYTES <= len(content):
        mark, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + _ITEM_BYTES], "little")
        if mark == _SEQUENCE_END:
            break
        start, at = at + _ITEM_BYTES, at + _ITEM_BYTES + length
        if mark != _ITEM or at > len(content) or len(places) > MAX_FRAGMENTS:
            raise Excluded(Reason.TRUNCATED, "the encapsulated pixel data end inside an item, or hold no items")
        places.append((start, at))
    if len(places) < 2:
        raise Excluded(Reason.TRUNCATED, "the encapsulated pixel data hold no frame")
    return places[1:]


def _offsets(content: bytes) -> list[int]:
    length = int.from_bytes(content[4:_ITEM_BYTES], "little")
    return [int.from_bytes(content[at : at + 4], "little") for at in range(_ITEM_BYTES, _ITEM_BYTES + length, 4)]
