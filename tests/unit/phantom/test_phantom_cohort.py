"""Who is in the cohort, before any pixel: exact counts, balance, nothing but the class depends on the class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.datasets import PhantomClass
from dsn_saal.params.image_jobs import phantom_job
from dsn_saal.params.reading import resolve
from dsn_saal.phantom.cohort import PREFIXES, choose_levels, plan_cohort, seed_of_set, share_slices
from dsn_saal.phantom.scanner import MODELS

ROOT = Path(__file__).parents[3]


def job_at(scale):
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["scale"] = scale
    return phantom_job(resolve(raw), "covid19_diag")


def plans_at(scale, **change):
    job = job_at(scale)
    block = {"seed": job.seed, "mild_share": job.mild_share, "folders": job.folders, "drawn_as": job.drawn_as}
    return plan_cohort(**{**block, **job.cohort.model_dump(), **change})


@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_every_class_gets_exactly_its_cases_and_slices(scale):
    wanted, plans = job_at(scale).cohort, plans_at(scale)
    low, high = wanted.slices_per_case
    for name in wanted.cases:
        counts = [plan.n_slices for plan in plans if plan.class_name == name]
        assert len(counts) == wanted.cases[name]
        assert sum(counts) == wanted.slices[name]
        assert low <= min(counts) < max(counts) <= high


def test_paper_scale_is_table_2():
    plans = plans_at("paper")
    cases, slices = Counter(), Counter()
    for plan in plans:
        cases[plan.class_name] += 1
        slices[plan.class_name] += plan.n_slices
    assert cases == {"covid19": 61, "normal": 95, "bacterial_pneumonia": 69}
    assert slices == {"covid19": 1769, "normal": 3824, "bacterial_pneumonia": 1389}


@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_every_class_has_as_many_cases_of_each_maker(scale):
    for name in job_at(scale).cohort.cases:
        makers = Counter(plan.maker for plan in plans_at(scale) if plan.class_name == name)
        assert set(makers) == set(MODELS)
        assert max(makers.values()) - min(makers.values()) <= 1


def small(**change):
    counts = {"covid19": 12, "normal": 8, "bacterial_pneumonia": 10}
    slices = {name: 5 * count for name, count in counts.items()}
    return plans_at("demo", **{"cases": counts, "slices": slices, **change})


def test_mild_cases_are_a_share_of_the_diseased_only():
    mild = Counter(plan.class_name for plan in small(mild_share=0.25) if plan.mild)
    assert mild == {"covid19": 3, "bacterial_pneumonia": 3}  # floor(share * cases + 0.5)


def test_a_case_does_not_depend_on_the_rest_of_the_cohort():
    def numbers(plans):
        return [plan.generator(0).integers(1 << 40) for plan in plans if plan.class_name == "normal"]

    fewer = small(cases={"normal": 8}, slices={"normal": 40})
    assert numbers(fewer) == numbers(small())
    assert numbers(small(seed=1)) != numbers(small())
    assert len(set(numbers(fewer))) == 8


@pytest.mark.parametrize(
    ("total", "cases", "limits"), [(10, 5, (2, 2)), (11, 5, (2, 7)), (35, 5, (2, 7)), (1, 1, (1, 9))]
)
def test_slices_are_shared_out_within_limits(total, cases, limits):
    shares = share_slices(total, cases, limits, np.random.default_rng(0))
    assert sum(shares) == total and limits[0] <= min(shares) and max(shares) <= limits[1]


@pytest.mark.parametrize("total", [9, 36])
def test_slices_that_do_not_fit_are_refused(total):
    with pytest.raises(BadRequest, match="do not fit"):
        share_slices(total, 5, (2, 7), np.random.default_rng(0))


@pytest.mark.parametrize(("n", "levels"), [(1, 40), (2, 47), (12, 44), (44, 44), (53, 54)])
def test_levels_are_distinct_and_spread_over_the_lungs(n, levels):
    for seed in range(20):
        chosen = choose_levels(n, levels, np.random.default_rng(seed))
        gaps = np.diff(chosen)
        assert len(chosen) == n and chosen[0] >= 0 and chosen[-1] < levels
        assert n == 1 or ((gaps >= 1).all() and gaps.max() - gaps.min() <= 1)
        assert chosen[0] <= levels / n and chosen[-1] >= levels - levels / n - 1


def test_a_class_that_cannot_be_drawn_is_refused_by_name():
    with pytest.raises(BadRequest, match="tuberculosis") as caught:
        plans_at("demo", cases={"tuberculosis": 1}, slices={"tuberculosis": 2}, folders={"tuberculosis": "tb"})
    assert "covid19" in caught.value.text()


def test_params_and_room_know_the_same_classes():
    assert set(get_args(PhantomClass)) == set(PREFIXES)


def test_an_unknown_class_stops_at_the_params_already():
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["datasets"]["covid19_diag"]["classes"]["normal"]["phantom"] = ["tuberculosis"]
    with pytest.raises(BadRequest, match="tuberculosis"):
        resolve(raw)


def test_a_class_may_be_drawn_as_several_phantoms_in_turn():
    plans = plans_at(
        "demo",
        cases={"ill": 3, "other": 5},
        slices={"ill": 9, "other": 15},
        folders={"ill": "A", "other": "B"},
        drawn_as={"ill": ("covid19",), "other": ("normal", "covid19")},
    )
    assert [plan.class_name for plan in plans if plan.folder == "B"] == ["normal", "covid19"] * 2 + ["normal"]
    assert sum(plan.n_slices for plan in plans if plan.folder == "B") == 15
    assert len({(plan.class_name, plan.number) for plan in plans}) == 8  # no phantom twice
    assert not any(plan.mild for plan in plans if plan.class_name == "normal")


def test_sets_have_seeds_of_their_own_and_plain_series_keep_the_common_one():
    assert seed_of_set(2021, "dicom") == 2021
    seeds = {seed_of_set(seed, reader) for seed in (1, 2) for reader in ("dicom", "covid_ct", "sars_cov_2")}
    assert len(seeds) == 6
