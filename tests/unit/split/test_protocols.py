"""Lists, folds, subsamples: what each promises, on made and on random cohorts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.split.make import draws_of, slice_names, split_table
from dsn_saal.split.subsample import kept_count
from dsn_saal.split.table import draw_of, part_counts, parts_of, shared_test

CLASSES = ("covid19", "normal")
CASES = {"kind": "cases", "rule": "per_class", "train_share": 0.7, "seed": 7, "draws": 1, "train_slices": None}
THIN = {"kind": "subsample", "base": "case_wise", "of": "covid19", "unit": "slice", "seed": 0, "draws": 5}
FOLDS = {"kind": "folds", "folds": 5, "unit": "image", "block_size": 4, "seed": 3}


def index_of(cases=20, slices=6, seed=0):
    """A cohort: cases of alternating class; numbers run on within a class."""
    rng = np.random.default_rng(seed)
    rows = [(f"c{case:02d}", case % 2) for case in range(cases) for _ in range(int(rng.integers(1, slices + 1)))]
    table = pd.DataFrame(rows, columns=["case", "label"])
    table["number"] = table.groupby("label").cumcount() + 1
    names = [f"{label}/{number}.png" for label, number in zip(table["label"], table["number"], strict=True)]
    return table.assign(
        row=np.arange(len(table)), path=names, frame=0, file_sha256=names, pixel_sha256=names, official="",
        train_3000=False,
    )  # fmt: skip


def draws(index, protocol, base=None):
    return draws_of(index, protocol, base, CLASSES)


class TestCases:
    def test_a_draw_is_the_split_of_its_seed(self):
        index = index_of()
        several = draws(index, CASES | {"draws": 3})
        for number, parts in enumerate(several):
            assert (parts == draws(index, CASES | {"seed": 7 + number})[0]).all()
        assert (several[0] != several[1]).any()

    @settings(max_examples=25, derandomize=True, deadline=None)
    @given(st.integers(0, 10_000), st.integers(6, 30), st.sampled_from(["per_class", "unstratified"]))
    def test_no_case_is_in_two_parts(self, seed, cases, rule):
        index = index_of(cases=2 * cases, seed=seed)
        try:
            found = draws(index, CASES | {"seed": seed, "draws": 2, "rule": rule})
        except CheckFailed as error:  # a draw without regard to class may leave a part without one, and says so
            assert rule == "unstratified" and "would have no case" in str(error)
            return
        for parts in found:
            assert index.assign(part=parts).groupby("case")["part"].nunique().max() == 1
            assert set(parts) == {"train", "test"}

    def test_a_slice_without_label_is_unused(self):
        index = index_of()
        index.loc[3, "label"] = -1
        assert draws(index, CASES)[0][3] == "unused"


class TestOfficial:
    LISTS = ("train", "train", "train", "validation", "test", "")

    def parts(self, **change):
        table = index_of(cases=6, slices=1).assign(
            official=self.LISTS, train_3000=[True, False, True, False, False, False]
        )
        protocol = {"kind": "official", "train_list": "train", "join_validation": False} | change
        return draws(table, protocol)[0].tolist()

    def test_lists_are_followed(self):
        assert self.parts() == [*self.LISTS[:5], "unused"]
        assert self.parts(train_list="train_3000") == ["train", "unused", "train", "validation", "test", "unused"]
        assert self.parts(join_validation=True) == ["train"] * 4 + ["test", "unused"]

    def test_a_set_without_lists_is_refused(self):
        with pytest.raises(CheckFailed, match="name no image for training"):
            draws(index_of(), {"kind": "official", "train_list": "train", "join_validation": False})


class TestFolds:
    @settings(max_examples=25, derandomize=True, deadline=None)
    @given(st.integers(0, 10_000), st.sampled_from(["image", "block", "case"]))
    def test_every_image_is_tested_once_and_units_stay_whole(self, seed, unit):
        index = index_of(cases=24, seed=seed)
        index.loc[index["row"].isin([2, 9]), "pixel_sha256"] = "twin"
        index.loc[index["row"].isin([9, 14]), "file_sha256"] = "copy"
        folds = draws(index, FOLDS | {"unit": unit, "seed": seed})
        assert len(folds) == 5
        assert (sum((parts == "test").astype(int) for parts in folds) == 1).all()
        fold_of = np.argmax([parts == "test" for parts in folds], axis=0)
        assert len({fold_of[2], fold_of[9], fold_of[14]}) == 1, "what is identical stays together, also in a chain"
        keys = {"image": index["row"], "block": index["number"] // 4 + 1000 * index["label"], "case": index["case"]}[
            unit
        ]
        assert pd.Series(fold_of).groupby(keys.to_numpy()).nunique().max() == 1

    def test_folds_by_image_are_even_in_each_class(self):
        index = index_of(cases=40)
        for parts in draws(index, FOLDS):
            tested = index[parts == "test"].groupby("label").size()
            assert (abs(tested - index.groupby("label").size() / 5) < 1).all()

    def test_the_order_of_the_rows_changes_nothing(self):
        index = index_of()
        moved = index.sample(frac=1, random_state=1)
        for one, other in zip(draws(index, FOLDS), draws(moved, FOLDS), strict=True):
            assert dict(zip(index["path"], one, strict=True)) == dict(zip(moved["path"], other, strict=True))

    @pytest.mark.parametrize(
        ("change", "message"),
        [({"unit": "block", "block_size": 500}, "fewer units"), ({"folds": 99}, "fewer units")],
    )
    def test_too_few_units_are_refused(self, change, message):
        with pytest.raises(CheckFailed, match=message):
            draws(index_of(), FOLDS | change)

    def test_a_set_without_numbers_or_cases_is_refused(self):
        with pytest.raises(CheckFailed, match="does not number"):
            draws(index_of().assign(number=-1), FOLDS | {"unit": "block"})
        with pytest.raises(CheckFailed, match="does not name the case"):
            draws(index_of().assign(case=""), FOLDS | {"unit": "case"})


class TestSubsample:
    def test_table_6_keeps_what_the_paper_prints(self):
        assert [kept_count(1256, share) for share in (1, 0.25, 0.1, 0.05, 0.01)] == [1256, 314, 126, 63, 13]
        assert kept_count(5, 0.01) == 1

    @settings(max_examples=20, derandomize=True, deadline=None)
    @given(st.integers(0, 10_000), st.sampled_from(["slice", "case"]))
    def test_smaller_shares_lie_inside_and_nothing_else_moves(self, seed, unit):
        index = index_of(cases=30, seed=seed)
        whole = draws(index, CASES)[0]
        inner = None
        for share in (0.01, 0.05, 0.1, 0.25, 1.0):
            thin = draws(index, THIN | {"share": share, "unit": unit, "seed": seed}, CASES)
            assert len(thin) == 5
            kept = [set(np.flatnonzero((parts == "train") & (index["label"] == 0))) for parts in thin]
            for number, parts in enumerate(thin):
                others = (index["label"] != 0) | (whole == "test")
                assert (parts[others] == whole[others]).all()
                assert set(parts[~others]) <= {"train", "unused"} and kept[number]
                if inner is not None:
                    assert inner[number] <= kept[number]
            inner = kept
        assert all(kept == set(np.flatnonzero((whole == "train") & (index["label"] == 0))) for kept in inner)

    def test_cases_stay_whole_when_cases_are_drawn(self):
        index = index_of(cases=30)
        for parts in draws(index, THIN | {"share": 0.25, "unit": "case"}, CASES):
            covid = index.assign(part=parts)[(index["label"] == 0).to_numpy() & (parts != "test")]
            assert covid.groupby("case")["part"].nunique().max() == 1
            assert covid[covid["part"] == "train"]["case"].nunique() == kept_count(covid["case"].nunique(), 0.25)

    def test_draws_differ(self):
        thin = draws(index_of(cases=30), THIN | {"share": 0.25}, CASES)
        assert len({tuple(parts) for parts in thin}) == 5


def test_the_table_holds_every_slice_once_a_draw_and_counts_it():
    index = index_of(cases=30)
    table = split_table(index, draws(index, THIN | {"share": 0.25}, CASES))
    assert list(table.columns) == ["row", "case", "label", "draw", "part"]
    assert (table.groupby("draw")["row"].nunique() == len(index)).all()
    assert shared_test(table) and [draw_of(table, run) for run in (0, 4, 5, 12)] == [0, 4, 0, 2]
    counts = part_counts(table, CLASSES, draw=1)
    parts = parts_of(table, 1)
    assert list(counts) == ["train", "test", "unused"]
    for part in counts:
        for label, name in enumerate(CLASSES):
            rows = parts[(parts["part"] == part) & (parts["label"] == label)]
            assert counts[part][name] == {"cases": rows["case"].nunique(), "slices": len(rows)}
    assert not shared_test(split_table(index, draws(index, FOLDS)))


def test_frames_of_one_file_have_names_of_their_own():
    index = pd.DataFrame({"path": ["a", "a", "b"], "frame": [0, 1, 0]})
    assert slice_names(index) == ["a frame 0", "a frame 1", "b"]
