"""Names of params.yaml to networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models.deep_supervision import SideSpec
from dsn_saal.models.densenet import DenseNet121, DenseNet169
from dsn_saal.models.dropout import SeededDropout
from dsn_saal.models.initialise import initialise
from dsn_saal.models.last_layer import give_last_layer
from dsn_saal.models.mobilenet import MobileNetV2
from dsn_saal.models.pretrained import IMAGENET, Conv1, load_checkpoint, load_imagenet
from dsn_saal.models.resnet import ResNet50, ResNeXt50
from dsn_saal.models.resnet32 import ResNet32
from dsn_saal.models.vgg import Vgg16Bn

Network = Vgg16Bn | ResNet50 | ResNet32 | DenseNet169 | MobileNetV2
"""What every backbone is: see backbone.Network."""

BACKBONES: dict[str, type[Network]] = {
    "vgg16_bn": Vgg16Bn,
    "resnet32": ResNet32,
    "resnet50": ResNet50,
    "resnext50": ResNeXt50,
    "densenet121": DenseNet121,
    "densenet169": DenseNet169,
    "mobilenet_v2": MobileNetV2,
}


def build_network(
    backbone: str,
    *,
    n_classes: int,
    image_size: int,
    width: float,
    conv1: Conv1,
    dropout: float,
    side: Mapping[str, Any] | None,
    last_layer: Mapping[str, Any] | None = None,
    weights: str = "none",
    checkpoint: Mapping[str, str] | None = None,
    generator: torch.Generator | None = None,
) -> Network:
    """A network on the CPU in float32.

    Args:
        backbone: a key of BACKBONES.
        n_classes: classes.
        image_size: side of the input in pixels, a multiple of 32.
        width: share of the published channel numbers.
        conv1: how ImageNet's three input channels become one; "repeat" keeps three and repeats the grey image.
        dropout: dropout of the head.
        side: fields of SideSpec, or None for the plain backbone.
        last_layer: its kind and arguments, as `give_last_layer` takes them, or None for a linear one.
        weights: "imagenet" or "none".
        checkpoint: path and sha256 of a file to start from instead, as `load_checkpoint` takes it.
        generator: source of the initial values; None leaves them undefined, for a state dict that is loaded next.

    Raises:
        BadRequest: for a backbone that is not built, an image size or weights that do not fit.
    """
    if backbone not in BACKBONES:
        raise BadRequest("no such backbone", value=backbone, next_step=f"choose one of: {', '.join(BACKBONES)}")
    spec = SideSpec(**side) if side else None
    # On the meta device nothing is drawn: torch's own constructors would read the global generator.
    with torch.device("meta"):
        network = BACKBONES[backbone](
            n_classes=n_classes,
            image_size=image_size,
            width=width,
            in_channels=3 if conv1 == "repeat" else 1,
            dropout=dropout,
            side=spec,
        )
    network.to_empty(device="cpu")
    if generator is not None:
        initialise(network, side_init=spec.side_init if spec else "normal_0.01", generator=generator)
        if checkpoint is not None:
            load_checkpoint(network, width=width, conv1=conv1, **checkpoint)
        elif weights == "imagenet":
            if backbone not in IMAGENET:
                raise BadRequest(
                    "no ImageNet weights were published for this backbone",
                    value=backbone,
                    where="network.weights",
                    next_step=f"start it at random, or choose one of: {', '.join(IMAGENET)}",
                )
            load_imagenet(network, width=width, conv1=conv1, wanted=IMAGENET[backbone])
    if last_layer is not None:
        give_last_layer(network, n_classes, last_layer, generator)
    return network


def set_dropout_generator(network: Network, generator: torch.Generator) -> None:
    """Let every dropout of the network draw from `generator`, which must live on the network's device."""
    for module in network.modules():
        if isinstance(module, SeededDropout):
            module.generator = generator
