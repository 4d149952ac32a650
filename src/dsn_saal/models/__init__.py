"""Backbones, deep supervision, pretrained weights."""

from dsn_saal.models.pretrained import IMAGENET
from dsn_saal.models.registry import BACKBONES, Network, build_network, set_dropout_generator
from dsn_saal.models.weights import read_weights, write_weights

__all__ = [
    "BACKBONES",
    "IMAGENET",
    "Network",
    "build_network",
    "read_weights",
    "set_dropout_generator",
    "write_weights",
]
