"""Answers for the training part: of the training slices only, the validation part named as training drew it."""

import numpy as np
import pytest
import torch

from dsn_saal.cli import main
from dsn_saal.data import carve
from dsn_saal.data.inference import predict_logits
from dsn_saal.data.resident import ResidentImages
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.evaluate.fitted import predict_training_part, validation_generator
from dsn_saal.evaluate.predict import softmax
from dsn_saal.models import build_network, read_weights, write_weights
from dsn_saal.params.jobs import network_arguments, predict_job
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.listing import write_listing
from dsn_saal.storage.tables import read_table
from dsn_saal.train.recipe import derived_generator

CLASSES = ("covid19", "normal", "bacterial_pneumonia")


@pytest.fixture
def stage(cohort, small_settings, tmp_path):
    """A cohort, a job, and the folder of three runs, with `record` added to what each wrote down."""

    def make(record=None, failed=()):
        fake = cohort(cases=(6, 6, 6))
        job, folder = predict_job(small_settings(), "dsn_saal"), tmp_path / "train"
        for run in range(job.runs):
            place = folder / f"run-{run:02d}"
            if run in failed:
                write_json(place / "failed.json", fake.record(run) | {"epoch": 1, "step": 1, "term": "ce"})
                continue
            network = build_network(**network_arguments(job), generator=torch.Generator().manual_seed(run))
            write_weights(place / "weights.safetensors", network)
            write_json(place / "run.json", fake.record(run) | (record or {}))
        write_listing(folder)
        return fake, job, folder

    return make


def predict(fake, job, folder, out):
    return predict_training_part(job, images=fake.images, split=fake.split, weights=folder, out=out)


def test_every_run_answers_for_its_training_slices_in_order(stage, tmp_path):
    fake, job, folder = stage()
    assert predict(fake, job, folder, tmp_path / "out") == 3
    for run in range(3):
        table = read_table(tmp_path / "out" / f"run-{run:02d}" / "train_predictions.parquet")
        assert table["row"].tolist() == fake.index["row"][fake.parts == "train"].tolist()
        assert set(table["part"]) == {"train"} and set(table["origin"]) == {"phantom"}
    network = build_network(**network_arguments(job)).eval()
    read_weights(folder / "run-02" / "weights.safetensors", network)
    pixels = np.load(fake.images / "images.npy")[table["row"]]
    resident = ResidentImages(pixels, device=torch.device("cpu"), normalise=job.network.normalise)
    expected = softmax(predict_logits(network, resident, batch_size=job.batch_size)[-1])
    np.testing.assert_allclose(table[[f"p_{name}" for name in CLASSES]].to_numpy(), expected, atol=1e-12)


def test_a_run_that_diverged_has_no_rows(stage, tmp_path):
    fake, job, folder = stage(failed=(1,))
    assert predict(fake, job, folder, tmp_path / "out") == 2
    table = read_table(tmp_path / "out" / "run-01" / "train_predictions.parquet")
    assert table.empty and "p_covid19" in table.columns and "part" in table.columns


def test_the_validation_stream_is_trainings_own():
    for seed in (0, 7):
        ours, theirs = validation_generator(seed), derived_generator(seed, "validation")
        assert torch.equal(torch.randperm(50, generator=ours), torch.randperm(50, generator=theirs))


def held_out(fake, seed, share):
    training = fake.index[fake.parts == "train"]
    generator = derived_generator(seed, "validation")
    carved = carve(training["label"].tolist(), tuple(training["case"]), CLASSES, share=share, generator=generator)
    return training.iloc[carved.validation.numpy()]


def test_the_validation_part_is_drawn_again_and_must_count_the_same(stage, cohort, tmp_path):
    part = held_out(cohort("other", cases=(6, 6, 6)), 0, 0.3)
    counts = {name: int((part["label"] == label).sum()) for label, name in enumerate(CLASSES)}
    settings = {"classes": list(CLASSES), "labels": "as_given", "train": {"validation_share": 0.3}}
    record = {"seed": 0, "settings": settings, "validation": {"counts": counts}}
    fake, job, folder = stage(record)
    predict(fake, job, folder, tmp_path / "out")
    table = read_table(tmp_path / "out" / "run-00" / "train_predictions.parquet")
    assert table.loc[table["part"] == "validation", "row"].tolist() == part["row"].tolist()
    assert set(table["part"]) == {"train", "validation"}
    fake_counts = {**counts, "covid19": counts["covid19"] + 1}
    for run in range(3):
        write_json(
            folder / f"run-{run:02d}" / "run.json", fake.record(run) | record | {"validation": {"counts": fake_counts}}
        )
    write_listing(folder)
    with pytest.raises(CheckFailed, match="cannot be drawn again"):
        predict(fake, job, folder, tmp_path / "out")


def test_the_command_says_how_many_answered(stage, tmp_path, capsys):
    fake, job, folder = stage(failed=(0,))
    call = ["predict", "--experiment", "dsn_saal", "--images", fake.images, "--split", fake.split, "--weights", folder]
    assert main([str(word) for word in [*call, "--out", tmp_path / "out", "--settings", job.to_json()]]) == 0
    assert "2 of 3 runs answered" in capsys.readouterr().out
