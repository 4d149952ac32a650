"""Class activation maps against a gradient computed by hand, and against autograd written another way."""

import numpy as np
import pytest
import torch
from made_runs import network_of
from torch import nn

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.jobs import evaluate_job
from dsn_saal.probe.gradcam import activation_maps, last_map


class Tiny(nn.Module):
    """A 1x1 convolution to two channels, their squares, means over the map, and a linear layer: all known by heart."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.last = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[[[1.0]]], [[[-2.0]]]]))
            self.last.weight.copy_(torch.tensor([[3.0, 0.5], [-1.0, 1.0]]))

    def forward(self, images):
        return [self.last((self.conv(images) ** 2).mean(dim=(2, 3)))]


IMAGE = torch.tensor([[[[1.0, 2.0], [0.0, -1.0]]]])


@pytest.mark.parametrize("target", [0, 1])
def test_a_map_that_was_computed_by_hand(target):
    """d logit_c / d A_k = w_ck 2 A_k / 4, its mean over the map is w_ck mean(A_k) / 2, and A = (x, -2x)."""
    w = {0: (3.0, 0.5), 1: (-1.0, 1.0)}[target]
    x = IMAGE.numpy()[0, 0]
    weights = [w[0] * x.mean() / 2, w[1] * (-2 * x).mean() / 2]
    expected = np.maximum(weights[0] * x + weights[1] * (-2 * x), 0)
    network = Tiny()
    found = activation_maps(network, network.conv, IMAGE, torch.tensor([target])).numpy()[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.max() > 0


def test_the_classes_maps_differ_and_are_taken_image_by_image():
    network = Tiny()
    both = activation_maps(network, network.conv, torch.cat([IMAGE, -2 * IMAGE]), torch.tensor([0, 1]))
    alone = activation_maps(network, network.conv, -2 * IMAGE, torch.tensor([1]))
    torch.testing.assert_close(both[1:], alone)
    assert not torch.allclose(both[0], activation_maps(network, network.conv, IMAGE, torch.tensor([1]))[0])


@pytest.mark.parametrize("tap", ["after_relu", "after_conv"])
@pytest.mark.parametrize("name", ["vgg16_bn_ce", "dsn_saal"])
def test_a_networks_maps_against_a_network_cut_in_two(small_settings, name, tap):
    """The map by autograd without any hook: run up to the map, make it a leaf, run the rest by hand."""
    network = network_of(evaluate_job(small_settings(network__width=0.1), name)).double()
    images = torch.randn(3, 1, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    classes = torch.tensor([0, 2, 1])
    layer = last_map(network, tap)
    cut = list(network.features).index(layer) + 1
    held = images
    for module in network.features[:cut]:
        held = module(held)
    held = held.detach().requires_grad_()
    rest = held
    for module in network.features[cut:]:
        rest = module(rest.clone())
    logits = network.classifier(rest.flatten(1))
    expected = []
    for place, wanted in enumerate(classes):
        (gradient,) = torch.autograd.grad(logits[place, wanted], held, retain_graph=True)
        weights = gradient[place].flatten(1).mean(dim=1)
        expected.append(torch.einsum("k,khw->hw", weights, held[place]).clamp(min=0))
    found = activation_maps(network, layer, images, classes)
    torch.testing.assert_close(found, torch.stack(expected).detach(), rtol=1e-9, atol=1e-12)
    assert found.shape == (3, 2, 2) and (found > 0).any()


def test_no_hook_stays_behind_and_a_layer_that_runs_twice_is_refused():
    network = Tiny()
    activation_maps(network, network.conv, IMAGE, torch.tensor([0]))
    assert not network.conv._forward_hooks

    class Twice(Tiny):
        def forward(self, images):
            return [super().forward(images)[0] + super().forward(images)[0]]

    twice = Twice()
    with pytest.raises(BadRequest, match="must run once"):
        activation_maps(twice, twice.conv, IMAGE, torch.tensor([0]))
    assert not twice.conv._forward_hooks


def test_another_backbone_is_refused(small_settings):
    with pytest.raises(BadRequest, match="vgg16_bn only"):
        last_map(network_of(evaluate_job(small_settings(), "mobilenet_v2_ce")), "after_relu")
