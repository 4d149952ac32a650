"""The meta-gradient against algebra by hand, against differences, and against the official order of updates."""

import copy

import pytest
import torch
from torch import nn

from dsn_saal.models import build_network, set_dropout_generator
from dsn_saal.train.meta_weight import WeightNet, meta_gradient, sample_losses, weighted_mean


class Line(nn.Module):
    """Two logits, (0, w x): one parameter."""

    def __init__(self, w):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w, dtype=torch.float64))

    def forward(self, x):
        return [torch.stack([torch.zeros_like(x), self.w * x], dim=1)]


class Constant(nn.Module):
    """Every sample weighs theta."""

    def __init__(self, theta):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(theta, dtype=torch.float64))

    def forward(self, losses):
        return self.theta.expand_as(losses)


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_the_meta_gradient_is_the_one_computed_by_hand():
    """loss_i = log(1 + exp(w x_i)) - y_i w x_i, so its slope in w is (s(w x_i) - y_i) x_i with the logistic s."""
    w, theta, lr = 0.3, 0.7, 0.5
    x, y, meta_x, meta_y = numbers(1.0, -2.0, 0.5), torch.tensor([1, 0, 0]), numbers(1.5, -1.0), torch.tensor([0, 1])
    slope = ((torch.sigmoid(w * x) - y) * x).mean()
    moved = w - lr * theta * slope
    meta_slope = ((torch.sigmoid(moved * meta_x) - meta_y) * meta_x).mean()
    expected = meta_slope * (-lr * slope)  # chain rule through the virtual step
    net, weights = Line(w), Constant(theta)
    # cross_entropy runs in float32, as in the official codes
    found, _ = meta_gradient(net, weights, (x, y), (meta_x, meta_y), lr=lr, normalise=False)
    assert found["theta"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_equal_weights_have_no_meta_gradient_once_they_are_normalised():
    batch = numbers(1.0, -2.0, 0.5), torch.tensor([1, 0, 0])
    found, _ = meta_gradient(Line(0.3), Constant(0.7), batch, batch, lr=0.5, normalise=True)
    assert found["theta"].item() == pytest.approx(0, abs=1e-7)


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(3)
    net = build_network(
        "vgg16_bn", n_classes=2, image_size=32, width=0.03, conv1="sum", dropout=0.0, side=None, generator=generator
    )
    set_dropout_generator(net, generator)
    batch = torch.randn(6, 1, 32, 32, generator=generator), torch.tensor([0, 1, 0, 0, 1, 0])
    meta = torch.randn(4, 1, 32, 32, generator=generator), torch.tensor([0, 1, 1, 0])
    return net.train(), WeightNet(8, generator), batch, meta


@pytest.mark.parametrize("normalise", [False, True])
def test_it_is_the_gradient_that_autograd_finds_in_the_official_order_of_updates(problem, normalise):
    net, weight_net, batch, meta = problem
    lr = 0.1
    twin = copy.deepcopy(net)
    values = dict(twin.named_parameters())
    buffers = {name: value.clone() for name, value in twin.named_buffers()}
    losses = sample_losses(twin, {**values, **buffers}, *batch)
    loss = weighted_mean(losses, weight_net(losses.detach()), normalise=normalise)
    slopes = torch.autograd.grad(loss, list(values.values()), create_graph=True)
    moved = {name: value - lr * slope for (name, value), slope in zip(values.items(), slopes, strict=True)}
    fresh = {name: value.clone() for name, value in twin.named_buffers()}
    meta_loss = sample_losses(twin, {**moved, **fresh}, *meta).mean()
    expected = torch.autograd.grad(meta_loss, list(weight_net.parameters()))
    found, _ = meta_gradient(net, weight_net, batch, meta, lr=lr, normalise=normalise)
    for (name, value), want in zip(found.items(), expected, strict=True):
        torch.testing.assert_close(value, want, rtol=1e-4, atol=1e-8, msg=name)
    assert any(value.abs().max() > 0 for value in found.values())


def test_nothing_but_the_gradient_comes_out(problem):
    net, weight_net, batch, meta = problem
    before = {name: value.clone() for name, value in [*net.state_dict().items(), *weight_net.state_dict().items()]}
    random = torch.get_rng_state()
    meta_gradient(net, weight_net, batch, meta, lr=0.1, normalise=True)
    for name, value in [*net.state_dict().items(), *weight_net.state_dict().items()]:
        assert torch.equal(before[name], value), name
    assert all(parameter.grad is None for parameter in [*net.parameters(), *weight_net.parameters()])
    assert torch.equal(torch.get_rng_state(), random)


def test_weights_lie_between_zero_and_one_and_a_dead_batch_gives_no_nan():
    weights = WeightNet(100, torch.Generator().manual_seed(0))(torch.tensor([0.0, 1.0, 50.0]))
    assert ((weights > 0) & (weights < 1)).all()
    assert weighted_mean(torch.ones(3), torch.zeros(3), normalise=True).item() == 0
