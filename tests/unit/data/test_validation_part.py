"""A validation part: whole cases of every class, or single slices where cases are unknown."""

import pytest
import torch

from dsn_saal.data import carve
from dsn_saal.domain.errors import CheckFailed

CLASSES = ("a", "b")
LABELS = [0] * 20 + [1] * 9
CASES = [f"case {at // 2}" for at in range(20)] + [f"other {at // 3}" for at in range(9)]


def carved(seed=0, share=0.3, labels=LABELS, cases=CASES):
    generator = torch.Generator().manual_seed(seed)
    return carve(labels, cases, CLASSES, share=share, generator=generator)


def test_no_case_is_on_both_sides_and_every_class_gives_its_share():
    part = carved()
    train, held = part.train.tolist(), part.validation.tolist()
    assert sorted(train + held) == list(range(29)) and train == sorted(train) and held == sorted(held)
    assert {CASES[at] for at in train} & {CASES[at] for at in held} == set()
    of_class = [{CASES[at] for at in held if LABELS[at] == label} for label in (0, 1)]
    assert [len(cases) for cases in of_class] == [3, 1]  # of ten and of three
    assert part.unit == "case"


def test_the_draw_follows_the_generator():
    drawn = {tuple(carved(seed).validation.tolist()) for seed in range(8)}
    assert len(drawn) > 1 and torch.equal(carved(3).validation, carved(3).validation)


def test_at_least_one_case_of_a_class_is_held_out():
    assert {LABELS[at] for at in carved(share=0.01).validation.tolist()} == {0, 1}


def test_slices_of_unknown_cases_are_held_out_one_by_one_and_it_is_said():
    part = carved(cases=[""] * 29)
    assert part.unit == "slice" and len(part.validation) == 6 + 3
    some = carved(cases=[*CASES[:20], *[""] * 9])
    assert some.unit == "slice" and len(some.validation) == 2 * 3 + 3


def test_a_case_with_slices_of_two_classes_stays_whole_and_counts_as_what_most_of_them_are():
    labels = [0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    cases = ["p"] * 3 + ["q"] * 3 + ["r"] * 3 + ["s"] * 3
    for seed in range(6):
        part = carved(seed, 0.5, labels, cases)
        held = {cases[at] for at in part.validation.tolist()}
        assert len(held & {"p", "q"}) == 1 and len(held & {"r", "s"}) == 1
        assert len(part.validation) == 6


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_a_class_with_one_case_cannot_spare_it(share):
    with pytest.raises(CheckFailed, match="class b has too few training cases") as caught:
        carved(share=share, labels=[0, 0, 1, 1], cases=["p", "q", "r", "r"])
    assert "train.validation_share" in caught.value.text() and "1 cases" in caught.value.text()


def test_a_share_that_would_take_every_case_is_refused():
    with pytest.raises(CheckFailed, match="too few"):
        carved(share=0.99)
