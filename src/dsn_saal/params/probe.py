"""The section about probes: what is asked of trained networks beyond their predictions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dsn_saal.params.base import Name, Section, open_choice, ours


class Probe(Section):
    """Class activation maps, the matrix of data sets, and the network that is drawn."""

    cam: tuple[Name, ...] = ours(
        "experiments with VGG-16 whose class activation maps are drawn side by side in Figure 7, the baseline first",
        min_length=1, strict=False,
    )  # fmt: skip
    cam_tap: Literal["after_relu", "after_conv"] = open_choice(
        "map that class activation maps weigh, at the last convolution",
        paper="CAM is named, Grad-CAM is cited",
        default="after_relu",
        alternatives="after_conv",
    )
    cam_class: Literal["predicted", "label"] = open_choice(
        "class whose evidence the maps show", paper="not stated", default="predicted", alternatives="label"
    )
    sanity_slices: int = ours("slices per class in the check with randomised weights, one a case", ge=1, le=1000)
    sanity_draws: int = ours("draws of random weights in that check", ge=1, le=100)
    sanity_seed: int = ours("seed of the first draw", ge=0)
    cross: tuple[Name, ...] = ours(
        "experiments whose networks, each as its last epoch left it, are tested on every data set of cross_tests",
        min_length=1, strict=False,
    )  # fmt: skip
    cross_tests: dict[Name, Name] = Field(
        description="data sets that foreign networks are tested on, with the split whose test part is used",
        min_length=1,
    )
    network: Name = ours("experiment whose network Figure 2 draws: VGG-16 with side classifiers")

    @model_validator(mode="after")
    def _each_once(self) -> Probe:
        for key, names in (("cam", self.cam), ("cross", self.cross)):
            if len(set(names)) != len(names):
                raise ValueError(f"{key} names an experiment twice: {', '.join(names)}")
        return self
