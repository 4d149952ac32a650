"""Last layers of other kinds: their logits by hand, their start, and what they leave as it was."""

import pytest
import torch

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models import BACKBONES, beside_logits, build_network, last_layer_of
from dsn_saal.models.cosine import Cosines
from dsn_saal.models.prototypes import Prototypes

ONE = {"kind": "prototypes", "per_class": 1, "sigma": 10.0}
COSINES = {"kind": "cosines", "scale": 30.0}


def network_of(backbone="vgg16_bn", last_layer=None, *, width=0.05, generator=0):
    return build_network(
        backbone, n_classes=3, image_size=32, width=width, conv1="sum", dropout=0.0, side=None, last_layer=last_layer,
        generator=None if generator is None else torch.Generator().manual_seed(generator),
    )  # fmt: skip


def layer_of(weight, sigma):
    """A layer whose prototypes (C, m, D) are given."""
    weight = torch.tensor(weight)
    layer = Prototypes(weight.shape[2], weight.shape[0], per_class=weight.shape[1], sigma=sigma)
    with torch.no_grad():
        layer.weight.copy_(weight)
    return layer


def test_logits_are_those_worked_out_by_hand():
    """Features (6, 8, 0, 0) over the root of 4 are (3, 4, 0, 0); sigma is 2."""
    origin, there, beyond = [0.0] * 4, [3.0, 4.0, 0.0, 0.0], [3.0, 4.0, 0.0, 6.0]
    one = layer_of([[origin], [there], [beyond]], 2.0)
    assert one(torch.tensor([[6.0, 8.0, 0.0, 0.0]])).tolist() == [[-12.5, 0.0, -18.0]]
    # Of two prototypes the nearest counts: the first class has the image's own as its second.
    two = layer_of([[origin, there], [beyond, origin]], 2.0)
    assert two(torch.tensor([[6.0, 8.0, 0.0, 0.0]])).tolist() == [[0.0, -12.5]]


def test_their_softmax_is_the_share_of_affinities():
    layer = Prototypes(5, 3, per_class=2, sigma=3.0)
    layer.initialise(torch.Generator().manual_seed(0))
    features = torch.randn(4, 5, generator=torch.Generator().manual_seed(1))
    away = features[:, None, None] / 5**0.5 - layer.weight
    affinities = (-away.square().sum(-1) / 3.0).exp().amax(-1)
    shares = affinities / affinities.sum(dim=1, keepdim=True)
    torch.testing.assert_close(torch.softmax(layer(features), dim=1), shares)


def test_only_the_nearest_prototype_of_a_class_has_a_gradient():
    layer = layer_of([[[0.0, 0.0], [5.0, 5.0]], [[1.0, 0.0], [9.0, 9.0]]], 1.0)
    layer(torch.zeros(1, 2)).sum().backward()
    assert layer.weight.grad[:, 1].abs().sum() == 0 and layer.weight.grad[1, 0].abs().sum() > 0


@pytest.mark.parametrize("kind", [ONE, COSINES], ids=lambda kind: kind["kind"])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_can_have_them_and_all_else_starts_as_without(backbone, kind):
    plain, ours = network_of(backbone), network_of(backbone, kind)
    layer = last_layer_of(ours)
    assert layer.in_features == layer.weight.shape[-1] == last_layer_of(plain).in_features
    last = f"{ours.last_layer}."
    before, after = plain.state_dict(), ours.state_dict()
    assert [name for name in after if name.startswith(last)] == [f"{last}weight"]
    assert all(torch.equal(value, before[name]) for name, value in after.items() if not name.startswith(last))
    logits = ours.eval()(torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(1)))[-1]
    assert logits.shape == (2, 3) and bool(logits.isfinite().all())


def test_prototypes_are_given_to_the_loss_and_cosines_have_none():
    ours = network_of(last_layer=ONE)
    assert beside_logits(ours, "prototypes")()[0] is last_layer_of(ours).weight
    with pytest.raises(BadRequest, match="Cosines"):
        beside_logits(network_of(last_layer=COSINES), "prototypes")


def test_cosines_know_no_length_and_stay_within_their_scale():
    layer = Cosines(4, 3, scale=30.0)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.0, -5.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]))
    features = torch.tensor([[3.0, 0.0, 0.0, 0.0], [0.0, 7.0, 0.0, 0.0]])
    torch.testing.assert_close(layer(features), torch.tensor([[30.0, 0.0, 15.0], [0.0, -30.0, 15.0]]))
    assert torch.equal(layer(8 * features), layer(features))
    nothing = torch.zeros(1, 4, requires_grad=True)
    layer(nothing).sum().backward()
    assert bool(nothing.grad.isfinite().all())


def test_cosines_start_at_length_one():
    layer = Cosines(50, 3, scale=30.0)
    layer.initialise(torch.Generator().manual_seed(2))
    torch.testing.assert_close(layer.weight.norm(dim=1), torch.ones(3))
    assert float(layer.weight.detach().min()) < 0 < float(layer.weight.detach().max())


@pytest.mark.parametrize("kind", [ONE, COSINES], ids=lambda kind: kind["kind"])
def test_a_state_is_loaded_into_a_network_without_values(kind):
    ours = network_of(last_layer=kind)
    empty = network_of(last_layer=kind, generator=None)
    empty.load_state_dict(ours.state_dict())
    images = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    assert torch.equal(empty.eval()(images)[-1], ours.eval()(images)[-1])


def test_affinities_are_alive_at_the_start_in_a_narrow_and_in_a_wide_layer():
    for width in (0.02, 0.25):
        network = network_of(last_layer=ONE, width=width).train()
        logits = network(torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(1)))[-1]
        assert float(logits.detach().exp().min()) > 0.1


def test_the_start_is_he_s_and_comes_from_the_generator():
    layer = Prototypes(4000, 3, per_class=1, sigma=10.0)
    layer.initialise(torch.Generator().manual_seed(5))
    first = layer.weight.detach().clone()
    assert first.std().item() == pytest.approx((2 / 4000) ** 0.5, rel=0.03)
    layer.initialise(torch.Generator().manual_seed(5))
    assert torch.equal(layer.weight, first)


@pytest.mark.parametrize("layer", [Prototypes(8, 3, per_class=1, sigma=10.0), Cosines(8, 3, scale=30.0)])
def test_logits_are_float32_under_autocast(layer):
    layer.initialise(torch.Generator().manual_seed(0))
    features = torch.ones(2, 8, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        logits = layer(features)
    assert logits.dtype == torch.float32 and torch.equal(logits, layer(features.float()))
