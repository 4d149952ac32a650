"""Weights and test slices in, predictions and metrics out; what does not belong together is refused."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from dsn_saal.data.inference import predict_logits
from dsn_saal.data.resident import ResidentImages
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.evaluate.experiment import evaluate_experiment
from dsn_saal.evaluate.predict import softmax
from dsn_saal.models import build_network, read_weights, write_weights
from dsn_saal.params.jobs import evaluate_job
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.listing import sha256_of, write_listing
from dsn_saal.storage.tables import write_table


def empty_network(job):
    side = job.model.deep_supervision
    return build_network(
        job.model.backbone, n_classes=3, image_size=job.image_size, width=job.network.width, conv1=job.network.conv1,
        dropout=job.network.dropout, side=side.model_dump() if side else None,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


def train_nothing(folder, job, cohort, runs):
    """The folder that training leaves, with weights that were never trained."""
    network = empty_network(job)
    for run in range(runs):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.01 * run)
        write_weights(folder / f"run-{run:02d}" / "weights.safetensors", network)
        write_json(folder / f"run-{run:02d}" / "run.json", cohort.record(run) | {"run": run})
    write_listing(folder)


class Stage:
    def __init__(self, root, cohort, settings, runs=3):
        self.cohort, self.job = cohort, evaluate_job(settings, "dsn_saal")
        self.weights, self.out = root / "train", root / "out"
        train_nothing(self.weights, self.job, cohort, runs)

    def run(self, **job):
        evaluate_experiment(
            self.job.model_copy(update=job),
            images=self.cohort.images, split=self.cohort.split, weights=self.weights, out=self.out,
        )  # fmt: skip
        return json.loads((self.out / "summary.json").read_text())

    def digests(self):
        return {
            path.relative_to(self.out).as_posix(): sha256_of(path) for path in self.out.rglob("*") if path.is_file()
        }


@pytest.fixture
def stage(tmp_path, cohort, small_settings):
    return Stage(tmp_path, cohort(), small_settings())


def test_predictions_are_the_networks_softmax_on_the_test_part(stage):
    summary = stage.run()
    table = pd.read_parquet(stage.out / "run-01" / "predictions.parquet")
    test = stage.cohort.index[stage.cohort.parts == "test"]
    assert list(table.columns[:4]) == ["row", "case", "label", "origin"]
    assert table["row"].tolist() == test["row"].tolist() and table["label"].tolist() == test["label"].tolist()
    network = empty_network(stage.job)
    read_weights(stage.weights / "run-01" / "weights.safetensors", network)
    pixels = np.load(stage.cohort.images / "images.npy")[test["row"]]
    images = ResidentImages(pixels, device=torch.device("cpu"), normalise=stage.job.network.normalise)
    expected = softmax(predict_logits(network.eval(), images, batch_size=64)[-1])
    np.testing.assert_allclose(table.iloc[:, 4:].to_numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(table.iloc[:, 4:].sum(axis=1), 1, atol=1e-12)
    assert summary["n_slices"] == len(test) and summary["n_cases"] == test["case"].nunique()


def test_an_evaluation_names_the_training_it_belongs_to(stage):
    summary = stage.run()
    metrics = json.loads((stage.out / "run-02" / "metrics.json").read_text())
    assert metrics["training"]["weights_sha256"] == sha256_of(stage.weights / "run-02" / "weights.safetensors")
    assert metrics["training"]["record"]["identity"] == stage.cohort.record(2)["identity"]
    assert "settings" not in metrics["training"]["record"]
    assert metrics["predictions_sha256"] == sha256_of(stage.out / "run-02" / "predictions.parquet")
    assert [entry["run"] for entry in summary["training"]] == [0, 1, 2]


def test_twice_the_same_bytes(stage):
    stage.run()
    first = stage.digests()
    stage.run()
    assert stage.digests() == first and len(first) == 7


def test_runs_that_params_no_longer_name_disappear(tmp_path, cohort, small_settings):
    stage = Stage(tmp_path, cohort(), small_settings())
    stage.run()
    (stage.out / "run-07").mkdir()
    (stage.out / "run-07" / "metrics.json").write_text("{}")
    (stage.out / "notes.txt").write_text("stray")
    stage.run()
    assert sorted(path.name for path in stage.out.iterdir()) == ["run-00", "run-01", "run-02", "summary.json"]


def test_what_surrounds_the_lungs_is_predicted_where_the_job_says_so(stage):
    """The same pixels under the other name give the same numbers; others under it are refused as foreign."""
    here = stage.run()
    with pytest.raises(BadRequest, match="there are no images"):
        stage.run(pixels="surroundings")
    folder = stage.cohort.images
    np.save(folder / "surroundings.npy", np.load(folder / "images.npy"))
    (folder / "images.npy").unlink()
    assert stage.run(pixels="surroundings")["metrics"] == here["metrics"]
    np.save(folder / "surroundings.npy", 255 - np.load(folder / "surroundings.npy"))
    with pytest.raises(CheckFailed, match="images_sha256 differs"):
        stage.run(pixels="surroundings")


def test_mean_softmax_gives_other_predictions(stage):
    final, mean = (
        stage.run(),
        stage.run(evaluate=stage.job.evaluate.model_copy(update={"predict_from": "mean_softmax"})),
    )
    assert mean["predict_from"] == "mean_softmax"
    assert final["metrics"]["auc.ovr_macro"] != mean["metrics"]["auc.ovr_macro"]


@pytest.mark.parametrize("harm", ["altered", "missing", "unlisted"])
def test_a_run_that_its_listing_does_not_vouch_for_is_refused(stage, harm):
    weights = stage.weights / "run-01" / "weights.safetensors"
    if harm == "altered":
        weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    elif harm == "missing":
        weights.unlink()
    else:
        listing = stage.weights / "SHA256SUMS"
        listing.write_text("".join(line for line in listing.read_text().splitlines(True) if "run-01/w" not in line))
    with pytest.raises(CheckFailed, match=r"run-01/weights\.safetensors (was|is)"):
        stage.run()
    assert not stage.out.exists()


def test_too_few_and_too_many_runs_are_refused(stage):
    with pytest.raises(CheckFailed, match="run-03"):
        stage.run(runs=4)
    with pytest.raises(CheckFailed, match="beyond the 2") as caught:
        stage.run(runs=2)
    assert "run-02" in caught.value.text()


def test_no_training_at_all_is_a_bad_request(stage):
    (stage.weights / "SHA256SUMS").unlink()
    with pytest.raises(BadRequest, match="no trained runs"):
        stage.run()


def test_a_split_of_other_slices_is_refused(stage):
    moved = pd.read_parquet(stage.cohort.split)
    moved["case"] = moved["case"].to_numpy()[::-1]
    write_table(stage.cohort.split, moved)
    with pytest.raises(CheckFailed, match="do not belong together"):
        stage.run()


def test_a_split_without_test_slices_is_refused(stage):
    write_table(stage.cohort.split, pd.read_parquet(stage.cohort.split).assign(part="train"))
    with pytest.raises(CheckFailed, match="no test slice"):
        stage.run()


def test_images_of_another_size_are_refused(stage):
    with pytest.raises(CheckFailed, match="size that the params say"):
        stage.run(image_size=64)


def test_weights_of_another_network_are_refused(stage, small_settings):
    plain = evaluate_job(small_settings(), "vgg16_bn_ce")
    with pytest.raises(CheckFailed):
        stage.run(model=plain.model)


def test_a_run_trained_on_another_split_is_refused(stage):
    """Its training cases would be test cases here."""
    swapped = pd.read_parquet(stage.cohort.split)
    swapped["part"] = swapped["part"].map({"train": "test", "test": "train"})
    write_table(stage.cohort.split, swapped)
    with pytest.raises(CheckFailed, match="split_sha256 differs"):
        stage.run()
    assert not stage.out.exists()


def test_a_run_trained_on_other_images_is_refused(stage):
    pixels = np.load(stage.cohort.images / "images.npy")
    pixels[0, 0, 0] ^= 1
    np.save(stage.cohort.images / "images.npy", pixels)
    with pytest.raises(CheckFailed, match="images_sha256 differs"):
        stage.run()
