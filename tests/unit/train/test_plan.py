"""The plan of an experiment: counted, measured, and true to what lies there."""

import re
from contextlib import suppress

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from tiny_experiment import SELECTING, settings

from dsn_saal.cli import main
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.models import build_network
from dsn_saal.models.flops import count_flops
from dsn_saal.params.jobs import TrainJob, network_arguments, parse_job
from dsn_saal.train import checkpoint, experiment, speed
from dsn_saal.train.machine import model_of
from dsn_saal.train.plan import plan_experiment

WIDE = {"width": 0.25, "weights": "none", "conv1": "sum", "dropout": 0.5, "normalise": "imagenet_grey"}
"""A network whose weights are much larger than what else lies in a checkpoint."""


def plan_of(here, measure=False, **change):
    job = parse_job(TrainJob, settings(**change))
    return plan_experiment(job, here.places(), device="cpu", measure=measure)


def test_a_plan_counts_what_is_to_do_and_what_is_done(place):
    here = place()
    before = plan_of(here, runs=3)
    job = parse_job(TrainJob, settings(runs=3))
    network = build_network(**network_arguments(job))
    images = before.images
    assert (before.runs, before.done, before.parameters) == (3, 0, sum(p.numel() for p in network.parameters()))
    assert before.flops == 3 * job.regimen.epochs * images * count_flops(network, job.image_size).training
    assert before.hours is None and before.weight_bytes == 3 * before.disk.weights
    assert main([*here.arguments(), "--settings", settings(runs=1)]) == 0
    after = plan_of(here, runs=3)
    assert after.done == 1 and after.flops == before.flops * 2 / 3


def test_a_plan_measures_the_device_and_knows_no_images_before_the_split(place):
    here = place()
    state = torch.get_rng_state()
    plan = plan_of(here, measure=True)
    assert plan.hours == plan.runs * plan.epochs * plan.images / plan.images_per_second / 3600
    assert torch.equal(torch.get_rng_state(), state)
    here.split.unlink()
    unknown = plan_of(here, measure=True)
    assert (unknown.images, unknown.flops, unknown.hours) == (None, None, None)
    assert not here.out.exists() and not here.state.exists()


def test_the_command_prints_a_row_for_every_experiment(capsys):
    assert main(["train", "--plan", "--experiment", "dsn_saal"]) == 0
    printed = capsys.readouterr().out
    assert "dsn_saal" in printed and "weights MB" in printed and "vgg16_bn_ce" not in printed
    assert main(["train", "--plan", "--experiment", "resnet"]) == 2
    assert main(["train", "--experiment", "dsn_saal"]) == 2
    assert "--images, --split" in capsys.readouterr().err


def test_the_disk_of_a_plan_is_that_of_the_weights_that_stay(place):
    here = place()
    plans = {keep: plan_of(here, runs=5, keep_weights=keep) for keep in ("all", "median", "none")}
    one = plans["all"].disk.weights
    assert [plan.weight_bytes for plan in plans.values()] == [5 * one, one, 0]
    assert len({plan.peak_bytes for plan in plans.values()}) == 1


ADAM = {"optimizer": {"kind": "adam"}}
STILL = {"optimizer": {"kind": "sgd", "momentum": 0.0, "nesterov": False}}


@pytest.mark.parametrize("change", [{}, ADAM, STILL, SELECTING, {"vote_epochs": 2}], ids=repr)
def test_the_peak_is_what_lies_on_the_disk_at_most(place, monkeypatch, change):
    here, seen = place(), []
    change = {**change, "runs": 2, "network": WIDE}

    def watched(tensors, part, metadata):
        save_file(tensors, part, metadata=metadata)
        seen.append(occupied(here.state))

    monkeypatch.setattr(checkpoint, "save_file", watched)
    here.train(checkpoint_seconds=0, **change)
    plan = plan_of(place("planned"), **change)
    assert plan.peak_bytes == pytest.approx(max(seen), rel=0.02)
    assert plan.weight_bytes == pytest.approx(sum(p.stat().st_size for p in here.out.rglob("*.safetensors")), rel=0.02)


def occupied(root):
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "change, key",
    [({"lr": 0.02}, "settings.regimen.lr"), ({"first_seed": 1}, "seed"), ({"precision": "bf16"}, "precision")],
)
def test_runs_of_other_settings_are_not_done(place, change, key):
    here = place()
    here.train(runs=2, deep=False)
    same, other = plan_of(here, runs=2, deep=False), plan_of(here, runs=2, deep=False, **change)
    assert (same.done, same.tracks.foreign) == (2, ())
    assert other.done == 0 and len(other.tracks.foreign) == 2 and key in other.tracks.foreign[0]


