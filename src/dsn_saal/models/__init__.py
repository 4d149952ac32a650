"""Backbones, deep supervision, pretrained weights."""

from dsn_saal.models.features import Features, last_layer_of, no_features, watched_features
from dsn_saal.models.pretrained import IMAGENET
from dsn_saal.models.registry import BACKBONES, Network, build_network, set_dropout_generator
from dsn_saal.models.weights import read_weights, write_weights

__all__ = [
    "BACKBONES",
    "IMAGENET",
    "Features",
    "Network",
    "build_network",
    "last_layer_of",
    "no_features",
    "read_weights",
    "set_dropout_generator",
    "watched_features",
    "write_weights",
]
