import pytest
import torch
from torchvision.models import vgg16_bn

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models import build_network, set_dropout_generator
from dsn_saal.models.deep_supervision import SideSpec
from dsn_saal.models.dropout import SeededDropout

SIDE = {
    "tap": "after_relu",
    "channels": 21,
    "merge": "sum",
    "fuse_channels": 1,
    "side_bn": False,
    "side_init": "framework",
    "pool_first": None,
}


def network(side=None, *, size=32, width=0.0625, seed=0, **change):
    options = {"n_classes": 3, "image_size": size, "width": width, "conv1": "sum", "dropout": 0.0} | change
    return build_network("vgg16_bn", side=side, generator=torch.Generator().manual_seed(seed), **options)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small tensors gain nothing from threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def published(side=None, n_classes=3, conv1="sum"):
    """The published size, without spending time on start values."""
    return build_network(
        "vgg16_bn", side=side, n_classes=n_classes, image_size=224, width=1.0, conv1=conv1, dropout=0.5
    )


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_plain_network_has_the_published_names_shapes_and_number_of_parameters():
    with torch.device("meta"):
        theirs = vgg16_bn(num_classes=3).state_dict()
    ours = published()
    assert {name: tuple(value.shape) for name, value in ours.state_dict().items()} == {
        name: (64, 1, 3, 3) if name == "features.0.weight" else tuple(value.shape) for name, value in theirs.items()
    }
    assert count(ours) == 134_281_283 - 1_152
    assert count(published(conv1="repeat")) == 134_281_283


@pytest.mark.parametrize(
    "change, n_classes, added",
    [
        ({}, 3, 89_837),
        ({}, 2, 89_587),
        ({"merge": "concat"}, 3, 90_005),
        ({"side_bn": True}, 3, 90_393),
        ({"fuse_channels": 21}, 3, 106_737),
        ({"merge": "concat", "fuse_channels": 21}, 3, 110_265),
    ],
)
def test_deep_supervision_adds_as_many_parameters_as_the_paper_allows(change, n_classes, added):
    assert count(published({**SIDE, **change}, n_classes).sides) == added


def test_same_logits_as_torchvision_s_forward_for_the_same_values():
    ours = network(size=224, conv1="repeat").double().eval()
    with torch.device("meta"):
        theirs = vgg16_bn()
    # Its own forward with adaptive pooling, on layers narrow enough for a test.
    theirs.features, theirs.classifier = ours.features, ours.classifier
    images = torch.randn(1, 1, 224, 224, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            ours(images)[-1], theirs.eval()(images.expand(-1, 3, -1, -1)), rtol=1e-12, atol=1e-15
        )


@pytest.mark.parametrize("tap", ["after_relu", "after_bn", "after_conv"])
@pytest.mark.parametrize("merge, fuse_channels", [("sum", 1), ("concat", 1), ("sum", 4), ("concat", 4)])
def test_pooling_first_is_the_same_function_with_the_same_gradients(tap, merge, fuse_channels):
    spec = {**SIDE, "tap": tap, "merge": merge, "fuse_channels": fuse_channels}
    images = torch.randn(3, 1, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    outcomes = []
    for pool_first in (True, False):
        net = network({**spec, "pool_first": pool_first}, size=64).double()
        outputs = torch.stack(net(images))
        outputs.pow(2).sum().backward()
        outcomes.append((outputs.detach(), {name: p.grad for name, p in net.named_parameters()}))
    (first, first_grads), (naive, naive_grads) = outcomes
    assert first.shape == (6, 3, 3)
    torch.testing.assert_close(first, naive, rtol=0, atol=1e-14)
    for name, grad in naive_grads.items():
        torch.testing.assert_close(first_grads[name], grad, rtol=1e-9, atol=1e-12, msg=name)


def test_side_branches_see_the_stage_before_its_pooling_in_the_paper_s_grid():
    net = network(SIDE, size=64)
    seen = []
    for side in net.sides:
        side.register_forward_pre_hook(lambda module, kept: seen.append([tuple(tap.shape[1:]) for tap in kept[0]]))
    net(torch.zeros(1, 1, 64, 64))
    assert seen == [[(c, 2, 2)] * n for c, n in ((4, 2), (8, 2), (16, 3), (32, 3), (32, 3))]
    assert [side.window for side in net.sides] == [32, 16, 8, 4, 2]


def test_taps_are_what_their_name_says():
    images = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(2))
    kept = {}
    for tap in ("after_relu", "after_bn", "after_conv"):
        net = network({**SIDE, "tap": tap, "pool_first": False}, conv1="random")
        net.sides[0].register_forward_pre_hook(lambda module, taps, tap=tap: kept.update({tap: taps[0][0].detach()}))
        net(images)
        conv, norm = net.features[0], net.features[1]
    torch.testing.assert_close(kept["after_conv"], conv(images))
    torch.testing.assert_close(kept["after_bn"], norm(conv(images)))
    torch.testing.assert_close(kept["after_relu"], norm(conv(images)).relu())


