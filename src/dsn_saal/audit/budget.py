"""Findings about parameters: what each reading of the side branches adds, counted on the networks themselves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from dsn_saal.audit.findings import Finding, slug
from dsn_saal.params.reported import AddedParameters, Claim, ReportedNumbers
from dsn_saal.statistics.printed import count, listed, plural

BACKBONES = {
    "VGG-16-BN": "vgg16_bn",
    "ResNet-50": "resnet50",
    "ResNeXt-50": "resnext50",
    "DenseNet-169": "densenet169",
}
"""Printed name to the name of models.BACKBONES."""

CHANNELS, CLASSES, IMAGE = 21, 3, 224
"""Side channels, classes and input side of the published network (paper sections 3.1 and 5.1)."""

MERGES = ("sum", "concat")
FUSED = (1, CHANNELS)
"""Channels of the fused map that the words admit: one, or as many as before."""

MILLION = 1_000_000


def added_parameters(backbone: str, *, merge: str, fuse_channels: int, side_bn: bool) -> tuple[int, int]:
    """Parameters that side classifiers add to a backbone, and how many taps they have.

    Args:
        backbone: a key of models.BACKBONES.
        merge: how the maps of a stage are joined.
        fuse_channels: channels of the fused map.
        side_bn: batch normalisation after every added convolution.
    """
    import torch

    from dsn_saal.models.deep_supervision import SideBranch, SideSpec
    from dsn_saal.models.registry import BACKBONES as BUILT

    side = SideSpec(
        tap="after_relu", channels=CHANNELS, merge="sum" if merge == "sum" else "concat",
        fuse_channels=fuse_channels, side_bn=side_bn, side_init="normal_0.01",
    )  # fmt: skip
    with torch.device("meta"):
        network = BUILT[backbone](n_classes=CLASSES, image_size=IMAGE, width=1.0, in_channels=3, dropout=0.5, side=side)
    branches = [module for module in network.modules() if isinstance(module, SideBranch)]
    size = sum(parameter.numel() for branch in branches for parameter in branch.parameters())
    return size, sum(len(branch.convs) for branch in branches)


def linear_layers(backbone: str) -> int:
    """Fully connected layers of a plain backbone."""
    import torch

    from dsn_saal.models.registry import BACKBONES as BUILT

    with torch.device("meta"):
        network = BUILT[backbone](n_classes=CLASSES, image_size=IMAGE, width=1.0, in_channels=3, dropout=0.5, side=None)
    return sum(isinstance(module, torch.nn.Linear) for module in network.modules())


def budget_findings(reported: ReportedNumbers) -> Iterator[Finding]:
    """Which readings keep the printed bound, and whether the file's own counts are right."""
    claim = next((claim for claim in reported.claims if claim.metrics == ("params_added",)), None)
    if claim is not None and isinstance(claim.value, float):
        yield _readings(claim, claim.value * (MILLION if claim.unit == "million" else 1))
    for derived in reported.derived_params:
        yield from _derived(derived)
    if any(statement.value == "class activation map" for statement in reported.statements):
        layers = linear_layers("vgg16_bn")
        yield Finding(
            "attention.vgg16_bn",
            "CONFLICT",
            f"VGG-16-BN ends in {plural(layers, 'fully connected layer')}; a class activation map in the plain sense "
            "needs the last map averaged and one such layer after it. Grad-CAM has no such need.",
            ("statements, map of attention", "the network as it is built here"),
            {"linear_layers": layers},
        )


def _readings(claim: Claim, bound: float) -> Finding:
    found = {}
    for (title, name), merge, fused, norm in product(BACKBONES.items(), MERGES, FUSED, (False, True)):
        if name == "vgg16_bn" or merge == "sum":  # one tap a stage: there is nothing to join
            added, taps = added_parameters(name, merge=merge, fuse_channels=fused, side_bn=norm)
            found[title, taps, merge, fused, norm] = added
    kept = {
        fused: all(size <= bound for (*_, channels, _), size in found.items() if channels == fused) for fused in FUSED
    }
    ranges = {fused: sorted(size for (*_, channels, _), size in found.items() if channels == fused) for fused in FUSED}
    told = [
        f"fused to {plural(fused, 'channel')} they add {count(ranges[fused][0])} to {count(ranges[fused][-1])}"
        + (", within it on every backbone" if kept[fused] else "")
        for fused in FUSED
    ]
    return Finding(
        f"parameters.{claim.id}",
        "AMBIGUOUS" if any(kept.values()) else "IMPOSSIBLE",
        f"At most {count(round(bound))} parameters are said to be added. Counted on the networks, under every reading "
        f"of the side branches that is built: {listed(told)}.",
        (f"claims, {claim.id}", "the networks as they are built here"),
        {
            "bound": bound,
            "readings": [
                {"backbone": title, "taps": taps, "merge": merge, "fuse_channels": fused, "side_bn": norm,
                 "added": size, "within": size <= bound}
                for (title, taps, merge, fused, norm), size in found.items()
            ],
        },
    )  # fmt: skip


def _derived(derived: AddedParameters) -> Iterator[Finding]:
    where = f"derived_params, {derived.backbone}, {derived.taps} taps, {derived.merge}, {derived.fuse_channels}"
    merge = "concat" if derived.merge == "concat" else "sum"
    name = BACKBONES.get(derived.backbone)
    if name is None:
        return
    added, taps = added_parameters(name, merge=merge, fuse_channels=derived.fuse_channels, side_bn=False)
    if taps != derived.taps:  # a reading that is not built: one branch for each layer of a staged network
        return
    yield Finding(
        slug("derived", derived.backbone, derived.merge, str(derived.fuse_channels)),
        "CONSISTENT" if added == derived.added else "CONFLICT",
        f"{derived.backbone}, {derived.taps} taps, {derived.merge}, fused to "
        f"{plural(derived.fuse_channels, 'channel')}: {count(derived.added)} stands in the file, "
        f"{count(added)} are counted.",
        (where,),
        {"stated": derived.added, "counted": added},
    )
