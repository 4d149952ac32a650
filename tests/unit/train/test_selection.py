"""The epoch with the least validation loss is the one whose weights are written; nothing looks at the test part."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load
from tiny_experiment import CLASSES, SELECTING, settings
from torch.nn import functional

from dsn_saal.data import ResidentImages
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.models import build_network
from dsn_saal.params.jobs import TrainJob, network_arguments, parse_job
from dsn_saal.train import single
from dsn_saal.train.assemble import new_run
from dsn_saal.train.machine import prepare
from dsn_saal.train.selection import BestEpoch

CHANGE = {**SELECTING, "epochs": 4, "lr": 0.02}


@pytest.fixture
def watched(place, monkeypatch):
    """A run of four epochs, with the weights that each epoch ended with and what it was validated on."""
    ended, lessons, lesson_of = [], [], single.lesson_of
    offer = BestEpoch.offer

    def seen(self, network, **of):
        ended.append({name: value.clone() for name, value in network.state_dict().items()})
        offer(self, network, **of)

    monkeypatch.setattr(BestEpoch, "offer", seen)
    monkeypatch.setattr(single, "lesson_of", lambda *a: lessons.append(lesson_of(*a)) or lessons[-1])
    content = place().train(**CHANGE)
    rows = list(csv.DictReader(io.StringIO(content["run-00/history.csv"].decode())))
    return content, json.loads(content["run-00/run.json"]), rows, ended, lessons[0]


def test_the_weights_are_those_of_the_epoch_with_the_least_validation_loss(watched):
    content, record, rows, ended, _ = watched
    losses = [float(row["validation_loss"]) for row in rows]
    best = losses.index(min(losses))
    assert record["selected_epoch"] == best + 1 and len(ended) == 4
    written = load(content["run-00/weights.safetensors"])
    assert all(torch.equal(written[name], value) for name, value in ended[best].items())
    assert not all(torch.equal(ended[0][name], value) for name, value in ended[3].items())


def test_the_validation_loss_is_the_final_output_s_cross_entropy_on_cases_that_do_not_train(watched):
    _, record, rows, ended, lesson = watched
    job = parse_job(TrainJob, settings(**CHANGE))
    network = build_network(**network_arguments(job))
    held = lesson.validation
    for row, weights in zip(rows, ended, strict=True):
        network.load_state_dict(weights)
        with torch.no_grad():
            logits = network.eval()(held.images.batch(torch.arange(len(held.labels))))[-1]
        expected = functional.cross_entropy(logits.double(), held.labels)
        assert float(row["validation_loss"]) == pytest.approx(float(expected), rel=1e-4)
    pixels = {bytes(image.numpy().tobytes()) for image in held.images.pixels}
    assert pixels & {bytes(image.numpy().tobytes()) for image in lesson.images.pixels} == set()
    assert len(held.labels) == 6 and len(lesson.labels) == 12
    assert record["validation"] == {
        "unit": "case",
        "counts": dict.fromkeys(CLASSES, 2),
        "cases": dict.fromkeys(CLASSES, 1),
    }
    assert record["counts"] == dict.fromkeys(CLASSES, 4) and record["cases"] == dict.fromkeys(CLASSES, 2)


def test_validation_and_training_slices_are_none_of_the_test_part(place, watched):
    here, lesson = place(), watched[-1]
    images = np.load(here.images / "images.npy")
    tested = {images[row].tobytes() for row in range(24) if row % 8 >= 6}
    seen = [*lesson.images.pixels, *lesson.validation.images.pixels]
    assert not tested & {image.numpy().tobytes() for image in seen} and len(seen) == 18


def test_measuring_disturbs_nothing(place, monkeypatch):
    """Without the measurement the same run takes the same steps: it draws nothing and moves no running mean."""
    first = place("a").train(**CHANGE)
    monkeypatch.setattr("dsn_saal.train.loop.validation_loss", lambda *a: 1.0)
    second = place("b").train(**CHANGE)
    tables = [list(csv.DictReader(io.StringIO(c["run-00/history.csv"].decode()))) for c in (first, second)]
    for one, other in zip(*tables, strict=True):
        assert {**one, "validation_loss": ""} == {**other, "validation_loss": ""}
    assert json.loads(second["run-00/run.json"])["selected_epoch"] == 1  # the first of equals


def test_each_seed_holds_out_cases_of_its_own(place, monkeypatch):
    lessons, lesson_of = [], single.lesson_of
    monkeypatch.setattr(single, "lesson_of", lambda *a: lessons.append(lesson_of(*a)) or lessons[-1])
    place().train(**SELECTING, runs=3, deep=False, epochs=1)
    assert len({lesson.validation.images.pixels.numpy().tobytes() for lesson in lessons}) > 1


def test_slices_are_held_out_where_cases_are_unknown_and_it_is_said(place, capsys):
    here = place()
    here.write_split(pd.read_parquet(here.split).assign(case=""))
    record = json.loads(here.train(**SELECTING, deep=False)["run-00/run.json"])
    assert "held out for validation one by one" in capsys.readouterr().err
    assert record["validation"] == {
        "unit": "slice",
        "counts": dict.fromkeys(CLASSES, 2),
        "cases": dict.fromkeys(CLASSES, 0),
    }


def test_a_class_with_one_training_case_is_refused_by_name(place):
    here = place()
    table = pd.read_parquet(here.split)
    here.write_split(table.assign(case=table["case"].where(table["label"] != 1, "one")))
    with pytest.raises(CheckFailed, match="class normal has too few training cases"):
        here.train(**SELECTING)
    assert not here.out.exists()


def test_a_share_without_a_use_is_refused():
    for change in ({"validation_share": 0.2}, {"select_epoch": "best_validation"}):
        with pytest.raises(Exception, match="validation_share belongs to"):
            parse_job(TrainJob, settings(**change))


def test_the_choice_is_part_of_the_checkpoint():
    job = parse_job(TrainJob, settings(**SELECTING))
    run = new_run(job, seed=0, counts=(4, 4, 4), machine=prepare("cpu", precision="fp32", threads=1))
    names = set(run.tensors())
    assert {"best.epoch", "best.loss", "best.weights.classifier.6.weight"} <= names
    plain = new_run(
        parse_job(TrainJob, settings()), seed=0, counts=(4, 4, 4), machine=prepare("cpu", precision="fp32", threads=1)
    )
    assert not any(name.startswith("best.") for name in plain.tensors())


def test_resident_parts_are_those_images():
    images = ResidentImages(
        np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2), device=torch.device("cpu"), normalise="none"
    )
    part = images.part(torch.tensor([2, 0]))
    assert len(part) == 2 and torch.equal(part.batch(torch.tensor([0, 1])), images.batch(torch.tensor([2, 0])))
