"""Counts against torch's own counter, where that is right, and against the paper's arithmetic."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dsn_saal.models import BACKBONES, build_network
from dsn_saal.models.flops import count_flops

SIDE = {
    "tap": "after_relu", "channels": 21, "merge": "sum", "fuse_channels": 1, "side_bn": False,
    "side_init": "framework", "pool_first": None,
}  # fmt: skip


def network(name, side=None, size=64, width=0.25, device="cpu"):
    with torch.device(device):
        return build_network(
            name, n_classes=3, image_size=size, width=width, conv1="sum", dropout=0.0, side=side,
            generator=torch.Generator().manual_seed(0) if device == "cpu" else None,
        )  # fmt: skip


def counted(net, size=64):
    """Torch's count of forward, and of forward and backward."""
    images = torch.randn(1, 1, size, size)
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        net.eval()(images)
    with FlopCounterMode(display=False) as both:
        sum(output.sum() for output in net.eval()(images)).backward()
    return forward.get_total_flops(), both.get_total_flops()


@pytest.mark.parametrize("name", BACKBONES)
def test_forward_is_torchs_count(name):
    net = network(name)
    assert count_flops(net, 64).forward == counted(net)[0]


@pytest.mark.parametrize("name", ["vgg16_bn", "resnet50", "densenet169"])
def test_training_is_torchs_count_without_groups(name):
    net = network(name)
    assert count_flops(net, 64).training == counted(net)[1]


def test_groups_cost_as_much_backward_as_forward():
    net = network("resnext50")
    ours, theirs = count_flops(net, 64), counted(net)[1]
    assert 2.9 * ours.forward < ours.training < 3 * ours.forward < theirs


def test_deep_supervision_adds_what_the_paper_says():
    plain = count_flops(network("vgg16_bn", size=224, width=1.0, device="meta"), 224)
    deep = count_flops(network("vgg16_bn", SIDE, size=224, width=1.0, device="meta"), 224)
    naive = count_flops(network("vgg16_bn", {**SIDE, "pool_first": False}, size=224, width=1.0, device="meta"), 224)
    # paper.md 4.3: +0.03 % pooled first, +1.85 % otherwise; one run of 589,200 images about 5.5e16.
    assert deep.training / plain.training - 1 < 0.0003
    assert naive.training / plain.training - 1 == pytest.approx(0.0185, abs=0.002)
    assert deep.training * 589_200 == pytest.approx(5.5e16, rel=0.03)


def test_nothing_of_the_count_stays_behind():
    net = network("resnet50", SIDE).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    count_flops(net, 64)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert net.training and not any(layer._forward_hooks for layer in net.modules())
