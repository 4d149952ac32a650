"""Files broken in every way: rows or a reason, bounded memory, no identity, and never other HU."""

from __future__ import annotations

import hashlib
import re
import struct
import tracemalloc
import zlib

import pytest
from fake_dicom import ct_file, enhanced_ct_file, file_bytes, thorax, with_syntax
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom import uid
from pydicom.datadict import dictionary_VR, tag_for_keyword

from dsn_saal.ingest.dicom import bounded
from dsn_saal.ingest.dicom.header import read_header
from dsn_saal.ingest.dicom.tags import READ_TAGS
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.stage import read_or_refuse

# pytest sets its own filters; in the program none of these is shown.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

HU, _ = thorax(32, noise=10)
CANARY = "CANARY"
SECRETS = (CANARY, "4711", "19010203", "Canary")
IDENTITIES = {
    "PatientName": "Canary^Carla", "PatientBirthDate": "19010203", "StudyDate": "19010203", "PatientID": "CANARY-4711",
    "InstitutionName": "Canary clinic", "StudyDescription": "CANARY 4711", "Manufacturer": "Canary of CANARY",
    "ConvolutionKernel": "CANARY^4711", "StudyInstanceUID": "1.2.4711.1", "SeriesInstanceUID": "1.2.4711.2",
    "SOPInstanceUID": "1.2.4711.3",
}  # fmt: skip
PIXEL_TAGS = (
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "NumberOfFrames", "RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "PixelPaddingRangeLimit", "PixelData",
)  # fmt: skip
"""What HU depend on."""


def _identified(dataset):
    private = dataset.private_block(0x0009, "CANARY OF 4711", create=True)
    private.add_new(1, "LO", "CANARY 4711")
    return file_bytes(dataset)


WHOLE = {
    "explicit": _identified(ct_file(HU, **IDENTITIES)),
    "implicit": _identified(ct_file(HU, syntax=uid.ImplicitVRLittleEndian, **IDENTITIES)),
    "big endian": _identified(ct_file(HU, syntax=uid.ExplicitVRBigEndian, **IDENTITIES)),
    "deflated": _identified(ct_file(HU, syntax=uid.DeflatedExplicitVRLittleEndian, **IDENTITIES)),
    "RLE": _identified(ct_file(HU, syntax=uid.RLELossless, **IDENTITIES)),
    "JPEG 2000": _identified(ct_file(HU, syntax=uid.JPEG2000Lossless, **IDENTITIES)),
    "enhanced": _identified(enhanced_ct_file([HU, HU[::-1], HU[:, ::-1]], **IDENTITIES | {"ConvolutionKernel": None})),
}  # fmt: skip
HASHES = {hashlib.sha256(hu.astype("<i2").tobytes()).hexdigest() for hu in (HU, HU[::-1], HU[:, ::-1])}
UNCOMPRESSED = ("explicit", "implicit", "big endian", "enhanced")

broken = settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
places = st.floats(0, 1, exclude_max=True)


@pytest.fixture
def outcome(source, reader):
    """Reads bytes as a file: the rows, and the exclusions of what is no row; nothing else may happen."""

    def read(content):
        path = source / "covid19" / "a.dcm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        result = read_or_refuse(reader(), "covid19/a.dcm")
        outcomes = [result] if isinstance(result, Excluded) else list(result)
        rows = [one for one in outcomes if not isinstance(one, Excluded)]
        refused = [one for one in outcomes if isinstance(one, Excluded)]
        assert rows or refused
        told = f"{[(one.reason, one.detail) for one in refused]}"
        told += f"{[[row[name] for name in ('manufacturer', 'kernel', 'transfer_syntax', 'decoder')] for row in rows]}"
        for name in ("case", "study", "series", "sop"):  # hashes: digits of an identifier may occur in them
            assert all(re.fullmatch(r"([0-9a-f]{16})?", row[name]) for row in rows)
        assert not [secret for secret in SECRETS if secret in told]
        return rows, refused

    return read


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_files_are_read(outcome, kind):
    rows, refused = outcome(WHOLE[kind])
    assert not refused and {row["pixel_sha256"] for row in rows} <= HASHES


@broken
@given(kind=st.sampled_from(sorted(WHOLE)), place=places)
def test_files_that_end_early(outcome, kind, place):
    content = WHOLE[kind]
    rows, _ = outcome(content[: int(place * len(content))])
    assert {row["pixel_sha256"] for row in rows} <= HASHES


@broken
@given(
    kind=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=12),
)
def test_bytes_that_flipped_before_the_pixels(outcome, kind, changes):
    """Behind the pixels' tag compressed bytes hold no check: what decodes to a body in air cannot be told."""
    content = bytearray(WHOLE[kind])
    end = len(content) if kind == "deflated" else _start_of_pixels(content)
    for place, value in changes:
        content[int(place * end)] = value
    outcome(bytes(content))


