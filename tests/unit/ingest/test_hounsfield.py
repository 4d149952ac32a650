"""Stored values to HU: rescale, padding, bits, decoders."""

from __future__ import annotations

import numpy as np
import pytest
from fake_dicom import ct_file, ellipse, thorax
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from dsn_saal.ingest.dicom.header import read_header
from dsn_saal.ingest.dicom.pixels import hounsfield, rescale
from dsn_saal.ingest.reasons import Excluded, Reason

HU, _ = thorax(32, noise=20)
CORNER = (0, 0)
MIDDLE = (16, 16)


def content_of(dataset, tmp_path):
    path = tmp_path / "slice.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def read(dataset, tmp_path, air_hu=-1000):
    return hounsfield(read_header(content_of(dataset, tmp_path)), air_hu=air_hu)[0]


@given(
    stored=st.lists(st.integers(0, 65535), min_size=1, max_size=20),
    slope=st.sampled_from([1.0, 2.0, 0.5, -1.0, 2.0002442, 32.1216]),
    intercept=st.sampled_from([0.0, -1024.0, -1000.5, 32767.0, -32768.0, 1e6]),
    signed=st.booleans(),
)
def test_rescale_equals_rounded_and_clipped_real_arithmetic(stored, slope, intercept, signed):
    values = np.array(stored, np.uint16)
    values = values.view(np.int16) if signed else values
    expected = [min(max(int(np.rint(int(value) * slope + intercept)), -32768), 32767) for value in values]
    assert rescale(values, slope=slope, intercept=intercept).tolist() == expected


@pytest.mark.parametrize(("signed", "intercept"), [(False, -1024), (False, -8192), (True, -1024), (True, 0)])
def test_hu_survive_the_file(tmp_path, signed, intercept):
    np.testing.assert_array_equal(read(ct_file(HU, intercept=intercept, signed=signed), tmp_path), HU)


@pytest.mark.parametrize(
    ("syntax", "decoder"),
    [
        (ImplicitVRLittleEndian, "numpy"),
        (DeflatedExplicitVRLittleEndian, "numpy"),
        (ExplicitVRBigEndian, "pydicom"),
        (RLELossless, "pylibjpeg-rle"),
        (JPEG2000Lossless, "pylibjpeg-openjpeg"),
    ],
)
def test_every_encoding_gives_the_same_pixels_and_names_its_decoder(tmp_path, syntax, decoder):
    dataset = read_header(content_of(ct_file(HU, signed=True, intercept=0, syntax=syntax), tmp_path))
    hu, named = hounsfield(dataset, air_hu=-1000)
    np.testing.assert_array_equal(hu, HU)
    name, version = named.split(" ")
    assert name == decoder and version[0].isdigit()


@pytest.mark.parametrize("padding", [-2000, -3024, -32768, -1025])
@pytest.mark.parametrize("tagged", [True, False])
def test_values_below_every_scanner_become_air(tmp_path, padding, tagged):
    hu = HU.astype(np.int16).copy()
    hu[CORNER] = padding
    result = read(ct_file(hu, signed=True, intercept=0, PixelPaddingValue=padding if tagged else None), tmp_path)
    assert result[CORNER] == -1000
    np.testing.assert_array_equal(result[1:], hu[1:])


def test_lowest_value_of_a_scanner_stays(tmp_path):
    hu = HU.copy()
    hu[CORNER] = -1024
    assert read(ct_file(hu), tmp_path)[CORNER] == -1024


def test_air_is_what_params_say(tmp_path):
    hu = HU.copy()
    hu[CORNER] = -2000
    assert read(ct_file(hu, signed=True), tmp_path, air_hu=-990)[CORNER] == -990


def test_padding_written_with_the_other_sign_is_known(tmp_path):
    """-2000 in signed pixels, tagged 63536: the same bits."""
    dataset = ct_file(np.where(HU[CORNER] == HU, -2000, HU), signed=True, intercept=0)
    dataset.add_new("PixelPaddingValue", "US", 63536)
    assert read(dataset, tmp_path)[CORNER] == -1000


def test_padding_in_the_unused_bits_of_an_unsigned_image_is_seen_before_they_are_cleared(tmp_path):
    stored = (HU.astype(np.int32) + 1024).astype(np.uint16)
    stored[CORNER] = 63536
    dataset = ct_file(HU, stored=stored, BitsStored=12, HighBit=11)
    dataset.add_new("PixelPaddingValue", "US", 63536)
    assert read(dataset, tmp_path)[CORNER] == -1000


def test_a_range_of_padding_values_is_air(tmp_path):
    stored = (HU.astype(np.int32) + 1024).astype(np.uint16)
    stored[0, :4] = [60000, 61000, 62000, 60500]
    dataset = ct_file(HU, stored=stored)
    dataset.add_new("PixelPaddingValue", "US", 60000)
    dataset.add_new("PixelPaddingRangeLimit", "US", 62000)
    assert read(dataset, tmp_path)[0, :4].tolist() == [-1000] * 4


@pytest.mark.parametrize("limits", [(63536, 64000), (64000, 63536), (-2000, 64000), (64000, -2000)])
def test_a_range_of_padding_values_in_either_sign_and_order(tmp_path, limits):
    """-2000 to -1536 in signed pixels; 63536 and 64000 are the same bits."""
    stored = (HU.astype(np.int32) + 1024).astype(np.int16)
    stored[0, :3] = [-2000, -1700, -1536]
    dataset = ct_file(HU, stored=stored, PixelRepresentation=1)
    for keyword, limit in zip(("PixelPaddingValue", "PixelPaddingRangeLimit"), limits, strict=True):
        dataset.add_new(keyword, "SS" if limit < 0 else "US", limit)
    hu = read(dataset, tmp_path)
    assert hu[0, :3].tolist() == [-1000] * 3
    np.testing.assert_array_equal(hu[1:], HU[1:])


