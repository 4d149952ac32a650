"""Margins and two one-sided tests, against scipy and a simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.equivalence import agreement, noise_margin, two_one_sided

SAME = {"level": 0.95, "case_error": 0.0, "cases_ours": 67, "cases_reported": 67}


def test_without_cases_the_margin_is_welchs():
    margin = noise_margin(sd_reported=0.004, n_reported=10, sd_ours=0.009, n_ours=5, **SAME)
    first, second = np.array([-1, 1] * 5) * 0.004 * math.sqrt(0.9), np.array([-1, 1, 0, -1, 1]) * 0.009
    result = stats.ttest_ind_from_stats(0.0, first.std(ddof=1), 10, 1.0, second.std(ddof=1), 5, equal_var=False)
    interval = result.statistic
    assert margin.error == pytest.approx(1 / abs(interval))
    assert margin.value == pytest.approx(margin.error * stats.t.ppf(0.975, margin.freedom))


def test_the_cases_of_both_parts_count():
    margin = noise_margin(
        sd_reported=0.0,
        n_reported=10,
        sd_ours=0.0,
        n_ours=10,
        level=0.95,
        case_error=0.03,
        cases_ours=36,
        cases_reported=9,
    )
    assert margin.cases_reported == pytest.approx(0.06) and margin.error == pytest.approx(math.hypot(0.03, 0.06))


def test_one_run_has_no_margin():
    with pytest.raises(BadRequest, match="two runs"):
        noise_margin(sd_reported=0.004, n_reported=10, sd_ours=0.01, n_ours=1, **SAME)


def test_the_two_one_sided_tests_are_scipys():
    rng = np.random.default_rng(0)
    sample = rng.normal(0.01, 0.02, 12)
    low = stats.ttest_1samp(sample, -0.03, alternative="greater").pvalue
    high = stats.ttest_1samp(sample, 0.03, alternative="less").pvalue
    error = sample.std(ddof=1) / math.sqrt(12)
    assert two_one_sided(sample.mean(), error, 11, 0.03) == pytest.approx(max(low, high))


def test_nothing_varies_and_nothing_differs():
    assert two_one_sided(0.0, 0.0, 5, 0.01) == 0.0 and two_one_sided(0.02, 0.0, 5, 0.01) == 1.0


@pytest.mark.parametrize(
    ("difference", "sd", "bound", "said"),
    [(0.001, 0.004, 0.05, "agrees"), (0.04, 0.004, 0.05, "differs"), (0.01, 0.2, 0.05, "cannot tell")],
)
def test_agreement_needs_both_no_difference_and_power(difference, sd, bound, said):
    margin = noise_margin(sd_reported=sd, n_reported=10, sd_ours=sd, n_ours=10, **SAME)
    assert agreement(difference, margin, bound, 0.95) == said
