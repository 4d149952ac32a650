"""ROC curves and areas against scikit-learn and against counting pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from dsn_saal.statistics.ranking import auc, macro_roc, roc_curve, roc_on_grid

mixed = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40).filter(
    lambda rows: len({flag for flag, _ in rows}) == 2
)


def columns(rows):
    return np.array([flag for flag, _ in rows]), np.array([score / 6 for _, score in rows])


@given(mixed)
@settings(max_examples=80, deadline=None)
def test_area_counts_pairs_and_halves_ties(rows):
    positive, scores = columns(rows)
    above = scores[positive][:, None] - scores[~positive][None, :]
    assert auc(positive, scores) == pytest.approx(((above > 0) + 0.5 * (above == 0)).mean(), abs=1e-12)


@given(mixed)
@settings(max_examples=80, deadline=None)
def test_curve_has_scikit_learns_corners_and_the_area_under_it(rows):
    positive, scores = columns(rows)
    false_rate, true_rate = roc_curve(positive, scores)
    expected_false, expected_true, _ = sk.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose(false_rate, expected_false)
    np.testing.assert_allclose(true_rate, expected_true)
    assert np.trapezoid(true_rate, false_rate) == pytest.approx(auc(positive, scores), abs=1e-12)


def test_an_empty_group_has_no_area_and_no_curve():
    assert np.isnan(auc(np.array([True, True]), np.array([0.1, 0.2])))
    assert np.isnan(roc_on_grid(np.array([False, False]), np.array([0.1, 0.2]), np.array([0.0, 1.0]))).all()


def test_grid_takes_the_upper_end_of_a_vertical_rise():
    positive, scores = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.6])
    grid = np.array([0.0, 0.25, 0.5, 1.0])
    np.testing.assert_allclose(roc_on_grid(positive, scores, grid), [0.5, 0.5, 1.0, 1.0])


def test_macro_curve_is_the_mean_of_the_classes():
    labels = np.array([0, 1, 2, 0, 1, 2])
    probabilities = np.random.default_rng(3).dirichlet(np.ones(3), 6)
    grid = np.linspace(0, 1, 11)
    by_class = [roc_on_grid(labels == c, probabilities[:, c], grid) for c in range(3)]
    np.testing.assert_allclose(macro_roc(labels, probabilities, grid), sum(by_class) / 3)