@pytest.mark.parametrize("name, key", [("images/images.npy", "images_sha256"), ("split.parquet", "split_sha256")])
def test_runs_of_other_files_are_not_done_where_those_files_lie_there(place, name, key):
    here = place()
    here.train(deep=False)
    path = here.root / name
    whole = path.read_bytes()
    path.unlink()
    assert plan_of(here, deep=False).done == 1
    if key == "images_sha256":
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:
        here.write_split(read_split_of(whole, here).iloc[::-1])
    plan = plan_of(here, deep=False)
    assert plan.done == 0 and plan.tracks.foreign == (key,)


def read_split_of(content, here):
    (here.root / "before.parquet").write_bytes(content)
    return pd.read_parquet(here.root / "before.parquet")


def test_the_digest_of_the_code_counts_where_it_is_given(place):
    here = place()
    here.train(deep=False, code="abc")
    job = parse_job(TrainJob, settings(deep=False))
    found = [plan_experiment(job, here.places(), device="cpu", measure=False, code=code) for code in ("abc", "new")]
    assert [plan.done for plan in found] == [1, 0] and found[1].tracks.foreign == ("code",)


def test_a_plan_agrees_with_training_about_weights_that_are_wanted_again(place, monkeypatch):
    here, trained = place(), []
    here.train(runs=3, deep=False, keep_weights="none")
    monkeypatch.setattr(experiment, "train_run", lambda *args: trained.append(args))
    for keep, again in (("none", 0), ("median", 1), ("all", 3)):
        trained.clear()
        assert plan_of(here, runs=3, deep=False, keep_weights=keep).done == 3 - again
        with suppress(CheckFailed):  # nothing was written, so that no weights are there to be kept
            here.train(runs=3, deep=False, keep_weights=keep)
        assert bool(trained) == bool(again)


def test_a_batch_of_the_regimen_is_timed_or_what_a_little_time_allows(place, monkeypatch):
    sizes = []
    step = speed.supervised_step

    def seen(run, batch, targets, schedule, machine):
        sizes.append(len(batch))
        step(run, batch, targets, schedule, machine)

    monkeypatch.setattr(speed, "supervised_step", seen)
    speed._measured.cache_clear()
    here = place()
    assert plan_of(here, measure=True, batch_size=30).hours > 0
    assert sizes[:2] == [4, 4] and set(sizes[2:]) == {30} and len(sizes) > 3
    before = len(sizes)
    plan_of(here, measure=True, batch_size=30, runs=7, keep_weights="none")
    assert len(sizes) == before  # an experiment that trains alike is not timed again
    monkeypatch.setattr(speed, "STEP_SECONDS", 0.0)
    plan_of(here, measure=True, batch_size=31)
    assert set(sizes[before:]) == {4} and len(sizes) == before + 4


def test_less_memory_means_a_smaller_batch(place, monkeypatch):
    sizes = []
    step = speed.supervised_step

    def tight(run, batch, targets, schedule, machine):
        sizes.append(len(batch))
        if len(batch) > 10:
            raise torch.OutOfMemoryError
        step(run, batch, targets, schedule, machine)

    monkeypatch.setattr(speed, "supervised_step", tight)
    speed._measured.cache_clear()
    assert plan_of(place(), measure=True, batch_size=32).images_per_second > 0
    assert sizes[2:5] == [32, 16, 8]
    speed._measured.cache_clear()


def test_the_command_sums_up_and_names_the_device(capsys):
    assert main(["train", "--plan"]) == 0
    printed = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in printed if re.match(r"\w+ +\d+/\d+ ", line)]
    total = next(row for row in rows if row[0] == "all")
    runs = [tuple(map(int, row[1].split("/"))) for row in rows if row[0] != "all"]
    assert total[1] == f"{sum(done for done, _ in runs)}/{sum(all_ for _, all_ in runs)}"
    trained = [row for row in rows if row[0] != "all" and row[2] != "classical:"]
    assert len(trained) > 40 and float(total[-2]) == pytest.approx(sum(float(row[7]) for row in trained), abs=3)
    assert model_of(torch.device("cpu")) in printed[-2] and "this device" not in printed[-2]
