"""Backbones, deep supervision, pretrained weights."""

from dsn_saal.models.features import Beside, beside_logits, nothing
from dsn_saal.models.last_layer import last_layer_of
from dsn_saal.models.pretrained import IMAGENET
from dsn_saal.models.registry import BACKBONES, Network, build_network, set_dropout_generator
from dsn_saal.models.weights import read_weights, write_weights

__all__ = [
    "BACKBONES",
    "IMAGENET",
    "Beside",
    "Network",
    "beside_logits",
    "build_network",
    "last_layer_of",
    "nothing",
    "read_weights",
    "set_dropout_generator",
    "write_weights",
]
