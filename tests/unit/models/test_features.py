"""What a loss looks at beside the logits, on every backbone."""

import pytest
import torch

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models import BACKBONES, beside_logits, build_network, last_layer_of

SIDE = {"tap": "after_relu", "channels": 3, "merge": "sum", "fuse_channels": 1, "side_bn": False,
        "side_init": "normal_0.01"}  # fmt: skip


def network_of(backbone, side=None):
    return build_network(
        backbone, n_classes=3, image_size=32, width=0.05, conv1="sum", dropout=0.0, side=side,
        generator=torch.Generator().manual_seed(0),
    ).train()  # fmt: skip


@pytest.mark.parametrize(
    ("backbone", "side"), [*((name, None) for name in BACKBONES), ("vgg16_bn", SIDE), ("resnet50", SIDE)]
)
def test_the_last_layer_makes_the_final_logits_of_them(backbone, side):
    network = network_of(backbone, side)
    features = beside_logits(network, "features")
    images = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    outputs = network(images.contiguous(memory_format=torch.channels_last))
    (seen,) = features()
    layer = last_layer_of(network)
    assert seen.shape == (4, layer.in_features) and seen.requires_grad
    assert torch.equal(layer(seen), outputs[-1])


def test_they_are_given_out_once_a_pass_and_nothing_is_kept_unasked():
    network = network_of("vgg16_bn")
    assert beside_logits(network, "nothing")() == () and not last_layer_of(network)._forward_pre_hooks
    features = beside_logits(network, "features")
    network(torch.zeros(2, 1, 32, 32))
    features()
    with pytest.raises(IndexError):
        features()


def test_a_watched_network_has_the_same_state():
    network = network_of("vgg16_bn")
    before = list(network.state_dict())
    beside_logits(network, "features")
    assert list(network.state_dict()) == before


def test_a_linear_last_layer_has_no_prototypes():
    with pytest.raises(BadRequest, match="needs a last layer of prototypes"):
        beside_logits(network_of("vgg16_bn"), "prototypes")
