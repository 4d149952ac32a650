"""The meta set: balanced, of whole cases, disjoint from what is learnt from, and drawn by the generator alone."""

import pytest
import torch

from dsn_saal.data import carve_meta_set
from dsn_saal.domain.errors import CheckFailed

CLASSES = ("covid19", "normal", "bacterial_pneumonia")
LABELS = [label for label in range(3) for _ in range(24)]
CASES = [f"case{at // 4}" for at in range(72)]  # six cases of four slices a class


def carve(labels=LABELS, cases=CASES, *, per_class=6, cases_per_class=2, seed=0):
    return carve_meta_set(
        labels,
        cases,
        CLASSES,
        per_class=per_class,
        cases_per_class=cases_per_class,
        generator=torch.Generator().manual_seed(seed),
    )


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("per_class, cases_per_class, taken", [(1, 1, 1), (6, 2, 2), (4, 3, 3), (9, 1, 3), (20, 2, 5)])
def test_it_is_balanced_and_no_case_of_it_is_learnt_from(per_class, cases_per_class, taken, seed):
    carved = carve(per_class=per_class, cases_per_class=cases_per_class, seed=seed)
    meta, train = carved.meta.tolist(), carved.train.tolist()
    assert torch.bincount(torch.tensor(LABELS)[carved.meta]).tolist() == [per_class] * 3
    assert not {CASES[at] for at in meta} & {CASES[at] for at in train}
    assert len({CASES[at] for at in meta}) == 3 * min(taken, per_class)
    assert len(train) == 72 - 3 * 4 * taken  # whole cases leave, and nothing else
    assert meta == sorted(set(meta)) and train == sorted(set(train)) and carved.unit == "case"


def test_slices_are_dealt_out_evenly_over_the_cases():
    meta = carve(per_class=7, cases_per_class=3).meta.tolist()
    for label in range(3):
        of = [CASES[at] for at in meta if LABELS[at] == label]
        assert sorted(of.count(case) for case in set(of)) == [2, 2, 3]


def test_the_draw_follows_the_generator_and_nothing_else():
    before = torch.get_rng_state()
    drawn = [carve(seed=seed).meta.tolist() for seed in (3, 3, 4)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_case_with_slices_of_two_classes_leaves_as_a_whole():
    labels = [0, 1] * 6 + [0, 1, 2, 2]
    cases = [f"mixed{at // 2}" for at in range(12)] + ["a", "b", "c", "d"]
    for seed in range(20):
        carved = carve(labels, cases, per_class=1, cases_per_class=1, seed=seed)
        meta, train = carved.meta.tolist(), carved.train.tolist()
        assert sorted(labels[at] for at in meta) == [0, 1, 2]
        assert not {cases[at] for at in meta} & {cases[at] for at in train}


def test_where_cases_are_unknown_slices_are_taken_and_it_says_so():
    carved = carve(cases=[""] * 72, per_class=6, cases_per_class=2)
    assert carved.unit == "slice" and len(carved.meta) == 18 and len(carved.train) == 72 - 18
    assert not set(carved.meta.tolist()) & set(carved.train.tolist())


@pytest.mark.parametrize("change", [{"per_class": 21}, {"per_class": 25}, {"per_class": 1, "cases_per_class": 6}])
def test_too_few_cases_are_refused_with_what_to_do(change):
    with pytest.raises(CheckFailed, match="covid19 has too few") as caught:
        carve(**change)
    assert "per_class" in caught.value.text() and "protocol with more cases" in caught.value.text()
