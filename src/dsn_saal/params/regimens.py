"""The section `regimens`: how weights are moved. The paper's own is section 5.1, the others are those of its rivals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dsn_saal.params.base import Section, open_choice, ours, stated


class Sgd(Section):
    """Stochastic gradient descent."""

    kind: Literal["sgd"]
    momentum: float = stated("momentum (paper: 0.9)", source="section 5.1", ge=0, lt=1)
    nesterov: bool = open_choice("Nesterov momentum", paper="not stated", default="false", alternatives="true")


class Adam(Section):
    """Adam with its published constants."""

    kind: Literal["adam"]


class Steps(Section):
    """A rate that falls at milestones."""

    kind: Literal["steps"]
    milestones: tuple[int, ...] = stated(
        "epochs after which the rate falls (paper: 40, 80)", source="section 5.1", strict=False
    )
    gamma: float = stated("factor of each fall (paper: 0.1)", source="section 5.1", gt=0, le=1)

    @model_validator(mode="after")
    def _milestones_rise(self) -> Steps:
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones must rise, not {list(self.milestones)}")
        return self


class Curve(Section):
    """A rate that stays, or falls to zero over the epochs: linearly or as half a cosine."""

    kind: Literal["constant", "linear", "cosine"]


class Augmentation(Section):
    """How training images are changed anew each time they are seen."""

    crop_area: tuple[float, float] = ours(
        "smallest and largest share of the image's area that a random crop keeps, before it is resized to the whole",
        strict=False,
    )
    flip: float = ours("share of images that are mirrored", ge=0, le=1)
    jitter: float = ours("largest relative change of brightness and of contrast", ge=0, lt=1)
    jitter_share: float = ours("share of images whose brightness and contrast change", ge=0, le=1)
    blur_share: float = ours("share of images that are blurred (Gaussian, 0.1 to 2 px at 224)", ge=0, le=1)

    @model_validator(mode="after")
    def _area_is_a_range(self) -> Augmentation:
        low, high = self.crop_area
        if not 0 < low <= high <= 1:
            raise ValueError(
                f"crop_area must be [smallest, largest] with 0 < smallest <= largest <= 1, not {[low, high]}"
            )
        return self


class Regimen(Section):
    """Optimizer, rates, batches and augmentation."""

    optimizer: Annotated[Sgd | Adam, Field(discriminator="kind")]
    epochs: int = stated("epochs (paper: 120)", source="section 5.1", ge=1, le=100_000)
    lr: float = stated("initial learning rate (paper: 0.001)", source="section 5.1", gt=0)
    rate: Annotated[Steps | Curve, Field(discriminator="kind")]
    weight_decay: float = stated("weight decay (paper: 0.0005)", source="section 5.1", ge=0)
    batch_size: int = open_choice("images per step", paper="not stated", default="32", alternatives="16, 64", ge=2)
    drop_last: bool = open_choice(
        "drop the last, smaller batch", paper="not stated", default="false", alternatives="true"
    )
    augmentation: Augmentation | None = stated("augmentation (paper: none)", source="section 5.1")
    freeze_after: int | None = ours(
        "epochs after which batch normalisation keeps its statistics and nothing is dropped any more; null: never", ge=0
    )
    vote_epochs: int = open_choice(
        "last epochs whose networks are asked, their probabilities being averaged",
        paper="not stated",
        default="1; of Self-Trans 10, as in its authors' code",
        alternatives="any up to epochs",
        ge=1,
    )

    @property
    def voting_epochs(self) -> list[int]:
        """The epochs, from 1, whose networks are asked; the last one is among them."""
        return list(range(self.epochs - self.vote_epochs + 1, self.epochs + 1))

    @model_validator(mode="after")
    def _votes_are_epochs(self) -> Regimen:
        if self.vote_epochs > self.epochs:
            raise ValueError(f"vote_epochs is {self.vote_epochs}, but there are {self.epochs} epochs: lower it")
        return self
