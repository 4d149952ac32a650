"""Mean and sd over runs, Wilson's interval and the bootstrap over cases."""

import math

import numpy as np
import pytest
from scipy import stats

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.intervals import bootstrap_intervals, case_confusions, draw_cases, wilson
from dsn_saal.statistics.runs import interval_of_mean, mean_and_sd


@pytest.mark.parametrize("ddof", [0, 1])
def test_mean_and_sd_agree_with_numpy(ddof):
    values = [0.91, 0.92, 0.925, 0.918]
    mean, sd = mean_and_sd(values, ddof)
    assert mean == pytest.approx(np.mean(values), rel=1e-14)
    assert sd == pytest.approx(np.std(values, ddof=ddof), rel=1e-12)


def test_one_run_has_a_mean_and_no_sd():
    assert mean_and_sd([0.5], 0) == (0.5, None) and mean_and_sd([0.5], 1) == (0.5, None)


def test_an_undefined_run_leaves_both_missing():
    assert mean_and_sd([0.5, math.nan, 0.7], 1) == (None, None)
    assert mean_and_sd([], 1) == (None, None)


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (5, 5), (61, 67), (1, 30)])
def test_wilson_agrees_with_scipy(successes, n):
    expected = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson(successes, n, 0.95) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_the_papers_accuracy_on_its_test_cases():
    low, high = wilson(0.92 * 67, 67, 0.95)
    assert (round(low, 2), round(high, 2)) == (0.83, 0.96)


def test_wilson_refuses_what_is_no_proportion():
    with pytest.raises(BadRequest):
        wilson(3, 2, 0.95)


def test_every_draw_holds_as_many_cases_of_each_class_as_there_are():
    strata = np.array([0, 0, 0, 1, 1, 2])
    times = draw_cases(strata, 200, seed=1)
    for stratum, size in ((0, 3), (1, 2), (2, 1)):
        assert (times[:, strata == stratum].sum(axis=1) == size).all()
    assert (times[:, 5] == 1).all() and len(np.unique(times, axis=0)) > 10
    np.testing.assert_array_equal(times, draw_cases(strata, 200, seed=1))


def interval(confusions, strata, **change):
    options = {"positive": 0, "level": 0.95, "draws": 2000, "seed": 0} | change
    return bootstrap_intervals(confusions, strata, **options)


def test_interval_of_independent_cases_is_the_binomial_one():
    strata = np.repeat([0, 1], 50)
    right = np.tile(np.r_[np.ones(40), np.zeros(10)], 2).astype(bool)
    confusions = np.zeros((1, 100, 2, 2))
    confusions[0, np.arange(100), strata, np.where(right, strata, 1 - strata)] = 1
    low, high = interval(confusions, strata, draws=4000)["accuracy.overall"]
    half = 1.96 * math.sqrt(0.8 * 0.2 / 100)
    assert low == pytest.approx(0.8 - half, abs=0.015) and high == pytest.approx(0.8 + half, abs=0.015)


def test_slices_of_one_case_do_not_narrow_the_interval():
    strata = np.repeat([0, 1], 20)
    right = np.tile(np.r_[np.ones(15), np.zeros(5)], 2).astype(bool)
    one = np.zeros((1, 40, 2, 2))
    one[0, np.arange(40), strata, np.where(right, strata, 1 - strata)] = 1
    assert interval(one, strata)["accuracy.overall"] == interval(30 * one, strata)["accuracy.overall"]


def test_a_metric_undefined_in_a_draw_has_no_interval():
    confusions = np.zeros((1, 4, 2, 2))
    confusions[0, :, [0, 0, 1, 1], [1, 1, 1, 1]] = 1  # class 0 is never predicted: its precision is undefined
    intervals = interval(confusions, np.array([0, 0, 1, 1]), draws=100)
    assert intervals["precision.macro"] is None and intervals["accuracy.overall"] == (0.5, 0.5)


def test_case_confusions_add_up_to_the_whole():
    labels, predicted = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    by_case = case_confusions(labels, predicted, np.array([0, 0, 1, 1, 2]), 2)
    np.testing.assert_array_equal(by_case.sum(axis=0), [[1, 1], [1, 2]])
    np.testing.assert_array_equal(by_case[2], [[0, 0], [1, 0]])


def test_the_interval_of_a_mean_is_scipys():
    values = [0.456, 0.372, 0.462, 0.31]
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert interval_of_mean(values, 0.95) == pytest.approx((expected.low, expected.high), rel=1e-12)


@pytest.mark.parametrize("values", [[], [0.5], [0.5, float("nan")]])
def test_no_interval_without_two_defined_runs(values):
    assert interval_of_mean(values, 0.95) is None
