"""Every coding of the same slice gives the same HU, names its decoder, and is checked before it is decoded."""

from __future__ import annotations

import re
import zlib
from importlib import metadata

import numpy as np
import pytest
from codestreams import codestream
from fake_dicom import ct_file, file_bytes, thorax, with_syntax
from pydicom import uid
from pydicom.encaps import encapsulate

from dsn_saal.ingest.dicom import codestream as frames_of_bytes
from dsn_saal.ingest.dicom import header
from dsn_saal.ingest.dicom.header import read_header
from dsn_saal.ingest.dicom.pixels import hounsfield
from dsn_saal.ingest.reasons import Excluded, Reason

HU, _ = thorax(32)


def read(dataset):
    content = dataset if isinstance(dataset, bytes) else file_bytes(dataset)
    return hounsfield(read_header(content), air_hu=-1000)


def refusal(dataset):
    with pytest.raises(Excluded) as refused:
        read(dataset)
    return refused.value


def coded(name, **tags):
    """The slice in a coding that is kept as a codestream."""
    keyword = name.removesuffix("_signed")
    signed = {"signed": True, "intercept": 0} if name.endswith("_signed") else {}
    return ct_file(HU, syntax=getattr(uid, keyword), frame=codestream(name), **(signed | tags))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("syntax", "decoder"),
    [
        (uid.ImplicitVRLittleEndian, "numpy"),
        (uid.ExplicitVRLittleEndian, "numpy"),
        (uid.DeflatedExplicitVRLittleEndian, "numpy"),
        (uid.ExplicitVRBigEndian, "pydicom"),
        (uid.RLELossless, "pylibjpeg-rle"),
        (uid.JPEG2000Lossless, "pylibjpeg-openjpeg"),
    ],
)
def test_codings_that_pydicom_writes(syntax, decoder, signed):
    hu, named = read(ct_file(HU, syntax=syntax, signed=signed, intercept=0 if signed else -1024))
    np.testing.assert_array_equal(hu, HU)
    assert named == f"{decoder} {metadata.version(decoder)}"


@pytest.mark.parametrize(
    ("name", "decoder", "tolerance"),
    [
        ("JPEGLossless", "pylibjpeg-libjpeg", 0),
        ("JPEGLosslessSV1", "pylibjpeg-libjpeg", 0),
        ("JPEGLSLossless", "pylibjpeg-libjpeg", 0),
        ("JPEGLSNearLossless", "pylibjpeg-libjpeg", 3),  # it was written with NEAR = 3
        ("JPEGExtended12Bit", "pylibjpeg-libjpeg", 60),
        ("HTJ2KLossless", "pylibjpeg-openjpeg", 0),
        ("HTJ2KLossless_signed", "pylibjpeg-openjpeg", 0),
        ("HTJ2K", "pylibjpeg-openjpeg", 10),
    ],
)
def test_codings_that_other_libraries_write(name, decoder, tolerance):
    hu, named = read(coded(name))
    assert np.abs(hu.astype(int) - np.maximum(HU, -1000)).max() <= tolerance
    assert named == f"{decoder} {metadata.version(decoder)}"


def test_baseline_jpeg_holds_coarse_hu():
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "RescaleSlope": 16}
    hu, named = read(coded("JPEGBaseline8Bit", **eight))
    assert np.abs(hu.astype(int) - HU).mean() < 3 * 16 and named.startswith("pylibjpeg-libjpeg ")


@pytest.mark.parametrize("bits", [12, 16])
def test_eight_and_sixteen_bits_uncompressed(bits):
    eight = np.round((HU.astype(float) + 1024) / 16).astype(np.uint8)
    tags = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "RescaleSlope": 16}
    hu, named = read(ct_file(HU, stored=eight, **tags))
    assert np.abs(hu.astype(int) - HU).max() <= 8 and named.startswith("numpy ")
    np.testing.assert_array_equal(read(ct_file(HU, BitsStored=bits, HighBit=bits - 1))[0], HU)


