"""Networks on other data sets: harmonised labels, own and foreign test parts, numbers as scikit-learn gives them."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import make_runs, network_of
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from dsn_saal.data.resident import NORMALISATIONS
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.models import read_weights
from dsn_saal.params.probe_jobs import cross_job, cross_splits
from dsn_saal.probe.cross import probe_cross
from dsn_saal.storage.tables import write_table


class Sets:
    """One cohort that stands for every data set: binary sets call everything but the first class negative."""

    def __init__(self, root, cohort, settings, **runs):
        self.root, self.cohort, self.job = root, cohort, cross_job(settings, "vgg16_bn_ce")
        self.images, self.splits = {}, {}
        for name, test in self.job.tests.items():
            folder = root / name
            folder.mkdir()
            index = cohort.index
            if name != self.job.own:
                positive = test.classes.index(test.positive)
                others = [label for label in range(len(test.classes)) if label != positive]
                labels = np.where(index["label"] == 0, positive, np.where(index["label"] == 1, others[0], others[-1]))
                index = index.assign(label=labels.astype(np.int8))
            np.save(folder / "images.npy", np.load(cohort.images / "images.npy"))
            write_table(folder / "index.parquet", index)
            write_table(folder / "split.parquet", index[["row", "case", "label"]].assign(draw=0, part=cohort.parts))
            self.images[name], self.splits[name] = folder, folder / "split.parquet"
        self.images[self.job.own], self.splits[self.job.own] = cohort.images, cohort.split
        self.weights = make_runs(root / "train", self.job.experiment, cohort, **runs)

    def run(self):
        out = self.root / "cross.json"
        probe_cross(self.job, images=self.images, splits=self.splits, weights=self.weights, out=out)
        return json.loads(out.read_text())

    def probabilities(self, run, rows):
        network = network_of(self.job.experiment)
        read_weights(self.weights / f"run-{run:02d}" / "weights.safetensors", network)
        factor, offset = NORMALISATIONS[self.job.experiment.network.normalise]
        pixels = torch.tensor(np.load(self.cohort.images / "images.npy")[rows]).float().unsqueeze(1)
        return network(pixels * factor + offset)[-1].double().softmax(dim=1).detach().numpy()


@pytest.fixture
def sets(tmp_path, cohort, small_settings):
    return lambda **runs: Sets(tmp_path, cohort(cases=(8, 8, 8), test_cases=5), small_settings(), **runs)


def test_the_numbers_are_scikit_learns_and_the_same_pictures_give_the_same_under_any_labels(sets):
    made = sets()
    report = made.run()
    rows = made.cohort.index.loc[made.cohort.parts == "test", "row"].to_numpy()
    positive = made.cohort.index["label"].to_numpy()[rows] == 0
    for run in range(3):
        probabilities = made.probabilities(run, rows)
        named = probabilities.argmax(axis=1) == 0
        for name, cell in report["tests"].items():
            metrics = cell["metrics"]
            area, balanced = roc_auc_score(positive, probabilities[:, 0]), balanced_accuracy_score(positive, named)
            assert metrics["auc"]["values"][run] == pytest.approx(area, abs=1e-6), name
            assert metrics["balanced_accuracy"]["values"][run] == pytest.approx(balanced), name
    areas = report["tests"]["covid_ct"]["metrics"]["auc"]
    assert areas["mean"] == pytest.approx(np.mean(areas["values"]))
    assert areas["sd"] == pytest.approx(np.std(areas["values"], ddof=1))
    assert report["tests"][made.job.own]["own"] and not report["tests"]["covid_ct"]["own"]
    assert {cell["positives"] for cell in report["tests"].values()} == {int(positive.sum())}


def fold(split, parts):
    table = pd.read_parquet(split)
    draws = [table.assign(draw=draw, part=part) for draw, part in enumerate(parts)]
    write_table(split, pd.concat(draws, ignore_index=True))


def test_of_folds_a_foreign_network_meets_every_slice_that_some_fold_tests(sets):
    made = sets()
    even = made.cohort.index["row"].to_numpy() % 2 == 0
    fold(made.splits["sars_cov_2"], [np.where(even, "test", "train"), np.where(even, "train", "test")])
    assert made.run()["tests"]["sars_cov_2"]["slices"] == len(made.cohort.index)


def test_on_its_own_folds_each_run_meets_the_test_part_of_its_draw(sets):
    made = sets(draws=(0, 1, 0))
    even = made.cohort.index["row"].to_numpy() % 2 == 0
    fold(made.cohort.split, [np.where(even, "test", "train"), np.where(even, "train", "test")])
    make_runs(made.weights, made.job.experiment, made.cohort, draws=(0, 1, 0))  # of the new split
    cell = made.run()["tests"][made.job.own]["metrics"]
    index = made.cohort.index
    for run, rows in enumerate((index["row"][even], index["row"][~even], index["row"][even])):
        positive = index["label"].to_numpy()[rows] == 0
        area = roc_auc_score(positive, made.probabilities(run, rows)[:, 0])
        assert cell["auc"]["values"][run] == pytest.approx(area, abs=1e-6)
    assert cell["balanced_accuracy_interval"] is None


def test_slices_of_unknown_cases_are_cases_of_their_own_and_few_cases_give_no_interval(sets):
    made = sets()
    for path in (made.splits["covid_ct"], made.images["covid_ct"] / "index.parquet"):
        write_table(path, pd.read_parquet(path).assign(case=""))
    tests = made.run()["tests"]
    assert tests["covid_ct"]["cases"] == tests["covid_ct"]["slices"] > tests["covid_ct_md"]["cases"] == 15
    low, high = tests["covid_ct_md"]["metrics"]["balanced_accuracy_interval"]
    assert low <= tests["covid_ct_md"]["metrics"]["balanced_accuracy"]["mean"] <= high
    index, table = made.cohort.index, pd.read_parquet(made.splits["covid_ct_md"])
    few = index["case"].isin(index.loc[index["label"] == 0, "case"].unique()[:4])
    part = np.where(few | (index["label"] != 0), "test", "train")
    write_table(made.splits["covid_ct_md"], table.assign(part=part))
    assert made.run()["tests"]["covid_ct_md"]["metrics"]["balanced_accuracy_interval"] is None


@pytest.mark.parametrize(("runs", "because"), [({"failed": (0, 1, 2)}, "diverged"), ({"kept": ()}, "no weights")])
def test_without_weights_there_is_a_reason(sets, runs, because):
    report = sets(**runs).run()
    assert because in report["missing_because"] and all(cell["metrics"] is None for cell in report["tests"].values())


def test_runs_without_weights_are_left_out(sets):
    report = sets(kept=(1,)).run()
    assert report["runs"] == [1] and report["tests"]["covid_ct"]["metrics"]["auc"]["sd"] is None


def test_a_missing_data_set_and_a_foreign_split_are_refused(sets):
    made = sets()
    table = pd.read_parquet(made.splits["covid_ct"])
    write_table(made.splits["covid_ct"], table.assign(case=table["case"].to_numpy()[::-1]))
    with pytest.raises(CheckFailed, match="do not belong together"):
        made.run()
    made.images.pop("covid_ct")
    with pytest.raises(BadRequest, match="missing: covid_ct\n  where: --images"):
        made.run()


def test_at_home_an_experiment_is_tested_by_its_own_split(small_settings):
    settings = small_settings(probe__cross=["vgg16_bn_ce_covid_10"])
    assert cross_splits(settings, "vgg16_bn_ce_covid_10")["covid19_diag"] == "covid_10"
    assert cross_splits(settings, "vgg16_bn_ce") == settings.probe.cross_tests