def test_side_bn_is_never_pooled_first():
    assert not SideSpec(**{**SIDE, "side_bn": True}).pools_first
    with pytest.raises(ValueError, match="another function"):
        SideSpec(**{**SIDE, "side_bn": True, "pool_first": True})
    logits = network({**SIDE, "side_bn": True})(torch.randn(2, 1, 32, 32))
    assert [tuple(output.shape) for output in logits] == [(2, 3)] * 6


def test_one_image_trains():
    net = network(SIDE).train()
    torch.stack(net(torch.randn(1, 1, 32, 32))).sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in net.parameters())


def test_image_must_survive_five_halvings():
    with pytest.raises(BadRequest, match="multiple of 32"):
        network(size=48)
    with pytest.raises(BadRequest, match="no such backbone"):
        build_network(
            "resnet", side=None, n_classes=3, image_size=32, width=1.0, conv1="sum", dropout=0.0, weights="none"
        )


def test_start_values_come_from_the_generator_alone(monkeypatch):
    before = torch.get_rng_state()
    # Memory that to_empty hands out is poisoned: whatever start values forget to set shows.
    empty_like = torch.empty_like
    monkeypatch.setattr(torch, "empty_like", lambda *a, **k: empty_like(*a, **k).fill_(77))
    nets = [network(SIDE, seed=seed) for seed in (5, 5, 6)]
    states = [net.state_dict() for net in nets]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["features.0.weight"], states[2]["features.0.weight"])
    assert not any((value == 77).any() for value in states[0].values())
    assert torch.equal(torch.get_rng_state(), before)


def test_same_seed_gives_the_same_backbone_with_and_without_side_branches():
    plain, deep = network().state_dict(), network(SIDE).state_dict()
    assert all(torch.equal(plain[name], deep[name]) for name in plain)


def test_start_values_have_the_published_spread():
    generator = torch.Generator().manual_seed(0)
    net = build_network(
        "vgg16_bn",
        side={**SIDE, "side_init": "normal_0.01"},
        n_classes=3,
        image_size=64,
        width=0.25,
        conv1="sum",
        dropout=0.0,
        generator=generator,
    )
    conv = net.features[40]
    assert conv.weight.std().item() == pytest.approx((2 / (9 * conv.out_channels)) ** 0.5, rel=0.02)
    head = net.classifier[0]  # a narrower head keeps the size of the signal
    assert head.weight.std().item() == pytest.approx(0.01 * (25_088 / head.in_features) ** 0.5, rel=0.02)
    for side, published in zip(net.sides, (64, 128, 256, 512, 512), strict=True):
        conv = side.convs[0]
        spread = 0.01 * (published / conv.in_channels) ** 0.5
        assert conv.weight.std().item() == pytest.approx(spread, rel=0.15) and not conv.bias.any()
        assert side.fuse.weight.std().item() == pytest.approx(0.01, rel=0.5)
    assert not any(layer.bias.any() for layer in net.modules() if hasattr(layer, "out_features"))


def test_dropout_draws_from_its_own_generator():
    net = network(dropout=0.5)
    with pytest.raises(RuntimeError, match="without a generator"):
        net.train()(torch.zeros(1, 1, 32, 32))
    net.eval()(torch.zeros(1, 1, 32, 32))
    dropout = SeededDropout(0.25)
    dropout.generator = torch.Generator().manual_seed(3)
    before = torch.get_rng_state()
    dropped = dropout(torch.ones(100_000))
    assert torch.equal(torch.get_rng_state(), before)
    assert (dropped == 0).float().mean() == pytest.approx(0.25, abs=0.01)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    set_dropout_generator(net, torch.Generator().manual_seed(1))
    first = net.train()(torch.ones(1, 1, 32, 32))
    set_dropout_generator(net, torch.Generator().manual_seed(1))
    assert net.classifier[2].generator.initial_seed() == 1
    assert [output.shape for output in first] == [(1, 3)]
