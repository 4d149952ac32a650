"""Paired tests against scipy, a slow loop, or a known answer."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.paired import corrected_t, holm, probability_of_improvement, sign_flip, two_sided_share

GAINS = [0.03, -0.01, 0.02, 0.05, 0.004]


def test_the_exact_test_is_scipys_permutation_of_signs():
    def mean(values, axis):
        return np.mean(values, axis=axis)

    expected = stats.permutation_test(
        (np.array(GAINS),),
        mean,
        permutation_type="samples",
        n_resamples=np.inf,
        alternative="two-sided",
        vectorized=True,
    )
    found = sign_flip(GAINS)
    assert found.exact and found.p == pytest.approx(expected.pvalue, abs=1e-12)


@pytest.mark.parametrize(("n", "smallest"), [(1, 1.0), (2, 0.5), (3, 0.25), (10, 2 / 1024)])
def test_the_smallest_p_of_so_many_runs(n, smallest):
    found = sign_flip([0.01 * (1 + place) for place in range(n)])
    assert found.p == found.smallest == smallest


def test_equal_differences_in_floating_point_are_ties():
    # 0.1 + 0.2 - 0.3 is not 0 in binary: a test by ">=" alone would miss assignments that are equal on paper
    values = [0.1, 0.2, 0.3]
    slow = [
        abs(sum(s * v for s, v in zip(signs, (1, 2, 3), strict=True))) for signs in itertools.product((1, -1), repeat=3)
    ]
    assert sign_flip([0.1, 0.2, -0.3]).p == 1.0
    assert sign_flip(values).p == sum(value >= 6 for value in slow) / 8


def test_the_monte_carlo_test_comes_near_the_exact_one_and_repeats_itself():
    values = np.random.default_rng(0).normal(0.3, 1, 12)
    exact = sign_flip(values)
    drawn = sign_flip(values, exact_up_to=5, draws=40_000, seed=1)
    assert not drawn.exact and drawn.p == pytest.approx(exact.p, abs=0.01)
    assert drawn == sign_flip(values, exact_up_to=5, draws=40_000, seed=1)
    assert drawn.smallest == 1 / 40_001


@pytest.mark.parametrize("values", [[], [0.1, math.nan]])
def test_undefined_differences_have_no_p(values):
    assert sign_flip(values).p is None and corrected_t(values, test_share=0.4, level=0.95).mean is None


def test_no_difference_at_all_has_p_one():
    assert sign_flip([0.0, 0.0, 0.0]).p == 1.0


def test_the_corrected_t_without_test_part_is_students():
    expected = stats.ttest_1samp(GAINS, 0)
    found = corrected_t(GAINS, test_share=0, level=0.95)
    assert (found.t, found.p) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    ends = expected.confidence_interval(0.95)
    assert found.interval == pytest.approx((ends.low, ends.high))


def test_the_corrected_t_is_the_formula_of_scikit_learns_example():
    # scikit-learn, "Statistical comparison of models using grid search": corrected_std and compute_corrected_ttest
    n_train, n_test, values = 70, 30, np.array(GAINS)
    corrected_std = np.sqrt(np.var(values, ddof=1) * (1 / len(values) + n_test / n_train))
    t = values.mean() / corrected_std
    found = corrected_t(GAINS, test_share=n_test / n_train, level=0.95)
    assert found.t == pytest.approx(t) and found.p == pytest.approx(2 * stats.t.sf(abs(t), len(values) - 1))
    plain = corrected_t(GAINS, test_share=0, level=0.95)
    widening = (found.interval[1] - found.interval[0]) / (plain.interval[1] - plain.interval[0])
    assert widening == pytest.approx(math.sqrt(1 + len(values) * n_test / n_train))


def test_a_constant_difference_has_a_mean_and_no_test():
    found = corrected_t([0.1, 0.1, 0.1], test_share=0.4, level=0.95)
    assert found.mean == pytest.approx(0.1) and found.t is None and found.p is None
    with pytest.raises(BadRequest):
        corrected_t(GAINS, test_share=-1, level=0.95)


def slow_holm(p_values):
    """Adjusted p of a test: the smallest level at which Holm's own procedure rejects it, by bisection."""

    def rejected(level):
        out, order = set(), sorted(range(len(p_values)), key=lambda place: p_values[place])
        for rank, place in enumerate(order):
            if p_values[place] > level / (len(p_values) - rank):
                break
            out.add(place)
        return out

    adjusted = []
    for place in range(len(p_values)):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if place in rejected(middle) else (middle, high)
        adjusted.append(high)
    return adjusted


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_the_level_at_which_its_procedure_rejects(seed):
    p_values = list(np.random.default_rng(seed).uniform(0, 0.3, 6))
    assert holm(p_values) == pytest.approx(slow_holm(p_values), abs=1e-9)


def test_holms_known_example_and_tests_without_p():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, None, 0.2]) == [pytest.approx(0.03), None, pytest.approx(0.4)]
    assert holm([]) == []
    with pytest.raises(BadRequest):
        holm([1.2])


def test_the_probability_of_improvement_is_mann_whitneys():
    generator = np.random.default_rng(2)
    a, b = generator.normal(size=7).round(1), generator.normal(size=5).round(1)
    expected = stats.mannwhitneyu(a, b).statistic / (7 * 5)
    assert probability_of_improvement(a, b) == pytest.approx(expected)
    assert probability_of_improvement([], b) is None and probability_of_improvement([math.nan], b) is None
    assert probability_of_improvement([0.5, 0.5], [0.5]) == 0.5


def test_the_bootstraps_p_is_the_level_whose_interval_reaches_zero():
    draws = np.random.default_rng(1).normal(1.0, 0.8, 4000)
    p = two_sided_share(draws)
    assert np.quantile(draws, p / 2) == pytest.approx(0, abs=0.02)
    assert two_sided_share(-draws) == p and two_sided_share(np.ones(99)) == pytest.approx(0.02)
    assert two_sided_share(np.zeros(9)) == 1.0 and two_sided_share(np.array([1, np.nan])) is None