@pytest.mark.parametrize("value", [b"", b"\0\0\0\0\0\0", b"ab\0"])
def test_a_padding_value_that_is_no_number_is_not_believed(tmp_path, value):
    dataset = ct_file(HU, signed=True, intercept=0)
    dataset.add_new("PixelPaddingValue", "OB", value)
    try:
        np.testing.assert_array_equal(read(dataset, tmp_path), HU)
    except Excluded as refused:
        assert refused.reason is Reason.UNREADABLE


def test_padding_above_air_is_believed_outside_the_scan_circle_only(tmp_path):
    """PixelPaddingValue 0 of an unsigned image means -1024; of a signed image without intercept it means water."""
    hu = np.where(HU < -990, -1024, HU)
    result = read(ct_file(hu, PixelPaddingValue=0), tmp_path)
    np.testing.assert_array_equal(result, np.where(hu == -1024, -1000, hu))


@pytest.mark.parametrize(("kind", "kept"), [("HU", True), ("US", True), ("hu", True), ("Z_EFF", False), ("EDW", False)])
def test_the_unit_of_the_rescale_counts(tmp_path, kind, kept):
    dataset = ct_file(HU, RescaleType=kind)
    if kept:
        np.testing.assert_array_equal(read(dataset, tmp_path), HU)
    else:
        with pytest.raises(Excluded) as refused:
            read(dataset, tmp_path)
        assert refused.value.reason is Reason.NO_RESCALE


def test_a_wrong_padding_value_makes_no_holes_in_tissue(tmp_path):
    """The tag names 0 HU, which corners and tissue hold: outside the circle it is padding, inside it is water."""
    hu = HU.copy()
    outside = ~ellipse(32, 0.5 - 0.5 / 32, 0.5 - 0.5 / 32, 0.5, 0.5)
    hu[outside] = 0
    hu[MIDDLE] = 0
    result = read(ct_file(hu, signed=True, intercept=0, PixelPaddingValue=0), tmp_path)
    assert result[CORNER] == -1000 and result[0, -1] == -1000
    assert result[MIDDLE] == 0


def test_unused_high_bits_are_cleared_and_the_sign_extended(tmp_path):
    unsigned = (HU.astype(np.int32) + 1024).astype(np.uint16)
    dataset = ct_file(HU, stored=unsigned | 0x8000, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read(dataset, tmp_path), HU)
    twelve = np.maximum(HU, -2048).astype(np.int16)
    signed = ct_file(HU, stored=twelve & 0x0FFF, BitsStored=12, HighBit=11, PixelRepresentation=1, RescaleIntercept=0)
    np.testing.assert_array_equal(read(signed, tmp_path), twelve)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"RescaleSlope": None}, Reason.NO_RESCALE),
        ({"RescaleIntercept": None}, Reason.NO_RESCALE),
        ({"RescaleSlope": 0}, Reason.NO_RESCALE),
        ({"PixelData": None}, Reason.NO_PIXELS),
        ({"PixelData": b"\0" * 10}, Reason.TRUNCATED),
        ({"BitsStored": 17, "HighBit": 16}, Reason.DECODER_FAILED),
        ({"BitsAllocated": 32}, Reason.DECODER_FAILED),
        ({"HighBit": 3}, Reason.DECODER_FAILED),
        ({"RescaleIntercept": 5000}, Reason.IMPLAUSIBLE_HU),
        ({"RescaleIntercept": -9000}, Reason.IMPLAUSIBLE_HU),
    ],
)
def test_what_gives_no_hu_is_left_out_with_its_reason(tmp_path, tags, reason):
    with pytest.raises(Excluded) as refused:
        read(ct_file(HU, **tags), tmp_path)
    assert refused.value.reason is reason


def test_a_compressed_frame_of_another_size_is_refused_before_it_is_decoded(tmp_path):
    dataset = ct_file(HU, signed=True, syntax=JPEG2000Lossless)
    dataset.Rows = dataset.Columns = 4096
    with pytest.raises(Excluded) as refused:
        read(dataset, tmp_path)
    assert refused.value.reason is Reason.DECODER_FAILED
    assert "declared size" in refused.value.detail


def test_a_deflated_bomb_is_not_unpacked(tmp_path, monkeypatch):
    content = content_of(ct_file(HU, syntax=DeflatedExplicitVRLittleEndian), tmp_path)
    monkeypatch.setattr("dsn_saal.ingest.dicom.header.MAX_UNPACKED_BYTES", 500)
    with pytest.raises(Excluded) as refused:
        read_header(content)
    assert refused.value.reason is Reason.TOO_LARGE


def test_only_whitelisted_tags_are_read(tmp_path):
    dataset = ct_file(HU, PatientName="Canary^Carla", PatientBirthDate="19700101", InstitutionName="Canary clinic")
    read_back = read_header(content_of(dataset, tmp_path))
    for keyword in ("PatientName", "PatientBirthDate", "InstitutionName"):
        assert keyword in dcmread(tmp_path / "slice.dcm")
        assert keyword not in read_back
