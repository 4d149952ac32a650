"""Morphology and regions, against scipy and scikit-image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.morphology import convex_hull_image, disk

from dsn_saal.preprocess.morphology import closed, closed_then_opened, dilated, eroded, opened
from dsn_saal.preprocess.regions import area_of, filled, hulls, largest, outlines, pixel_count

MASKS = hnp.arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 40)), elements=st.booleans())
RADII = st.integers(0, 5)
EVERYWHERE = np.ones((3, 3))


def binary(mask):
    return mask.astype(np.uint8) * np.uint8(255)


def roomy(operation, mask, *radii):
    """A scipy operation on an unbounded plane."""
    room = 2 * sum(radii) + 1
    plane = np.pad(mask, room)
    for step, radius in zip(operation, radii, strict=True):
        plane = step(plane, disk(radius)) if radius else plane
    return plane[room:-room, room:-room]


@settings(max_examples=80, deadline=None)
@given(mask=MASKS, margin=st.integers(0, 12), radius=RADII, second=RADII)
def test_morphology_equals_scipy_on_an_unbounded_plane(mask, margin, radius, second):
    mask = np.pad(mask, margin)
    cases = {
        "dilated": (dilated(binary(mask), radius), [ndimage.binary_dilation]),
        "eroded": (eroded(binary(mask), radius), [ndimage.binary_erosion]),
        "closed": (closed(binary(mask), radius), [ndimage.binary_closing]),
        "opened": (opened(binary(mask), radius), [ndimage.binary_opening]),
    }
    for name, (ours, theirs) in cases.items():
        np.testing.assert_array_equal(ours > 0, roomy(theirs, mask, radius), err_msg=name)
        assert set(np.unique(ours)) <= {0, 255}
    both = closed_then_opened(binary(mask), radius, second)
    oracle = roomy([ndimage.binary_closing, ndimage.binary_opening], mask, radius, second)
    np.testing.assert_array_equal(both > 0, oracle)


def test_morphology_of_a_full_size_slice_equals_opencv():
    noise = np.random.default_rng(3).random((512, 512), np.float32)
    mask = binary(cv2.GaussianBlur(noise, (0, 0), 4) > 0.5)
    mask[:20] = mask[-20:] = mask[:, :20] = mask[:, -20:] = 0
    element = disk(7)
    np.testing.assert_array_equal(closed(mask, 7), cv2.morphologyEx(mask, cv2.MORPH_CLOSE, element))


@settings(max_examples=80, deadline=None)
@given(mask=MASKS)
def test_outlines_and_counts_equal_labelled_regions_with_their_holes_filled(mask):
    # OpenCV's outer outlines are those of 8-connected regions; what lies in a hole belongs to the region round it.
    whole = ndimage.binary_fill_holes(mask, ndimage.generate_binary_structure(2, 1))
    labelled = label(whole, connectivity=2)
    ours = sorted(pixel_count(region) for region in outlines(binary(mask)))
    assert ours == sorted(region.area for region in regionprops(labelled))
    np.testing.assert_array_equal(filled(mask.shape, outlines(binary(mask))) > 0, whole)
    for region in outlines(binary(mask)):
        inside, area = area_of(region)
        assert np.count_nonzero(area) == pixel_count(region)
        assert (filled(mask.shape, [region])[inside] == area).all()


def test_largest_counts_pixels_and_breaks_ties_by_place():
    mask = np.zeros((40, 60), np.uint8)
    mask[2:6, 2:32] = 255  # 120 pixels, long outline
    mask[10:21, 2:13] = 255  # 121 pixels, short outline
    mask[30:34, 2:32] = 255  # 120 again
    first, second, third = largest(outlines(mask), 3)
    assert [pixel_count(region) for region in (first, second, third)] == [121, 120, 120]
    assert (int(second[0, 0, 1]), int(third[0, 0, 1])) == (2, 30)
    assert [pixel_count(region) for region in largest(outlines(mask), 3, fewest_px=121)] == [121]


@pytest.mark.parametrize("seed", range(5))
def test_hulls_equal_scikit_image(seed):
    noise = np.random.default_rng(seed).random((96, 96), np.float32)
    mask = binary(cv2.GaussianBlur(noise, (0, 0), 6) > 0.51)
    regions = largest(outlines(mask), 2)
    separate = np.zeros(mask.shape, bool)
    for region in regions:
        separate |= convex_hull_image(filled(mask.shape, [region]) > 0, offset_coordinates=False)
    joint = convex_hull_image(filled(mask.shape, regions) > 0, offset_coordinates=False)
    for ours, theirs in (
        (hulls(mask.shape, regions, joint=False) > 0, separate),
        (hulls(mask.shape, regions, joint=True) > 0, joint),
    ):
        # Rasterisation of the same polygon differs by the pixels of its rim.
        assert not (ours & ~ndimage.binary_dilation(theirs, EVERYWHERE)).any()
        assert not (theirs & ~ndimage.binary_dilation(ours, EVERYWHERE)).any()


def test_no_regions_no_hull():
    assert not hulls((8, 8), [], joint=True).any() and not hulls((8, 8), [], joint=False).any()
