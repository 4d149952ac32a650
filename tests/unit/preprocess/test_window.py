"""The window, against exact rational arithmetic over every HU there is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsn_saal.preprocess.window import apply_window

EVERY_HU = np.arange(-32768, 32768, dtype=np.int16)
PAPER = {"level_hu": -400, "width_hu": 1500, "formula": "exact", "rounding": "trunc"}


def rational(hu, *, level_hu, width_hu, formula, rounding):
    if formula == "exact":
        share = (hu - (level_hu - Fraction(width_hu, 2))) / width_hu
    else:
        share = (hu - (level_hu - Fraction(1, 2))) / (width_hu - 1) + Fraction(1, 2)
    grey = min(max(share, 0), 1) * 255
    return int(grey + Fraction(1, 2)) if rounding == "round" else int(grey)


@pytest.mark.parametrize("formula", ["exact", "dicom_linear"])
@pytest.mark.parametrize("rounding", ["trunc", "round"])
def test_the_papers_window_is_exact_for_every_hu(formula, rounding):
    window = PAPER | {"formula": formula, "rounding": rounding}
    grey = apply_window(EVERY_HU, **window)
    assert grey.dtype == np.uint8
    inside = range(-1160, 361)
    assert grey[EVERY_HU < -1160].max() == 0 and grey[EVERY_HU > 360].min() == 255
    assert [int(grey[hu + 32768]) for hu in inside] == [rational(hu, **window) for hu in inside]


def test_the_papers_window_is_the_naive_one_truncated():
    naive = np.clip((EVERY_HU.astype(np.float64) + 1150) / 1500 * 255, 0, 255)
    # Where the product is a whole number, float64 may fall just short of it; the rational formula does not.
    whole = (EVERY_HU.astype(np.int64) + 1150) * 255 % 1500 == 0
    np.testing.assert_array_equal(apply_window(EVERY_HU, **PAPER)[~whole], naive.astype(np.uint8)[~whole])
    np.testing.assert_array_equal(apply_window(EVERY_HU, **PAPER)[whole], np.rint(naive).astype(np.uint8)[whole])


def test_170_is_minus_150_hu_exactly():
    assert apply_window(np.array([-151, -150, -1150, 350], np.int16), **PAPER).tolist() == [169, 170, 0, 255]


@settings(max_examples=60, deadline=None)
@given(
    level_hu=st.integers(-2000, 2000),
    width_hu=st.integers(2, 8000),
    formula=st.sampled_from(["exact", "dicom_linear"]),
    rounding=st.sampled_from(["trunc", "round"]),
    hu=st.lists(st.integers(-32768, 32767), min_size=1, max_size=30),
)
def test_any_window_is_exact(level_hu, width_hu, formula, rounding, hu):
    window = {"level_hu": level_hu, "width_hu": width_hu, "formula": formula, "rounding": rounding}
    grey = apply_window(np.array(hu, np.int16), **window)
    assert grey.tolist() == [rational(value, **window) for value in hu]


def test_the_input_is_not_changed():
    hu = EVERY_HU.copy()
    apply_window(hu, **PAPER)
    np.testing.assert_array_equal(hu, EVERY_HU)


@pytest.mark.parametrize("change", [{"formula": "sigmoid"}, {"rounding": "up"}])
def test_an_unknown_word_is_an_error(change):
    with pytest.raises(ValueError, match="unknown"):
        apply_window(EVERY_HU, **(PAPER | change))
