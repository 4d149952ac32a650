"""The last epochs vote: their weights are kept, their probabilities averaged, and nothing else changes."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load
from tiny_experiment import REGIMEN, Place, settings

from dsn_saal.data import ResidentImages
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.evaluate.fitted import predict_training_part
from dsn_saal.models import build_network, read_weights
from dsn_saal.params.jobs import PredictJob, TrainJob, network_arguments, parse_job
from dsn_saal.storage.listing import differences, sha256_of, write_listing
from dsn_saal.train import single, vote
from dsn_saal.train.checkpoint import write_checkpoint
from dsn_saal.train.plan import plan_experiment
from dsn_saal.train.results import drop_weights, read_run

LAST = "weights.safetensors"
EARLIER = ["weights_epoch_002.safetensors", "weights_epoch_003.safetensors"]
LONG = {"epochs": 4, "lr": 0.05}
VOTING = {**LONG, "vote_epochs": 3}
"""Three steps an epoch; epochs 2, 3 and 4 answer."""


class Interrupt(Exception):
    """Stands for the end of the process inside a test."""


@pytest.fixture(scope="module")
def voted(tmp_path_factory):
    here = Place(tmp_path_factory.mktemp("voted") / "place")
    here.train(**VOTING)
    here.evaluate(**VOTING)
    return here


def by_hand(here, rows, predict_from, **change):
    """Mean of the softmax outputs of epochs 2, 3 and 4 on these rows, in float64 and in this order."""
    job = parse_job(TrainJob, settings(**change))
    network = build_network(**network_arguments(job)).eval()
    pixels = np.load(here.images / "images.npy")[rows]
    images = ResidentImages(pixels, device=torch.device("cpu"), normalise=job.network.normalise)
    total = np.zeros((len(rows), 3))
    for name in (*EARLIER, LAST):
        read_weights(here.out / "run-00" / name, network)
        with torch.no_grad():  # four images a step, as the evaluation's batches: sums depend on it
            halves = [torch.stack(network(images.batch(index))) for index in torch.arange(len(rows)).split(4)]
        logits = torch.cat(halves, dim=1).double().numpy()
        powers = np.exp(logits - logits.max(axis=2, keepdims=True))
        softmax = powers / powers.sum(axis=2, keepdims=True)
        total += softmax[-1] if predict_from == "final" else softmax.mean(axis=0)
    return total / 3


def probabilities(path):
    return pd.read_parquet(path).filter(like="p_").to_numpy()


@pytest.mark.parametrize("predict_from", ["final", "mean_softmax"])
def test_probabilities_are_the_mean_over_the_epochs_by_hand(voted, predict_from):
    voted.evaluate(predict_from=predict_from, **VOTING)
    table = voted.root / "evaluated/run-00/predictions.parquet"
    expected = by_hand(voted, pd.read_parquet(table)["row"].to_numpy(), predict_from)
    np.testing.assert_allclose(probabilities(table), expected, rtol=0, atol=1e-15)


def test_the_last_epoch_alone_answers_otherwise(voted, place):
    alone = place()
    alone.train(**LONG)
    alone.evaluate(**LONG)
    one, several = (probabilities(here.root / "evaluated/run-00/predictions.parquet") for here in (alone, voted))
    assert np.abs(one - several).max() > 1e-3


def test_each_file_is_the_network_as_its_epoch_left_it(voted, unbroken):
    """The rate of this regimen does not look at the number of epochs: a shorter run ends where a longer one passes."""
    content = voted.content()
    for epochs, name in ((2, EARLIER[0]), (3, EARLIER[1])):
        assert content[f"run-00/{name}"] == unbroken(**LONG | {"epochs": epochs})[f"run-00/{LAST}"]
    assert len({content[f"run-00/{name}"] for name in (*EARLIER, LAST)}) == 3


def test_a_vote_changes_no_step_and_a_run_without_one_nothing_at_all(voted, unbroken):
    alone, content = unbroken(**LONG), voted.content()
    assert sorted(alone) == ["SHA256SUMS", "run-00/history.csv", "run-00/run.json", f"run-00/{LAST}"]
    for name in (LAST, "history.csv"):
        assert content[f"run-00/{name}"] == alone[f"run-00/{name}"]
    records = [json.loads(one["run-00/run.json"]) for one in (alone, content)]
    assert set(records[0]["files"]) == {LAST, "history.csv"}
    assert set(records[1]) - set(records[0]) == {"voting_epochs"} and records[1]["voting_epochs"] == [2, 3, 4]
    assert set(records[0]) <= set(records[1]) and records[1]["selected_epoch"] == 4


def test_record_listing_and_evaluation_name_every_file(voted):
    run = voted.out / "run-00"
    record = json.loads((run / "run.json").read_text())
    assert {name: sha256_of(run / name) for name in (*EARLIER, LAST, "history.csv")} == record["files"]
    assert differences(voted.out) == []
    for name in ("run-00/metrics.json", "summary.json"):
        training = json.loads((voted.root / "evaluated" / name).read_text())["training"]
        training = training if isinstance(training, dict) else training[0]
        assert training["weights_sha256"] == record["files"][LAST]
        assert training["earlier_weights_sha256"] == {name: record["files"][name] for name in EARLIER}
        assert training["record"]["voting_epochs"] == [2, 3, 4]


@pytest.mark.parametrize("steps", range(1, 13))
def test_interrupted_after_any_step_it_leaves_the_same_bytes(place, voted, monkeypatch, steps):
    here, done = place(), []

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        done.append(run.epoch)
        if len(done) == steps:
            raise Interrupt

    with monkeypatch.context() as patched, pytest.raises(Interrupt):
        patched.setattr(single, "write_checkpoint", write_then_stop)
        here.train(checkpoint_seconds=0, **VOTING)
    assert done[-1] == (steps - 1) // 3 and not here.out.exists()
    assert here.train(**VOTING) == voted.content() and not here.state.exists()


def test_killed_behind_an_epoch_that_no_checkpoint_knows_to_be_over(place, voted, monkeypatch):
    """The file lies there, the checkpoint is of an earlier step: the epoch is gone through again."""
    here, steps = place(), []

    def at_the_second_step(path, run, identity):
        steps.append(run.step)
        if len(steps) == 5:
            write_checkpoint(path, run, identity)

    def write_then_stop(path, network):
        vote_written(path, network)
        raise Interrupt

    vote_written = vote.write_weights
    with monkeypatch.context() as patched, pytest.raises(Interrupt):
        patched.setattr(single, "write_checkpoint", at_the_second_step)
        patched.setattr(vote, "write_weights", write_then_stop)
        here.train(checkpoint_seconds=0, **VOTING)
    assert (here.state / "run-00" / EARLIER[0]).exists() and len(steps) == 6
    assert here.train(**VOTING) == voted.content()


def test_a_file_that_vanished_while_the_run_was_interrupted_is_named(place, voted, monkeypatch):
    here, done = place(), []

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        done.append(run.epoch)
        if len(done) == 10:  # in the fourth epoch
            raise Interrupt

    with monkeypatch.context() as patched, pytest.raises(Interrupt):
        patched.setattr(single, "write_checkpoint", write_then_stop)
        here.train(checkpoint_seconds=0, **VOTING)
    (here.state / "run-00" / EARLIER[0]).unlink()
    with pytest.raises(CheckFailed, match="weights of an epoch that is to vote are missing") as caught:
        here.train(**VOTING)
    told = caught.value.text()
    assert EARLIER[0] in told and EARLIER[1] not in told and "remove this folder" in told
    assert str(here.state / "run-00") in told
    for path in (here.state / "run-00").iterdir():
        path.unlink()
    (here.state / "run-00").rmdir()
    assert here.train(**VOTING) == voted.content()


@pytest.mark.parametrize("harm", ["missing", "altered", "unlisted"])
def test_an_evaluation_trusts_every_epoch_or_none(place, voted, harm):
    here = place()
    here.train(**VOTING)
    path = here.out / "run-00" / EARLIER[1]
    if harm == "altered":
        path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    else:
        path.unlink()
    if harm == "unlisted":
        write_listing(here.out)
    with pytest.raises(CheckFailed, match=rf"run-00/{EARLIER[1]} (is|was) (not listed|{harm})") as caught:
        here.evaluate(**VOTING)
    assert "run train again" in caught.value.text() and not (here.root / "evaluated").exists()
    assert read_run(here.out / "run-00") is None
    assert here.train(**VOTING) == voted.content()


def test_no_record_stands_without_the_weights_that_it_speaks_for(voted, place):
    """A record that was edited to name fewer files than epochs is none."""
    here = place()
    here.train(**VOTING)
    path = here.out / "run-00" / "run.json"
    record = json.loads(path.read_text())
    for names in (EARLIER[:1], EARLIER):
        kept = {name: digest for name, digest in record["files"].items() if name not in names}
        path.write_text(json.dumps(record | {"files": kept}))
        assert read_run(here.out / "run-00") is None
    path.write_text(json.dumps(record))
    assert read_run(here.out / "run-00").has_weights


@pytest.mark.parametrize("predict_from", ["final", "mean_softmax"])
def test_dropped_votes_leave_their_logits_and_the_same_predictions(place, predict_from):
    whole, slim = place("whole"), place("slim")
    whole.train(runs=2, **VOTING)
    content = slim.train(runs=2, keep_weights="none", **VOTING)
    assert sorted(name for name in content if name.startswith("run-00/")) == [
        "run-00/history.csv", "run-00/run.json", "run-00/test_logits.safetensors",
    ]  # fmt: skip
    held = load(content["run-00/test_logits.safetensors"])
    assert held["logits"].shape == (3, 6, 6, 3)  # epochs, outputs, slices, classes
    for here in (whole, slim):
        here.evaluate(runs=2, predict_from=predict_from, **VOTING)
    for name in ("run-00/predictions.parquet", "run-01/predictions.parquet", "run-01/metrics.json", "summary.json"):
        assert (slim.root / "evaluated" / name).read_bytes() == (whole.root / "evaluated" / name).read_bytes(), name
    assert slim.train(runs=2, keep_weights="none", **VOTING) == content


def test_dropping_takes_every_epoch_from_the_disk(place, voted):
    here = place()
    here.train(**VOTING)
    folder = here.out / "run-00"
    drop_weights(read_run(folder), folder, np.zeros((3, 6, 1, 3)), np.zeros(1, np.int64))
    assert sorted(path.name for path in folder.iterdir()) == ["history.csv", "run.json", "test_logits.safetensors"]
    record, before = json.loads((folder / "run.json").read_text()), json.loads(voted.content()["run-00/run.json"])
    assert record["earlier_weights_sha256"] == {name: before["files"][name] for name in EARLIER}
    assert record["weights_sha256"] == before["files"][LAST] and not read_run(folder).has_weights


def test_the_median_run_keeps_all_its_epochs_and_gets_them_back(place):
    whole, here = place("whole").train(runs=3, **VOTING), place()
    content = here.train(runs=3, keep_weights="median", **VOTING)
    kept = [name for name in content if name.split("/")[-1] in (*EARLIER, LAST)]
    assert len(kept) == 3 and len({name.split("/")[0] for name in kept}) == 1
    assert all(content[name] == whole[name] for name in kept)
    assert here.train(runs=3, **VOTING) == whole


def test_a_run_that_diverges_leaves_no_vote(place):
    content = place().train(**VOTING | {"lr": 1e30})
    assert sorted(content) == ["SHA256SUMS", "run-00/failed.json", "run-00/history.csv"]


def test_the_training_part_is_answered_by_the_vote_too(voted):
    job = json.loads(settings(**VOTING))
    kept = {key: job[key] for key in ("name", "network", "model", "image_size", "classes")}
    more = {"predict_from": "final", "batch_size": 4, "runs": 1, "threads": 1}
    out = voted.root / "fitted"
    predict_training_part(
        parse_job(PredictJob, json.dumps(kept | more)),
        images=voted.images, split=voted.split, weights=voted.out, out=out,
    )  # fmt: skip
    table = out / "run-00/train_predictions.parquet"
    expected = by_hand(voted, pd.read_parquet(table)["row"].to_numpy(), "final")
    np.testing.assert_allclose(probabilities(table), expected, rtol=0, atol=1e-15)


def test_a_plan_counts_the_disk_of_every_epoch_that_votes(place):
    here = place()

    def plan(**change):
        job = parse_job(TrainJob, settings(runs=5, keep_weights="median", **change))
        return plan_experiment(job, here.places(), device="cpu", measure=False)

    one, three = plan(**LONG), plan(**VOTING)
    assert three.weight_bytes == 3 * one.weight_bytes and three.flops == one.flops
    # Two epochs more of each run; the last epoch of the last run has no weights before its checkpoint goes.
    assert three.peak_bytes - one.peak_bytes == 5 * 2 * one.weight_bytes


def test_epochs_that_vote_are_the_last_ones():
    job = parse_job(TrainJob, settings(epochs=120, vote_epochs=10))
    assert job.regimen.voting_epochs == list(range(111, 121))
    assert parse_job(TrainJob, settings()).regimen.voting_epochs == [REGIMEN["epochs"]]
