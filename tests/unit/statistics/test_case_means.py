"""Means over slices, intervals over cases, and rank correlations, against independent ways."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from dsn_saal.statistics.case_means import mean_over_cases, rank_correlations


def test_the_interval_is_that_of_cases_drawn_one_by_one():
    """A loop that draws cases with Python's own lists, with many draws on both sides."""
    generator = np.random.default_rng(4)
    cases = generator.integers(0, 9, 60)
    values = generator.normal(size=60) + 0.5 * cases
    mean, interval = mean_over_cases(values, cases, level=0.9, draws=20_000, seed=1)
    loop = []
    for _ in range(4000):
        drawn = generator.choice(np.unique(cases), size=len(np.unique(cases)))
        loop.append(np.concatenate([values[cases == case] for case in drawn]).mean())
    assert mean == pytest.approx(values.mean())
    np.testing.assert_allclose(interval, np.quantile(loop, [0.05, 0.95]), atol=0.08)


def test_slices_of_one_case_do_not_make_the_interval_narrow():
    values, cases = np.repeat([0.0, 1.0, 0.0, 1.0], 50), np.repeat(np.arange(4), 50)
    by_case = mean_over_cases(values, cases, level=0.95, draws=2000, seed=0)[1]
    by_slice = mean_over_cases(values, np.arange(200), level=0.95, draws=2000, seed=0)[1]
    assert by_case == (0.0, 1.0) and by_slice[1] - by_slice[0] < 0.2


def test_what_is_undefined_is_left_out():
    nan = float("nan")
    assert mean_over_cases(np.array([nan, nan]), np.array([0, 1]), level=0.9, draws=100, seed=0) == (None, None)
    assert mean_over_cases(np.array([0.25, nan]), np.array([0, 1]), level=0.9, draws=100, seed=0) == (0.25, None)


def test_rank_correlations_are_scipys_with_ties_and_without():
    generator = np.random.default_rng(0)
    first = np.maximum(generator.normal(size=(20, 16)), 0)  # many ties at zero, as maps have
    second = np.maximum(first + generator.normal(size=(20, 16)), 0)
    expected = [spearmanr(one, other).statistic for one, other in zip(first, second, strict=True)]
    np.testing.assert_allclose(rank_correlations(first, second), expected, atol=1e-12)
    np.testing.assert_allclose(rank_correlations(first, first), 1)
    assert np.isnan(rank_correlations(np.zeros((1, 4)), np.ones((1, 4)))[0])
