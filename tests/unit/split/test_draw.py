import itertools
from collections import Counter

import numpy as np
import pytest

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.split.draw import _draw_with_total, draw_per_class, draw_unstratified, shuffled, train_count


@pytest.mark.parametrize(("cases", "train"), [(61, 43), (95, 67), (69, 48)])
def test_the_rule_gives_table_2(cases, train):
    assert train_count(cases, 0.7) == train


def cohort(**sizes):
    return {name: {f"{name}{i}": 10 for i in range(n)} for name, n in sizes.items()}


def test_each_class_keeps_its_share_and_no_case_is_in_both_parts():
    cases = cohort(a=61, b=95, c=69)
    training = draw_per_class(cases, train_share=0.7, seed=7, train_slices=None)
    assert {name: len(training & set(slices)) for name, slices in cases.items()} == {"a": 43, "b": 67, "c": 48}


def test_the_seed_decides_and_nothing_else():
    cases = cohort(a=20, b=20)
    draw = lambda seed: draw_per_class(cases, train_share=0.7, seed=seed, train_slices=None)  # noqa: E731
    assert draw(1) == draw(1) != draw(2)
    backwards = {name: dict(reversed(slices.items())) for name, slices in cases.items()}
    assert draw_per_class(backwards, train_share=0.7, seed=1, train_slices=None) == draw(1)


def test_a_case_that_joins_does_not_disturb_the_others():
    before = shuffled([f"case{i}" for i in range(50)], seed=3)
    after = shuffled([f"case{i}" for i in range(51)], seed=3)
    assert [case for case in after if case != "case50"] == before


def test_every_case_trains_with_the_same_chance():
    cases = {"a": {f"case{i}": 1 for i in range(10)}}
    counts = Counter(
        case for seed in range(2000) for case in draw_per_class(cases, train_share=0.7, seed=seed, train_slices=None)
    )
    # 2000 draws, chance 0.7: standard deviation 20.5
    assert all(abs(counts[case] - 1400) < 5 * 20.5 for case in cases["a"])


@pytest.mark.parametrize("sizes", [{"a": 1, "b": 5}, {"a": 0, "b": 5}])
def test_a_class_with_one_case_is_refused_by_name(sizes):
    with pytest.raises(CheckFailed, match="class a would have no case in the") as error:
        draw_per_class(cohort(**sizes), train_share=0.7, seed=0, train_slices=None)
    assert "at least two cases" in error.value.text()
    with pytest.raises(CheckFailed, match="class a"):
        draw_unstratified(cohort(**sizes), train_share=0.7, seed=0)


def test_wanted_slice_counts_are_met_exactly():
    generator = np.random.default_rng(0)
    sizes = {f"case{i}": int(n) for i, n in enumerate(generator.integers(2, 55, size=61))}
    target = sum(sorted(sizes.values())[9:52])
    training = draw_per_class({"a": sizes}, train_share=0.7, seed=5, train_slices={"a": target})
    assert len(training) == 43 and sum(sizes[case] for case in training) == target


def test_slice_counts_that_cannot_be_met_are_refused():
    with pytest.raises(CheckFailed, match=r"split\.train_slices\.a"):
        draw_per_class({"a": {"x": 4, "y": 4, "z": 4}}, train_share=0.7, seed=0, train_slices={"a": 7})


def test_the_conditioned_draw_is_uniform_over_the_possible_subsets():
    sizes = np.array([1, 2, 3, 4, 5, 6])
    possible = [c for c in itertools.combinations(range(6), 3) if sizes[list(c)].sum() == 10]
    generator = np.random.default_rng(1)
    seen = Counter(tuple(np.flatnonzero(_draw_with_total(sizes, 3, 10, generator))) for _ in range(3000))
    assert set(seen) == set(possible)
    expected = 3000 / len(possible)
    assert all(abs(n - expected) < 5 * np.sqrt(expected) for n in seen.values())
