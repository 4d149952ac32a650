"""From which alpha on the effective number weighs classes differently."""

import numpy as np
import pytest

from dsn_saal.statistics.effective_number import NEGLIGIBLE, alpha_of_ratio, weight_ratio

TABLE_2 = (1256, 2674, 980)


def test_the_ratio_is_that_of_the_weights_written_out():
    for alpha in (0.3, 0.99, 0.999, 0.9999):
        weights = [(1 - alpha) / (1 - alpha**k) for k in TABLE_2]
        assert weight_ratio(alpha, TABLE_2) == pytest.approx(max(weights) / min(weights), rel=1e-9)


def test_no_class_is_preferred_at_alpha_zero_and_the_inverse_frequency_is_the_limit():
    assert weight_ratio(0.0, TABLE_2) == 1.0
    assert weight_ratio(1 - 1e-12, TABLE_2) == pytest.approx(2674 / 980, rel=1e-6)
    assert (np.diff(weight_ratio(np.linspace(0, 0.99999, 200), TABLE_2)) >= 0).all()


def test_for_the_published_counts_nothing_is_rebalanced_below_0_995():
    """paper.md 5.3, trap 1: the weights differ by less than one per cent there."""
    assert alpha_of_ratio(1 + NEGLIGIBLE, TABLE_2) == pytest.approx(0.9953, abs=5e-5)
    assert weight_ratio(0.995, TABLE_2) < 1.01


@pytest.mark.parametrize("ratio", [1.001, 1.01, 1.5, 2.7])
def test_the_alpha_of_a_ratio_gives_the_ratio(ratio):
    assert weight_ratio(alpha_of_ratio(ratio, TABLE_2), TABLE_2) == pytest.approx(ratio, rel=1e-9)


def test_a_ratio_that_no_alpha_reaches_has_none():
    assert alpha_of_ratio(2.8, TABLE_2) is None
    assert alpha_of_ratio(1 + NEGLIGIBLE, (50, 50)) is None
