"""Values that are no HU are found by where air and soft tissue lie; slices of every kind pass."""

from __future__ import annotations

import numpy as np
import pytest
from fake_dicom import ct_file, ellipse, file_bytes, thorax
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dsn_saal.ingest.dicom.header import read_header
from dsn_saal.ingest.dicom.pixels import hounsfield
from dsn_saal.ingest.dicom.plausible import require_rows_that_follow
from dsn_saal.ingest.reasons import Excluded, Reason

SIDE = 64
HU, _ = thorax(SIDE, noise=15)
STORED = (HU.astype(np.int32) + 1024).astype(np.uint16)
CIRCLE = ellipse(SIDE, 0.5, 0.5, 0.5, 0.5)


def read(dataset):
    return hounsfield(read_header(file_bytes(dataset)), air_hu=-1000)[0]


def told(dataset):
    with pytest.raises(Excluded) as refused:
        read(dataset)
    assert refused.value.reason is Reason.IMPLAUSIBLE_HU
    return refused.value.detail


def picture(low, high):
    """8-bit grey values of a window, as a picture that somebody packed as CT."""
    return np.clip((HU.astype(float) - low) / (high - low) * 255, 0, 255).astype(np.uint8)


EIGHT = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
WRONG = {
    "inverted": ct_file(-HU, signed=True, intercept=0),
    "inverted about the middle of 12 bits": ct_file(HU, stored=4095 - STORED),
    "intercept missing": ct_file(HU, stored=STORED, RescaleIntercept=0),
    "intercept applied twice": ct_file(HU, stored=HU.astype(np.int16), PixelRepresentation=1, RescaleIntercept=-1024),
    "intercept of the wrong sign": ct_file(HU, stored=STORED, RescaleIntercept=1024),
    "slope doubled": ct_file(HU, stored=STORED, RescaleSlope=2),
    "slope halved": ct_file(HU, stored=STORED, RescaleSlope=0.5),
    "slope of a tenth": ct_file(HU, stored=STORED, RescaleSlope=0.1),
    "slope negative": ct_file(HU, stored=STORED, RescaleSlope=-1),
    "signed read as unsigned": ct_file(HU, stored=HU.view(np.uint16), RescaleIntercept=0),
    "12 signed bits read as unsigned": ct_file(HU, stored=HU.view(np.uint16) & 0xFFF, RescaleIntercept=0, BitsStored=12,
                                               HighBit=11),
    "bytes swapped": ct_file(HU, stored=STORED.byteswap()),
    "an eight bit picture with the intercept of CT": ct_file(HU, stored=picture(-1000, 400), **EIGHT),
    "an eight bit picture without intercept": ct_file(HU, stored=picture(-1000, 400), RescaleIntercept=0, **EIGHT),
    "an eight bit soft tissue window": ct_file(HU, stored=picture(-160, 240), RescaleSlope=400 / 255,
                                               RescaleIntercept=-160, **EIGHT),
    "an eight bit lung window": ct_file(HU, stored=picture(-1350, 20), RescaleSlope=1370 / 255, RescaleIntercept=-1350,
                                        **EIGHT),
    "noise": ct_file(HU, stored=np.random.default_rng(0).integers(0, 4096, HU.shape).astype(np.uint16)),
    "nothing but air": ct_file(np.full_like(HU, -1000)),
    "nothing but water": ct_file(np.zeros_like(HU)),
    "nothing but padding": ct_file(np.full_like(HU, -2000), signed=True, intercept=0, PixelPaddingValue=-2000),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_values_that_are_no_hu_are_left_out(name):
    assert told(WRONG[name])


def test_padding_does_not_stand_in_for_the_air_that_is_missing():
    """Intercept missing, and corners at -2000: set to air they would look like the air round a body."""
    stored = np.where(CIRCLE, STORED.astype(np.int16), -2000).astype(np.int16)
    for tag in (-2000, None):
        tags = {"stored": stored, "PixelRepresentation": 1, "RescaleIntercept": 0, "PixelPaddingValue": tag}
        assert "no air" in told(ct_file(HU, **tags))


def test_the_reason_says_what_to_look_for():
    assert "inverted" in told(WRONG["inverted"])
    assert "intercept may be missing" in told(WRONG["intercept missing"])
    assert "soft tissue" in told(WRONG["intercept applied twice"])
    assert "one window" in told(WRONG["an eight bit lung window"])


def test_what_a_damaged_codestream_decodes_to_is_not_taken_for_padding():
    """Values that swing far below air were set to air, and the rest passed for a body."""
    rng = np.random.default_rng(1)
    hu = np.where(rng.random(HU.shape) < 0.2, rng.integers(-5000, -1300, HU.shape), HU).astype(np.int16)
    assert "damaged" in told(ct_file(hu, signed=True, intercept=0))


def wandering(rows):
    """The thorax with `rows` of its rows moved off, as prediction from a wrong value moves them."""
    moved = HU.astype(np.int32)
    for place in range(rows):
        moved[20 + 2 * place] += 700
    return moved.astype(np.int16)


def test_rows_that_do_not_follow_one_another_are_damage():
    with pytest.raises(Excluded, match="damaged"):
        require_rows_that_follow(wandering(4))  # each row moved makes two steps
    require_rows_that_follow(wandering(2))


def test_rows_are_looked_at_where_the_coding_hides_damage():
    """Nothing but JPEG goes on with other values after a wrong byte."""
    assert (read(ct_file(wandering(4))) == wandering(4)).all()


def test_the_edges_of_a_cut_image_and_of_a_flat_couch_are_no_damage():
    hu = HU.copy()
    hu[:6] = -1000
    hu[-14:] = -1000
    hu[-10:-8] = hu[-5:-3] = -100  # the shell of a couch as wide as the image
    require_rows_that_follow(hu)


def test_ground_glass_that_fills_the_field_is_no_wrong_intercept():
    """A field inside the body, its lungs filled: the most frequent value below soft tissue is no air."""
    inside = thorax(SIDE, noise=5)[0][12:52, 8:56]
    hu = np.where((inside < -500) & (np.indices(inside.shape)[0] % 4 > 0), -360, inside).astype(np.int16)
    assert ((hu > -500) & (hu < -200)).sum() > (hu < -500).sum() > 0.005 * hu.size
    assert (read(ct_file(hu)) == hu).all()


@pytest.mark.parametrize("ringing", [0, 60])
@pytest.mark.parametrize("tags", [{}, {"PixelPaddingValue": -2048}])
def test_padding_of_one_value_passes_with_what_lossy_coding_leaves_round_it(ringing, tags):
    noise = np.random.default_rng(2).integers(-ringing, ringing + 1, HU.shape)
    hu = np.where(CIRCLE, HU, -2048 + noise).astype(np.int16)
    assert (read(ct_file(hu, signed=True, intercept=0, **tags))[~CIRCLE] == -1000).all()


def test_a_range_of_tagged_padding_is_not_scattered():
    hu = np.where(CIRCLE, HU, np.random.default_rng(3).integers(-3000, -1400, HU.shape)).astype(np.int16)
    tags = {"PixelPaddingValue": -3000, "PixelPaddingRangeLimit": -1400}
    assert (read(ct_file(hu, signed=True, intercept=0, **tags))[~CIRCLE] == -1000).all()


def test_monochrome1_holds_the_same_hu():
    """PS3.3 C.11.1: the rescale comes first, the display is turned round later."""
    np.testing.assert_array_equal(read(ct_file(HU, PhotometricInterpretation="MONOCHROME1")), HU)
    turned = ct_file(HU, stored=4095 - STORED, PhotometricInterpretation="MONOCHROME1")
    assert told(turned)
    with_its_slope = ct_file(
        HU, stored=4095 - STORED, PhotometricInterpretation="MONOCHROME1", RescaleSlope=-1, RescaleIntercept=3071
    )
    np.testing.assert_array_equal(read(with_its_slope), HU)


def body(**change):
    """A slice from anywhere in a chest, on any scanner."""
    hu = thorax(SIDE, **change)[0].astype(np.int32)
    return np.clip(hu, -1024, 3071)


def zoomed(hu, margin):
    """The middle of a slice: a field of view inside the body."""
    return np.kron(hu[margin : SIDE - margin, margin : SIDE - margin], np.ones((2, 2), int))


dense = np.where(thorax(SIDE)[1] & (np.indices(HU.shape)[0] > 26), -60, HU)
contrast = np.where(ellipse(SIDE, 0.5, 0.45, 0.09, 0.1), 380, HU)
implant = np.where(ellipse(SIDE, 0.3, 0.25, 0.03, 0.03), 3071, HU)
GOOD = {
    "chest": HU,
    "noisy": body(noise=60),
    "above the lungs": body(lungs=False),
    "no couch": body(couch=False),
    "ground glass": body(lung_hu=-600),
    "half the lungs consolidated": dense,
    "contrast medium": contrast,
    "metal": implant,
    "field inside the body": zoomed(HU, 14),
    "small body in a large field": np.pad(HU[::2, ::2], 16, constant_values=-1000),
    "round field clipped at -1024": np.where(CIRCLE, HU, -1024),
    "round field padded with -2048": np.where(CIRCLE, HU, -2048),
}


@pytest.mark.parametrize("name", GOOD)
def test_slices_of_every_kind_pass(name):
    hu = np.asarray(GOOD[name], np.int16)
    np.testing.assert_array_equal(read(ct_file(hu, signed=True, intercept=0)), np.where(hu < -1024, -1000, hu))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    lung=st.integers(-920, -500), gap=st.floats(0.15, 0.25), noise=st.integers(0, 80), seed=st.integers(0, 99),
    shift=st.integers(-60, 60), lungs=st.booleans(),
)  # fmt: skip
def test_a_body_in_air_passes_whatever_its_lungs_and_its_noise(lung, gap, noise, seed, shift, lungs):
    hu, _ = thorax(SIDE, lung_hu=lung, gap=gap, noise=noise, seed=seed, lungs=lungs)
    read(ct_file(np.clip(hu + shift, -1024, 3071)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    change=st.one_of(
        st.tuples(st.floats(1.3, 30), st.just(-1024)), st.tuples(st.floats(0.02, 0.7), st.just(-1024)),
        st.tuples(st.just(1), st.integers(-8000, -1500)), st.tuples(st.just(1), st.integers(-600, 8000)),
    ),
    seed=st.integers(0, 99),
)  # fmt: skip
@example(change=(1, -1719), seed=0)  # muscle in the place of lung, bone in that of muscle, air taken for padding
def test_a_rescale_that_is_far_off_never_passes(change, seed):
    hu, _ = thorax(SIDE, noise=15, seed=seed)
    assert told(ct_file(hu, RescaleSlope=f"{change[0]:.6f}", RescaleIntercept=change[1]))
