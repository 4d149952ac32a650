"""Runs on draws that test different slices: each is trained and measured on its own parts, folds together once each."""

import json

import numpy as np
import pandas as pd
import pytest
from tiny_experiment import CASES, CLASSES

from dsn_saal.evaluate.design import read_design
from dsn_saal.split.table import what_draws_change
from dsn_saal.train import experiment

FOLDS = 4
FAST = {"deep": False, "epochs": 1}


def split_of(draws):
    """The table of a split from the positions that each draw tests."""
    labels = np.repeat(np.arange(3), 8)
    base = pd.DataFrame({"row": np.arange(24), "case": CASES, "label": labels})
    parts = [np.where(np.isin(base["row"], list(tested)), "test", "train") for tested in draws]
    return pd.concat([base.assign(draw=n, part=part) for n, part in enumerate(parts)], ignore_index=True)


def folds(n=FOLDS):
    """Fold d tests the d-th case of each class."""
    return split_of([[row for row in range(24) if row % 8 // 2 == fold] for fold in range(n)])


@pytest.fixture
def on_folds(place):
    here = place("folds")
    here.write_split(folds())
    return here


def test_what_draws_change():
    same = split_of([[0, 8, 16]] * 2)
    assert what_draws_change(folds()) == "fold" and what_draws_change(same) == "training_part"
    assert what_draws_change(same[same["draw"] == 0]) == "nothing"
    assert what_draws_change(split_of([[0, 8, 16], [0, 9, 17]])) == "test_part"


def test_each_run_learns_and_is_measured_on_its_own_fold(on_folds):
    on_folds.train(runs=FOLDS, **FAST)
    summary = on_folds.evaluate(runs=FOLDS, **FAST)
    tested = []
    for run in range(FOLDS):
        record = json.loads((on_folds.out / f"run-0{run}/run.json").read_text())
        assert record["draw"] == run and sum(record["counts"].values()) == 18
        folder = on_folds.root / "evaluated" / f"run-0{run}"
        rows = pd.read_parquet(folder / "predictions.parquet")["row"].tolist()
        assert rows == [row for row in range(24) if row % 8 // 2 == run]
        assert json.loads((folder / "metrics.json").read_text())["n_slices"] == 6
        tested += rows
    assert sorted(tested) == list(range(24))
    assert (summary["varies"], summary["draws"], summary["n_slices"], summary["n_cases"]) == ("fold", FOLDS, 24, 12)


def test_the_mean_is_over_folds_and_the_interval_over_all_cases_together(on_folds):
    on_folds.train(runs=FOLDS, **FAST)
    summary = on_folds.evaluate(runs=FOLDS, **FAST)
    tables = [pd.read_parquet(on_folds.root / f"evaluated/run-0{run}/predictions.parquet") for run in range(FOLDS)]
    right = [
        (table[[f"p_{name}" for name in CLASSES]].to_numpy().argmax(axis=1) == table["label"]).to_numpy()
        for table in tables
    ]
    held = summary["metrics"]["accuracy.overall"]
    assert held["values"] == [pytest.approx(one.mean()) for one in right]
    assert held["mean"] == pytest.approx(np.mean([one.mean() for one in right]))
    assert held["pooled"] == pytest.approx(np.concatenate(right).mean())
    # an independent bootstrap: cases by class, each with all its slices
    every = pd.concat(tables).assign(right=np.concatenate(right))
    cases = every.groupby(["label", "case"])["right"].sum()
    generator, draws = np.random.default_rng(1), []
    for _ in range(4000):
        draws.append(sum(generator.choice(cases[label], len(cases[label])).sum() for label in range(3)) / 24)
    assert held["interval"] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.05)


def test_two_runs_on_each_fold_tell_the_seed_from_the_fold(on_folds):
    on_folds.train(runs=2 * FOLDS, **FAST)
    summary = on_folds.evaluate(runs=2 * FOLDS, **FAST)
    held = summary["metrics"]["sensitivity.macro"]
    values = np.array(held["values"]).reshape(2, FOLDS)
    within = values.var(axis=0, ddof=1).mean()
    assert held["sd_of_seeds"] == pytest.approx(np.sqrt(within))
    between = values.mean(axis=0).var(ddof=1) - within / 2
    assert held["sd_of_draws"] == pytest.approx(np.sqrt(max(0, between)))
    assert summary["n_slices"] == 24
    on_folds.train(runs=FOLDS, **FAST)  # half of them: nothing to tell apart
    assert on_folds.evaluate(runs=FOLDS, **FAST)["metrics"]["sensitivity.macro"]["sd_of_seeds"] is None


def test_repeated_splits_that_overlap_work_too(place):
    here = place("repeated")
    here.write_split(
        split_of([[row for row in range(24) if row % 8 < 4], [row for row in range(24) if row % 8 in (2, 3, 6, 7)]])
    )
    here.train(runs=4, **FAST)
    summary = here.evaluate(runs=4, **FAST)
    assert (summary["varies"], summary["draws"], summary["n_slices"]) == ("test_part", 2, 18)
    assert summary["metrics"]["accuracy.overall"]["sd_of_seeds"] is not None


def test_logits_in_place_of_weights_are_those_of_the_runs_own_fold(place):
    whole, slim = place("whole"), place("slim")
    for here in (whole, slim):
        here.write_split(folds())
    whole.train(runs=FOLDS, **FAST)
    slim.train(runs=FOLDS, keep_weights="median", **FAST)
    for here in (whole, slim):
        here.evaluate(runs=FOLDS, **FAST)
    for run in range(FOLDS):
        name = f"evaluated/run-0{run}/predictions.parquet"
        assert (whole.root / name).read_bytes() == (slim.root / name).read_bytes()


def test_a_fold_that_is_finished_is_not_trained_again(on_folds, monkeypatch):
    whole = on_folds.train(runs=FOLDS, **FAST)
    trained = []
    monkeypatch.setattr(experiment, "train_run", lambda *args: trained.append(args))
    assert on_folds.train(runs=FOLDS, **FAST) == whole and trained == []


def test_slices_without_cases_are_drawn_by_image_or_by_block(place):
    here = place("nameless")
    table = folds().assign(case="")
    here.write_split(table)
    index = table[table["draw"] == 0][["row", "case", "label"]].assign(origin="phantom", number=np.arange(24) % 8)
    index.to_parquet(here.images / "index.parquet")
    image = read_design(here.images, here.split, block=None)
    block = read_design(here.images, here.split, block=4)
    assert (image.unit, image.units.nunique()) == ("image", 24)
    assert (block.unit, block.units.nunique()) == ("block", 6)  # two blocks of four numbers in each of three classes
    table.loc[table["row"] < 8, "case"] = "known"
    here.write_split(table)
    mixed = read_design(here.images, here.split, block=None)
    assert mixed.unit == "case or, where none is known, image" and mixed.units.nunique() == 17


def test_a_class_of_a_single_case_gives_no_interval(place):
    here = place("single")
    here.train(**FAST)
    summary = here.evaluate(**FAST)  # one test case a class
    assert summary["class_cases"] == dict.fromkeys(CLASSES, 1)
    assert {metric["interval"] for metric in summary["metrics"].values()} == {None}
