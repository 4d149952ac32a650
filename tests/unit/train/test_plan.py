"""The plan of an experiment: counted, measured, and true to what lies there."""

import torch
from tiny_experiment import settings

from dsn_saal.cli import main
from dsn_saal.models import build_network
from dsn_saal.models.flops import count_flops
from dsn_saal.params.jobs import TrainJob, network_arguments, parse_job
from dsn_saal.train.plan import plan_experiment


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
    assert before.hours is None and before.weight_bytes == 3 * 4 * before.parameters
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
    one = 4 * plans["all"].parameters
    assert [plan.weight_bytes for plan in plans.values()] == [5 * one, one, 0]
    assert {plan.peak_bytes for plan in plans.values()} == {5 * one}
