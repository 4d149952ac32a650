"""Layers lose what they learned from the top, one after the other."""

import pytest
import torch
from made_runs import network_of
from torch import nn

from dsn_saal.params.jobs import evaluate_job
from dsn_saal.probe.randomise import layers_from_the_top, randomised


@pytest.fixture
def networks(small_settings):
    job = evaluate_job(small_settings(), "dsn_saal")
    return network_of(job, 1), network_of(job, 2)


IMAGES = [torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0)) for _ in range(2)]


def weights(network):
    return {
        name: value.clone()
        for name, value in network.state_dict().items()
        if "running" not in name and "num" not in name
    }


def test_every_layer_of_the_backbone_is_named_once_from_the_head_down(networks):
    layers = layers_from_the_top(networks[0])
    named = [name for layer in layers for name in layer]
    own = {name for name, module in networks[0].named_modules()
           if not name.startswith("sides") and isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d)}  # fmt: skip
    assert len(named) == len(own) and set(named) == own
    assert [layer[0] for layer in layers[:3]] == ["classifier.6", "classifier.3", "classifier.0"]
    assert layers[-1] == ("features.0", "features.1")


def test_after_each_step_the_upper_part_is_the_fresh_networks_and_the_lower_the_trained_ones(networks):
    trained, fresh = networks
    before, new = weights(trained), weights(fresh)
    replaced = set()
    for step, layer in enumerate(randomised(trained, fresh, IMAGES)):
        replaced |= set(layers_from_the_top(trained)[step])
        assert layer in replaced
        for name, value in weights(trained).items():
            owner = name.rpartition(".")[0]
            torch.testing.assert_close(value, new[name] if owner in replaced else before[name], rtol=0, atol=0)
    assert len(replaced) == 13 * 2 + 3


def test_statistics_of_replaced_normalisations_are_those_of_the_images_and_the_network_stays_in_evaluation(networks):
    trained, fresh = networks
    lowest = trained.get_submodule("features.1")
    kept = lowest.running_mean.clone()
    steps = list(zip(range(15), randomised(trained, fresh, IMAGES), strict=False))
    assert len(steps) == 15 and torch.equal(lowest.running_mean, kept), "the lowest layer was not replaced yet"
    trained.load_state_dict(trained.state_dict())
    for _ in randomised(trained, fresh, IMAGES):
        pass
    out = [trained.get_submodule("features.0")(images).mean(dim=(0, 2, 3)) for images in IMAGES]
    torch.testing.assert_close(lowest.running_mean, torch.stack(out).mean(dim=0), rtol=1e-4, atol=1e-5)
    assert not any(module.training for module in trained.modules())
