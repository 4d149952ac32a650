"""Shares of maps inside masks, by hand."""

import numpy as np
import pytest

from dsn_saal.probe.energy import cell_shares, energy_shares


def mask(rows):
    return np.array([[list(map(int, row)) for row in rows]], dtype=bool)


HALF = mask(["1100", "1100", "1000", "0000"])


def test_a_cell_counts_by_the_part_of_it_that_is_covered():
    assert cell_shares(HALF, 2).tolist() == [[[1.0, 0.0], [0.25, 0.0]]]
    assert energy_shares(np.array([[[2.0, 1.0], [4.0, 1.0]]]), HALF).tolist() == [(2 + 1) / 8]


def test_an_even_map_has_the_masks_own_share_and_one_within_it_has_all():
    assert energy_shares(np.ones((1, 4, 4)), HALF)[0] == HALF.mean()
    assert energy_shares(HALF.astype(float), HALF)[0] == 1.0
    assert energy_shares(1.0 - HALF, HALF)[0] == 0.0


def test_a_map_without_energy_has_no_share():
    assert np.isnan(energy_shares(np.zeros((1, 2, 2)), HALF)[0])


def test_a_grid_that_does_not_divide_the_picture_is_refused():
    with pytest.raises(ValueError, match="divide"):
        cell_shares(HALF, 3)
