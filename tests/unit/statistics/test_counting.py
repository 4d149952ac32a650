"""Arithmetic of printed counts and rates."""

import pytest

from dsn_saal.statistics.counting import agreeing_rules, decimals_of, implied_reference, is_telling, whole_behind


def test_lost_zeros_come_back_from_the_other_numbers_of_a_row():
    assert decimals_of([0.92, 0.873, 0.004]) == 3
    assert decimals_of([100.0, 97.3]) == 1
    assert decimals_of([43, 67.0]) == 0 and decimals_of([]) == 0


def test_the_split_by_case_was_rounded_half_up():
    assert agreeing_rules(0.7, [(61, 43), (95, 67), (69, 48)]) == ("floor(x + 0.5)",)


def test_thirteen_slices_were_not_cut_off():
    assert agreeing_rules(0.01, [(1256, 13)]) == ("floor(x + 0.5)", "round half to even", "ceil")


@pytest.mark.parametrize(("total", "decimals"), [(28, 2), (67, 3), (203, 3), (496, 4)])
def test_a_rate_is_possible_exactly_where_a_count_prints_as_it(total, decimals):
    printed = {f"{count / total:.{decimals}f}" for count in range(total + 1)}
    for step in range(10**decimals + 1):
        rate = step / 10**decimals
        found = whole_behind(rate, total, decimals)
        if f"{rate:.{decimals}f}" in printed:
            assert found
        elif found:  # a half may be printed up or down
            assert all(abs(abs(count / total - rate) - 0.5 * 10.0**-decimals) < 1e-8 for count in found)


def test_only_coarse_counts_tell_anything():
    assert is_telling(67, 3) and not is_telling(2072, 3)


def test_a_gain_has_two_readings():
    assert implied_reference(0.920, 0.053, is_relative=False) == pytest.approx(0.867)
    assert implied_reference(0.920, 0.053, is_relative=True) == pytest.approx(0.920 / 1.053)
