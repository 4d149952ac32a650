"""The other backbones: torchvision's networks with the paper's side classifiers and parameter counts."""

import pytest
import torch
from torchvision import models

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models import BACKBONES, build_network

SIDE = {
    "tap": "after_relu", "channels": 21, "merge": "sum", "fuse_channels": 1, "side_bn": False,
    "side_init": "framework", "pool_first": None,
}  # fmt: skip
THEIRS = {
    "resnet50": (models.resnet50, 23_514_179),
    "resnext50": (models.resnext50_32x4d, 22_986_051),
    "densenet169": (models.densenet169, 12_489_475),
    "densenet121": (models.densenet121, None),
    "mobilenet_v2": (models.mobilenet_v2, 2_227_715),
}
ADDED = {"resnet50": 81_412, "resnext50": 81_412, "densenet169": 78_724}
STAGED = [*ADDED, "densenet121"]


def network(name, side=None, *, size=64, width=0.125, seed=0, **change):
    options = {"n_classes": 3, "image_size": size, "width": width, "conv1": "sum", "dropout": 0.0} | change
    return build_network(name, side=side, generator=torch.Generator().manual_seed(seed), **options)


def shapes(name, side=None, **change):
    """The published size without start values."""
    with torch.device("meta"):
        options = {"n_classes": 3, "image_size": 224, "width": 1.0, "conv1": "sum", "dropout": 0.2} | change
        return build_network(name, side=side, **options)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", THEIRS)
def test_names_shapes_and_parameters_are_the_published_ones(name):
    make, parameters = THEIRS[name]
    with torch.device("meta"):
        theirs = make(num_classes=3)
    ours = shapes(name)
    first = f"{ours.first_conv}.weight"
    expected = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    expected[first] = (expected[first][0], 1, *expected[first][2:])
    assert {key: tuple(value.shape) for key, value in ours.state_dict().items()} == expected
    if parameters:
        assert count(shapes(name, conv1="repeat")) == parameters


@pytest.mark.parametrize("name", ADDED)
def test_side_classifiers_add_as_many_parameters_as_the_paper_allows(name):
    assert count(shapes(name, SIDE).sides) == ADDED[name]
    assert shapes(name, SIDE).n_outputs == 5


@pytest.mark.parametrize("name", THEIRS)
def test_same_logits_as_torchvision_s_forward_for_the_same_values(name):
    ours = network(name, width=1.0, conv1="repeat").double().eval()
    theirs = THEIRS[name][0](num_classes=3).double().eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 1, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(images)[-1], theirs(images.expand(-1, 3, -1, -1)), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", STAGED)
def test_pooling_first_is_the_same_function_with_the_same_gradients(name):
    images = torch.randn(3, 1, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    outcomes = []
    for pool_first in (True, False):
        net = network(name, {**SIDE, "pool_first": pool_first}).double().train()
        outputs = torch.stack(net(images))
        outputs.pow(2).sum().backward()
        outcomes.append((outputs.detach(), {key: p.grad for key, p in net.named_parameters()}))
    (first, first_grads), (naive, naive_grads) = outcomes
    assert first.shape == (5, 3, 3)
    torch.testing.assert_close(first, naive, rtol=1e-12, atol=1e-13)
    for key, grad in naive_grads.items():
        torch.testing.assert_close(first_grads[key], grad, rtol=1e-8, atol=1e-10, msg=key)


@pytest.mark.parametrize("name", [*BACKBONES])
def test_start_values_come_from_the_generator_alone(name, monkeypatch):
    before = torch.get_rng_state()
    empty_like = torch.empty_like
    monkeypatch.setattr(torch, "empty_like", lambda *a, **k: empty_like(*a, **k).fill_(77))
    side = None if name in ("mobilenet_v2", "resnet32") else SIDE
    states = [network(name, side, seed=seed).state_dict() for seed in (5, 5, 6)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])
    assert not any((value == 77).any() for value in states[0].values())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", STAGED)
def test_same_seed_gives_the_same_backbone_with_and_without_side_branches(name):
    plain, deep = network(name).state_dict(), network(name, SIDE).state_dict()
    assert all(torch.equal(plain[key], deep[key]) for key in plain)


def test_start_values_are_torchvision_s_in_spread():
    theirs = models.resnet50(num_classes=3)
    ours = network("resnet50", width=1.0)
    for layer in ("layer3.2.conv2", "layer1.0.conv1", "conv1", "fc"):
        expected = theirs.get_submodule(layer).weight.std().item()
        if layer == "conv1":
            expected = (2 / (49 * 64)) ** 0.5
        assert ours.get_submodule(layer).weight.std().item() == pytest.approx(expected, rel=0.05), layer


def test_a_narrow_resnext_keeps_the_size_of_its_groups():
    conv = network("resnext50").get_submodule("layer2.1.conv2")
    assert conv.groups == 4 and conv.in_channels // conv.groups == 8


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet32"])
def test_side_classifiers_are_refused_where_the_paper_has_none(name):
    with pytest.raises(BadRequest, match="no side classifiers"):
        network(name, SIDE)


@pytest.mark.parametrize("name", [*BACKBONES])
def test_image_must_survive_five_halvings(name):
    with pytest.raises(BadRequest, match="multiple of 32"):
        network(name, size=48)


def test_resnet32_has_the_official_parameters_but_for_its_entry():
    """464,154 is the published network for CIFAR-10: three channels in, ten classes out."""
    official = 464_154
    entry = 2 * (16 * 16 * 9 + 2 * 16)  # two more convolutions with their normalisation
    assert count(shapes("resnet32", conv1="repeat", n_classes=10)) == official + entry
    assert count(shapes("resnet32")) == official + entry - 2 * 16 * 9 - 7 * 65 == 468_083
    layers = [layer for layer in shapes("resnet32").modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == 32 + 2


def test_resnet32_ends_at_seven_by_seven_and_its_first_stage_sees_what_cifar_s_does():
    maps = []
    net = shapes("resnet32")
    for stage in (0, 14):
        net.stages[stage].register_forward_hook(lambda layer, inputs, output: maps.append(tuple(output.shape[1:])))
    net.eval()(torch.zeros(1, 1, 224, 224))
    assert net.grid == 7 and maps == [(16, 28, 28), (64, 7, 7)]


def test_resnet32_shortcuts_pass_on_what_they_can_and_add_zeros():
    block = network("resnet32", width=1.0).double().stages[5]
    x = torch.randn(2, 16, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    shortcut = block._shortcut(x)
    assert shortcut.shape == (2, 32, 4, 4) and torch.equal(shortcut[:, 8:24], x[:, :, ::2, ::2])
    assert shortcut[:, :8].abs().sum() == shortcut[:, 24:].abs().sum() == 0


@pytest.mark.parametrize("name", ["resnet32"])
def test_no_imagenet_weights_are_made_up(name):
    with pytest.raises(BadRequest, match="no ImageNet weights were published"):
        network(name, width=1.0, weights="imagenet")
