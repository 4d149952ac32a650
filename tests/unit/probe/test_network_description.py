"""What the network says of itself, against the published counts and against the module tree."""

import json

import pytest
import torch

from dsn_saal.models import build_network
from dsn_saal.params.jobs import network_arguments
from dsn_saal.params.probe_jobs import network_job
from dsn_saal.probe.network import probe_network


def describe(settings, tmp_path):
    job = network_job(settings)
    probe_network(job, tmp_path / "network.json")
    return job, json.loads((tmp_path / "network.json").read_text())


def test_the_published_network_has_the_published_numbers(small_settings, tmp_path):
    settings = small_settings(network__width=1.0, preprocess__image_size=224)
    _, held = describe(settings, tmp_path)
    assert held["side_parameters"] == 89_837 and held["parameters"] == 134_371_120 - 1152, (
        "one input channel, not three"
    )
    assert [len(stage["convs"]) for stage in held["stages"]] == [2, 2, 3, 3, 3]
    assert [stage["convs"][-1]["out"] for stage in held["stages"]] == [64, 128, 256, 512, 512]
    assert [stage["convs"][0]["size"] for stage in held["stages"]] == [224, 112, 56, 28, 14]
    assert [stage["pooled"] for stage in held["stages"]] == [112, 56, 28, 14, 7]
    assert [(layer["in"], layer["out"]) for layer in held["head"]] == [(25088, 4096), (4096, 4096), (4096, 3)]
    for stage in held["stages"]:
        side = stage["side"]
        assert (side["grid"], side["fuse"], side["classify"]) == (7, {"in": 21, "out": 1}, {"in": 49, "out": 3})
        assert {tap["to"] for tap in side["taps"]} == {21} and len(side["taps"]) == len(stage["convs"])


@pytest.mark.parametrize("merge", ["sum", "concat"])
def test_branch_by_branch_the_parameters_are_those_of_the_modules(small_settings, tmp_path, merge):
    settings = small_settings()
    job = network_job(settings)
    side = job.experiment.model.deep_supervision.model_copy(update={"merge": merge, "fuse_channels": 2})
    model = job.experiment.model.model_copy(update={"deep_supervision": side})
    job = job.model_copy(update={"experiment": job.experiment.model_copy(update={"model": model})})
    held = probe_network(job, tmp_path / "network.json")
    with torch.device("meta"):
        network = build_network(**network_arguments(job.experiment))
    whole = {name: parameter.numel() for name, parameter in network.named_parameters()}
    for place, stage in enumerate(held["stages"]):
        own = sum(count for name, count in whole.items() if name.startswith(f"sides.{place}."))
        assert stage["side"]["parameters"] == own
        assert stage["side"]["fuse"]["in"] == 21 * (len(stage["convs"]) if merge == "concat" else 1)
    parts = [stage["parameters"] + stage["side"]["parameters"] for stage in held["stages"]]
    assert sum(parts) + sum(layer["parameters"] for layer in held["head"]) == held["parameters"] == sum(whole.values())