@pytest.mark.parametrize(
    ("syntax", "told"),
    [
        ("1.2.840.10008.1.2.4.55", "no decoder for JPEG Full Progression"),
        ("1.2.840.10008.1.2.4.102", "no decoder for MPEG-4"),
        ("1.2.840.10008.1.2.4.92", "no decoder for JPEG 2000 Part 2"),
        ("1.2.3.4711", "no decoder for an unknown transfer syntax"),
        ("1.2.840.10008.5.1.4.1.1.2", "no decoder for an unknown transfer syntax"),
    ],
)
def test_a_coding_without_decoder_is_named_unless_the_registry_lacks_it(syntax, told):
    content = file_bytes(coded("JPEGLossless"))
    refused = refusal(with_syntax(content, syntax))
    assert refused.reason is Reason.DECODER_FAILED
    assert refused.detail.startswith(told) and "4711" not in refused.detail


def test_a_decoder_that_fails_is_named_with_its_exception():
    frame = bytearray(codestream("HTJ2KLossless"))
    frame[60:-2] = bytes(len(frame) - 62)
    refused = refusal(ct_file(HU, syntax=uid.HTJ2KLossless, frame=bytes(frame)))
    assert refused.reason is Reason.DECODER_FAILED
    assert re.fullmatch(r"decoding: pylibjpeg-openjpeg stopped with \w+", refused.detail)


