"""Where slices lie: known stacks, built with numpy, against what the room says of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsn_saal.ingest.dicom.geometry import series_geometry, tilt_deg

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def tilted(degrees):
    """Row and column direction of a gantry tilted about the patient's left-right axis."""
    angle = math.radians(degrees)
    return (1.0, 0.0, 0.0, 0.0, math.cos(angle), math.sin(angle))


def stack(z, *, cosines=UPRIGHT, numbers=None, along=None):
    """Geometry of slices at distances `z` along `along` (the normal unless given)."""
    direction = np.cross(cosines[:3], cosines[3:]) if along is None else np.asarray(along, float)
    positions = [tuple(-100.0 + direction * place) for place in z]
    return series_geometry(
        positions, [cosines] * len(z), [None if rank is None else (rank, 0) for rank in numbers or range(len(z))]
    )


def test_an_even_stack():
    lies = stack([0, 5, 10, 15])
    assert (lies.spacing_mm, lies.gaps, lies.overlaps, lies.uneven, lies.turned) == (5.0, 0, 0, False, False)
    assert (lies.tilt_deg, lies.shear_deg, lies.order) == (0.0, 0.0, "ascending")


@given(
    spacing=st.floats(0.5, 10),
    count=st.integers(8, 40),
    tilt=st.floats(-40, 40),
    start=st.floats(-500, 500),
    data=st.data(),
)
def test_missing_slices_are_gaps_wherever_the_stack_lies(spacing, count, tilt, start, data):
    # Fewer than half of the distances are touched, so the median stays.
    missing = data.draw(st.sets(st.integers(1, count - 2), max_size=(count - 2) // 4))
    z = [start + spacing * at for at in range(count) if at not in missing]
    runs = sum(1 for at in missing if at - 1 not in missing)
    lies = stack(z, cosines=tilted(tilt))
    assert lies.gaps == runs
    assert lies.spacing_mm == pytest.approx(spacing, abs=1e-3)
    assert lies.tilt_deg == pytest.approx(abs(tilt), abs=1e-3)
    assert (lies.overlaps, lies.uneven, lies.shear_deg, lies.order) == (0, False, 0.0, "ascending")


@given(st.permutations(list(range(6))))
def test_the_order_of_the_files_does_not_matter(order):
    positions = [(0.0, 0.0, 3.0 * place) for place in (0, 1, 2, 4, 5, 5)]
    numbers = [(place, 0) for place in (9, 8, 7, 6, 5, 4)]
    lies = series_geometry([positions[at] for at in order], [UPRIGHT] * 6, [numbers[at] for at in order])
    assert (lies.spacing_mm, lies.gaps, lies.overlaps, lies.order) == (3.0, 1, 1, "descending")


def test_two_spacings_in_one_series():
    assert stack([0, 5, 10, 15, 21, 27]).uneven
    assert not stack([0, 5.01, 10, 15.02, 20]).uneven, "headers are written with few digits"


def test_one_place_says_nothing_of_spacing_and_order():
    lies = stack([3, 3, 3])
    assert math.isnan(lies.spacing_mm)
    assert (lies.overlaps, lies.gaps, lies.order, lies.shear_deg) == (2, 0, "", 0.0)


def test_a_tilted_gantry_leaves_the_stack_leaning():
    """The table moves along the patient, the slices stand askew: the corner of each is shifted against the normal."""
    lies = stack([0, 5, 10], cosines=tilted(20), along=(0, 0, 1))
    assert lies.tilt_deg == lies.shear_deg == 20.0
    assert lies.spacing_mm == pytest.approx(5 * math.cos(math.radians(20)), abs=1e-3)


def test_slices_of_two_orientations():
    positions = [(0.0, 0.0, 0.0), (0.0, 0.0, 5.0)]
    lies = series_geometry(positions, [UPRIGHT, tilted(15)], [(1, 0), (2, 0)])
    assert lies.turned
    assert not series_geometry(positions, [UPRIGHT, tilted(0.01)], [(1, 0), (2, 0)]).turned


@pytest.mark.parametrize(
    ("numbers", "order"),
    [
        ([1, 2, 3, 4], "ascending"),
        ([40, 30, 20, 10], "descending"),
        ([1, 3, 2, 4], "shuffled"),
        ([1, 1, 1, 1], "shuffled"),
        ([1, None, 3, 4], "missing"),
    ],
)
def test_numbers_against_places(numbers, order):
    assert stack([0, 5, 10, 15], numbers=numbers).order == order


def test_two_slices_in_one_place_may_have_any_numbers():
    assert stack([0, 5, 5, 10], numbers=[1, 3, 2, 4]).order == "ascending"


def test_frames_of_one_file_are_ordered_by_their_number():
    lies = series_geometry([(0.0, 0.0, 0.0), (0.0, 0.0, 1.0)], [UPRIGHT] * 2, [(1, 0), (1, 1)])
    assert lies.order == "ascending"


@pytest.mark.parametrize(("cosines", "degrees"), [(UPRIGHT, 0), ((-1, 0, 0, 0, 1, 0), 0), (tilted(-12.5), 12.5)])
def test_tilt_counts_from_the_long_axis_whichever_way_the_columns_run(cosines, degrees):
    assert tilt_deg(cosines) == degrees
