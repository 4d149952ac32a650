"""A network described from the network itself: what its modules are, and what shapes went through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models import build_network
from dsn_saal.models.deep_supervision import SideBranch
from dsn_saal.models.vgg import Stage, Vgg16Bn
from dsn_saal.params.jobs import network_arguments
from dsn_saal.params.probe_jobs import NetworkJob
from dsn_saal.storage.atomic import write_json

Json = dict[str, Any]
Shapes = dict[nn.Module, tuple[int, ...]]


def probe_network(job: NetworkJob, out: Path) -> Json:
    """Build the network on the meta device, send one image of the right shape through it, and write what is seen.

    Args:
        job: the experiment whose network it is.
        out: the JSON file.

    Returns:
        What was written: stages with their convolutions, map sizes, taps and side branch; head; parameters.

    Raises:
        BadRequest: for a network that is not VGG-16 with side branches.
    """
    experiment = job.experiment
    arguments = network_arguments(experiment)
    with torch.device("meta"):
        network = build_network(**arguments).to("meta")
    if not isinstance(network, Vgg16Bn) or not len(network.sides):
        raise BadRequest("Figure 2 draws VGG-16 with side classifiers", value=arguments["backbone"],
                         where="probe.network")  # fmt: skip
    network.eval()
    shapes = _shapes(network, torch.empty(1, 1, experiment.image_size, experiment.image_size, device="meta"))
    stages = [
        _stage(network, stage, cast("SideBranch", side), shapes)
        for stage, side in zip(network.stages, network.sides, strict=True)
    ]
    description = {
        "experiment": experiment.name, "title": job.title, "classes": list(experiment.classes),
        "image_size": experiment.image_size, "in_channels": network.in_channels, "width": experiment.network.width,
        "tap": cast("SideBranch", network.sides[0]).spec.tap, "stages": stages,
        "head": [
            {"in": layer.in_features, "out": shapes[layer][1], "parameters": _count(layer)}
            for layer in network.classifier if isinstance(layer, nn.Linear)
        ],
        "outputs": network.n_outputs, "parameters": _count(network), "side_parameters": _count(network.sides),
    }  # fmt: skip
    write_json(out, description)
    return description


def _shapes(network: Vgg16Bn, image: Tensor) -> Shapes:
    """Output shape of every module that runs."""
    shapes: Shapes = {}

    def note(module: nn.Module, _: object, output: object) -> None:
        if isinstance(output, Tensor):
            shapes[module] = tuple(output.shape)

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    with torch.no_grad():
        network(image)
    for hook in hooks:
        hook.remove()
    return shapes


def _stage(network: Vgg16Bn, stage: Stage, side: SideBranch, shapes: Shapes) -> Json:
    """One stage: its convolutions as they ran, what its pooling leaves, and its side branch."""
    layers = [network.features[place] for place in range(stage.first, stage.pool)]
    convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    tapped = [shapes[network.features[place]] for place in stage.taps]
    branches = [cast("nn.Conv2d", conv) for conv in side.convs]
    return {
        "convs": [
            {"in": conv.in_channels, "out": shapes[conv][1], "size": shapes[conv][2], "kernel": conv.kernel_size[0]}
            for conv in convs
        ],
        "parameters": sum(_count(layer) for layer in layers),
        "pooled": shapes[network.features[stage.pool]][2],
        "side": {
            "taps": [{"channels": shape[1], "size": shape[2], "to": conv.out_channels}
                     for shape, conv in zip(tapped, branches, strict=True)],
            "merge": side.spec.merge, "fuse": {"in": side.fuse.in_channels, "out": side.fuse.out_channels},
            "window": side.window, "grid": tapped[0][2] // side.window,
            "classify": {"in": side.classify.in_features, "out": shapes[side][1]}, "parameters": _count(side),
        },
    }  # fmt: skip


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