@pytest.mark.parametrize("name", ["JPEGLosslessSV1", "JPEGLSLossless", "HTJ2KLossless"])
def test_a_frame_that_ends_early_is_never_filled_up(name):
    """The packing is whole, the codestream is not: decoders would make up the missing rows."""
    frame = codestream(name)
    for length in (0, 1, 2, 10, 45, len(frame) // 2, len(frame) - 2):
        refused = refusal(ct_file(HU, syntax=getattr(uid, name), frame=frame[:length] or b"\0\0"))
        assert refused.reason in (Reason.TRUNCATED, Reason.DECODER_FAILED)


def test_a_run_length_frame_that_ends_early_is_never_filled_up():
    content = read_header(file_bytes(ct_file(HU, syntax=uid.RLELossless))).PixelData
    frame = frames_of_bytes.compressed_frame(content, 0, 1)
    for length in (0, 10, 64, 80, len(frame) // 2, len(frame) - 4):
        assert refusal(ct_file(HU, syntax=uid.RLELossless, frame=frame[:length] or b"\0\0"))


def _replaced(frame, at, value):
    changed = bytearray(frame)
    changed[at : at + len(value)] = value
    return bytes(changed)


def _start_of_frame(frame):
    return next(at for at in range(2, len(frame)) if frame[at] == 0xFF and frame[at + 1] in (0xC0, 0xC3, 0xF7))


@pytest.mark.parametrize(
    ("offset", "value"),
    [(5, b"\xff\xff"), (7, b"\xff\xff"), (5, b"\0\0"), (9, b"\x03"), (9, b"\xff"), (4, b"\x20"), (1, b"\xde")],
    ids=["rows", "columns", "no rows", "colour", "many components", "32 bits", "hierarchical"],
)
@pytest.mark.parametrize("name", ["JPEGLosslessSV1", "JPEGLSLossless"])
def test_what_a_jpeg_frame_declares_is_checked_before_it_is_decoded(name, offset, value, monkeypatch):
    monkeypatch.setattr("dsn_saal.ingest.dicom.stored.get_decoder", None)  # nobody may ask for one
    frame = codestream(name)
    refused = refusal(
        ct_file(HU, syntax=getattr(uid, name), frame=_replaced(frame, _start_of_frame(frame) + offset, value))
    )
    assert refused.reason in (Reason.TRUNCATED, Reason.DECODER_FAILED) and "stopped" not in refused.detail


@pytest.mark.parametrize(
    ("offset", "value"),
    [(8, b"\x7f\xff\xff\xff"), (12, b"\x7f\xff\xff\xff"), (24, b"\0\0\0\0"), (24, b"\0\0\0\1"), (40, b"\x40\0"),
     (42, b"\x25"), (2, b"\xff\x52")],
    ids=["columns", "rows", "no tiles", "many tiles", "many components", "38 bits", "no SIZ"],
)  # fmt: skip
def test_what_a_jpeg2000_frame_declares_is_checked_before_it_is_decoded(offset, value, monkeypatch):
    monkeypatch.setattr("dsn_saal.ingest.dicom.stored.get_decoder", None)
    monkeypatch.setattr(frames_of_bytes, "MAX_TILES", 16)
    refused = refusal(
        ct_file(HU, syntax=uid.HTJ2KLossless, frame=_replaced(codestream("HTJ2KLossless"), offset, value))
    )
    assert refused.reason in (Reason.TRUNCATED, Reason.DECODER_FAILED) and "stopped" not in refused.detail


def test_a_jp2_file_in_place_of_a_codestream_is_read():
    """It breaks PS3.5 A.4.4, and archives hold it."""
    frame = codestream("HTJ2KLossless")
    box = lambda kind, content: (8 + len(content)).to_bytes(4, "big") + kind + content  # noqa: E731
    image = box(b"ihdr", (32).to_bytes(4, "big") * 2 + b"\0\1\x0f\7\0\0")
    head = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    jp2 = head + box(b"jp2h", image + box(b"colr", b"\1\0\0\0\0\0\x11")) + box(b"jp2c", frame)
    np.testing.assert_array_equal(read(ct_file(HU, syntax=uid.HTJ2KLossless, frame=jp2))[0], HU)
    palette = head + box(b"jp2h", image + box(b"pclr", b"\0\1\xff" + bytes(255))) + box(b"jp2c", frame)
    assert refusal(ct_file(HU, syntax=uid.HTJ2KLossless, frame=palette)).reason is Reason.TRUNCATED


def test_a_frame_in_several_fragments_is_one_whatever_the_offset_table_says():
    frame = codestream("JPEGLSLossless")
    dataset = coded("JPEGLSLossless")
    for table in (False, True):
        dataset.PixelData = encapsulate([frame], fragments_per_frame=4, has_bot=table)
        np.testing.assert_array_equal(read(dataset)[0], HU)
    lying = bytearray(dataset.PixelData)
    lying[8:12] = b"\xff\xff\xff\x7f"
    dataset.PixelData = bytes(lying)
    np.testing.assert_array_equal(read(dataset)[0], HU)


@pytest.mark.parametrize(("true", "told"), [
    (uid.ExplicitVRLittleEndian, uid.RLELossless), (uid.RLELossless, uid.ExplicitVRLittleEndian),
])  # fmt: skip
def test_pixels_packed_otherwise_than_the_syntax_says_are_refused(true, told):
    content = with_syntax(file_bytes(ct_file(HU, syntax=true)), told)
    assert refusal(content).reason is Reason.DECODER_FAILED


@pytest.mark.parametrize(("rows", "reason"), [(33, Reason.TRUNCATED), (31, Reason.DECODER_FAILED)])
def test_rows_and_columns_that_do_not_fit_the_pixels_are_refused(rows, reason):
    assert refusal(ct_file(HU, Rows=rows, Columns=rows)).reason is reason


def test_padding_behind_the_pixels_is_put_up_with():
    padded = (HU.astype(np.int32) + 1024).astype(np.uint16).tobytes() + bytes(8)
    np.testing.assert_array_equal(read(ct_file(HU, PixelData=padded))[0], HU)


def test_a_deflated_bomb_is_found_whatever_the_meta_information_says(monkeypatch):
    """The length of the meta information is a lie: the transfer syntax counts all the same."""
    monkeypatch.setattr(header, "MAX_UNPACKED_BYTES", 2**20)
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(bytes(2**24)) + packer.flush()
    content = file_bytes(ct_file(HU, syntax=uid.DeflatedExplicitVRLittleEndian))
    end = 144 + int.from_bytes(content[140:144], "little")
    for length in (content[140:144], b"\0\0\0\0", b"\xff\xff\xff\x7f"):
        with pytest.raises(Excluded) as refused:
            read_header(content[:140] + length + content[144:end] + bomb)
        assert refused.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_deflated_file_that_ends_early_or_is_damaged_is_left_out(cut):
    content = file_bytes(ct_file(HU, syntax=uid.DeflatedExplicitVRLittleEndian))
    for broken in (content[:-cut], content[:-cut] + b"\xff" * cut):
        with pytest.raises(Excluded) as refused:
            read_header(broken)
        assert refused.value.reason is Reason.TRUNCATED