@broken
@given(
    kind=st.sampled_from([*UNCOMPRESSED, "RLE"]),
    changes=st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=40),
)
def test_bytes_that_flipped_anywhere(outcome, kind, changes):
    content = bytearray(WHOLE[kind])
    for place, value in changes:
        content[int(place * len(content))] = value
    outcome(bytes(content))


def _start_of_pixels(content):
    return max(content.rfind(mark) for mark in (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10"))


def _elements(content):
    """Offset of each element of an explicit little endian file, with that of its length and the length's size."""
    at, found = 132, []
    while at < len(content):
        long = content[at + 4 : at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT")
        size = 4 if long else 2
        length_at = at + (8 if long else 6)
        length = int.from_bytes(content[length_at : length_at + size], "little")
        found.append((at, length_at, size))
        at = length_at + size + length
    return found


VRS = [b"SQ", b"UN", b"OB", b"OW", b"US", b"DS", b"IS", b"LO", b"PN", b"UI", b"AT", b"FD", b"ZZ", b"\0\0"]


@broken
@given(number=st.integers(0, 60), vr=st.sampled_from(VRS), length=st.none() | st.integers(0, 2**32 - 1))
@example(number=40, vr=b"SQ", length=0xFFFFFFFF)
def test_wrong_value_representations_and_lengths(outcome, number, vr, length):
    content = bytearray(WHOLE["explicit"])
    elements = _elements(content)
    at, length_at, size = elements[number % len(elements)]
    content[at + 4 : at + 6] = vr
    if length is not None:
        content[length_at : length_at + size] = (length % 2 ** (8 * size)).to_bytes(size, "little")
    outcome(bytes(content))


@broken
@given(number=st.integers(0, 60), vr=st.sampled_from([b"SQ", b"UN", b"OB"]), filling=st.binary(max_size=40))
def test_undefined_lengths(outcome, number, vr, filling):
    content = WHOLE["explicit"]
    elements = _elements(content)
    at, length_at, size = elements[number % len(elements)]
    rest = content[length_at + size :]
    outcome(content[: at + 4] + vr + b"\0\0\xff\xff\xff\xff" + filling + rest)


nonsense = st.one_of(
    st.binary(max_size=64),
    st.sampled_from([b"", b"\\" * 40, b"-", b"nan ", b"1e999", b"inf ", b"9" * 60, b"\xff" * 16]),
).map(lambda value: value + b" " * (len(value) % 2))


@settings(broken, max_examples=250)
@given(
    kind=st.sampled_from(["plain", "enhanced"]), keyword=st.sampled_from(READ_TAGS), value=st.none() | nonsense,
    vr=st.sampled_from(["UN", "own"]),
)  # fmt: skip
def test_tags_that_are_gone_or_hold_nonsense(outcome, kind, keyword, value, vr):
    content = WHOLE["explicit" if kind == "plain" else "enhanced"]
    number = tag_for_keyword(keyword)
    own = dictionary_VR(number)[:2]
    rows, _ = outcome(_with_element(content, number, own if vr == "own" else "UN", value))
    if keyword not in PIXEL_TAGS and not keyword.endswith("Sequence"):
        assert {row["pixel_sha256"] for row in rows} <= HASHES


def _with_element(content, number, vr, value):
    """An explicit file with a top-level element's bytes replaced or (None) removed."""
    head = struct.pack("<HH", number >> 16, number & 0xFFFF)
    elements = _elements(content)
    ends = [at for at, _, _ in elements[1:]] + [len(content)]
    long = vr in ("OB", "OW", "SQ", "UN", "UT")
    new = b""
    if value is not None:
        length = struct.pack("<HL", 0, len(value)) if long else struct.pack("<H", len(value))
        new = head + vr.encode() + length + value
    parts, done = [content[:132]], False
    for (at, _, _), end in zip(elements, ends, strict=True):
        old = content[at : at + 4]
        order = (struct.unpack("<HH", old) > struct.unpack("<HH", head)) and old[:2] != b"\x02\x00"
        if not done and (old == head or order):
            parts.append(new)
            done = True
        if old != head:
            parts.append(content[at:end])
    return b"".join(parts)


@settings(broken, max_examples=250)
@given(
    lies=st.dictionaries(
        st.sampled_from(PIXEL_TAGS[:7]), st.sampled_from([0, 1, 2, 7, 8, 12, 15, 16, 17, 31, 32, 33, 64, 4096, 65535]),
        min_size=1, max_size=4,
    ),
    kind=st.sampled_from(sorted(set(WHOLE) - {"big endian", "implicit", "deflated"})),
    frames=st.none() | st.sampled_from([b"0 ", b"-1", b"2 ", b"3 ", b"99999999", b"2147483647"]),
)  # fmt: skip
def test_sizes_that_are_lies(outcome, lies, kind, frames):
    """Memory is bounded by what is there, not by what is declared."""
    content = WHOLE[kind]
    for keyword, value in lies.items():
        content = _with_number(content, keyword, value)
    if frames is not None and kind != "RLE" and kind != "JPEG 2000":
        content = _with_element(content, tag_for_keyword("NumberOfFrames"), "IS", frames)
    tracemalloc.start()
    try:
        rows, _ = outcome(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 160 * 2**20  # one image of 4096 x 4096, once decoded and once as HU
    if not set(lies) & {"PixelRepresentation", "BitsStored", "HighBit", "BitsAllocated"}:
        assert {row["pixel_sha256"] for row in rows} <= HASHES


def _with_number(content, keyword, value):
    number = tag_for_keyword(keyword)
    at = content.index(struct.pack("<HH", number >> 16, number & 0xFFFF) + b"US\2\0") + 8
    return content[:at] + struct.pack("<H", value) + content[at + 2 :]


@broken
@given(
    kind=st.sampled_from(sorted(WHOLE)),
    syntax=st.sampled_from([*uid.AllTransferSyntaxes, "1.2.4711", "", "CANARY"]),
)  # fmt: skip
def test_wrong_transfer_syntaxes(outcome, kind, syntax):
    rows, _ = outcome(with_syntax(WHOLE[kind], syntax))
    assert {row["pixel_sha256"] for row in rows} <= HASHES


ITEM, SEQUENCE = b"\xfe\xff\x00\xe0", b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff"
END_OF_ITEM, END_OF_SEQUENCE = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def _with_inserted(inserted):
    """The explicit file with an element before its modality."""
    content = WHOLE["explicit"]
    at = content.index(b"\x08\x00\x60\x00CS")
    return content[:at] + inserted + content[at:]


@pytest.mark.parametrize("items", [ITEM + b"\0\0\0\0", ITEM + b"\x08\0\0\0" + b"\x10\x00\x10\x00PN\0\0",
                                   ITEM + b"\xff\xff\xff\xff" + END_OF_ITEM])  # fmt: skip
@pytest.mark.parametrize("sequence", [SEQUENCE, b"\x09\x00\x40\x11SQ\0\0\xff\xff\xff\xff"])
def test_sequences_without_end_are_bounded(outcome, items, sequence, monkeypatch):
    monkeypatch.setattr(bounded, "MAX_READS", 20_000)
    content = _with_inserted(sequence + items * 100_000 + END_OF_SEQUENCE)
    tracemalloc.start()
    rows, refused = outcome(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not rows and refused[0].reason is Reason.TOO_LARGE
    assert peak < 40 * 2**20 + 4 * len(content)


def test_functional_groups_without_end_are_bounded(outcome, monkeypatch):
    """Of defined length they are parsed late: the bound holds there, too."""
    monkeypatch.setattr(bounded, "MAX_READS", 20_000)
    groups = (ITEM + b"\0\0\0\0") * 100_000
    number = tag_for_keyword("PerFrameFunctionalGroupsSequence")
    rows, refused = outcome(_with_element(WHOLE["enhanced"], number, "SQ", groups))
    assert not rows and refused[0].reason is Reason.TOO_LARGE


@pytest.mark.parametrize("depth", [10, 1000, 100_000])
def test_nesting_without_end_is_bounded(outcome, depth):
    opened, closed = SEQUENCE + ITEM + b"\xff\xff\xff\xff", END_OF_ITEM + END_OF_SEQUENCE
    rows, refused = outcome(_with_inserted(opened * depth + closed * depth))
    assert (len(rows), len(refused)) == ((1, 0) if depth == 10 else (0, 1))


@pytest.mark.parametrize("keyword", ["ImageType", "ImagePositionPatient", "PatientID", "RescaleSlope", "Rows"])
def test_a_tag_that_holds_a_sequence_or_a_book_is_never_converted(outcome, keyword):
    number = tag_for_keyword(keyword)
    for vr, value in (("SQ", (ITEM + b"\0\0\0\0") * 50_000), ("UT", b"1\\" * 200_000), ("UN", b"1\\" * 200_000)):
        rows, refused = outcome(_with_element(WHOLE["explicit"], number, vr, value))
        assert not rows and refused[0].reason is Reason.UNREADABLE


def test_a_bomb_is_not_unpacked(outcome):
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(100)) + packer.flush()
    content = WHOLE["deflated"]
    start = 144 + int.from_bytes(content[140:144], "little")
    rows, refused = outcome(content[:start] + bomb)
    assert not rows and refused[0].reason is Reason.TOO_LARGE


def test_nothing_but_the_whitelist_is_parsed():
    dataset = read_header(WHOLE["explicit"])
    allowed = {tag_for_keyword(keyword) for keyword in READ_TAGS} | {0x00080005}
    assert set(dataset.keys()) <= allowed
    assert not [secret for secret in ("Carla", "clinic", "19010203") if secret in str(dataset)]
