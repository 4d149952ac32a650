"""The sections `protocols` and `certificate`: how data sets are split, and what a split must prove."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dsn_saal.params.base import Name, Section, open_choice, ours, stated


class Cases(Section):
    """Split by case, drawn anew for each of several seeds."""

    kind: Literal["cases"]
    rule: Literal["per_class", "unstratified"] = open_choice(
        "how cases are drawn",
        paper="by case, 7:3, random",
        default="per class, floor(0.7 n + 0.5) to training",
        alternatives="unstratified",
    )
    train_share: float = stated("share of the cases that train", source="section 4.1", gt=0, lt=1)
    seed: int = open_choice(
        "seed of the first draw; draw d has seed + d", paper="not stated", default="any, recorded", alternatives="any",
        ge=0,
    )  # fmt: skip
    draws: int = open_choice(
        "how many splits are drawn; run r uses draw r modulo draws",
        paper="one split; whether the ten runs share it is not stated",
        default="1",
        alternatives="any (the spread then holds the split's as well)",
        ge=1,
        le=1000,
    )
    train_slices: dict[Name, Annotated[int, Field(ge=1)]] | None = open_choice(
        "slices per class the training part must hold; null: whatever the drawn cases hold",
        paper="Table 2's counts; how they came about is not stated",
        default="Table 2 at paper scale, null otherwise",
        alternatives="null",
    )


class Official(Section):
    """Split by the lists that came with the data set."""

    kind: Literal["official"]
    train_list: Literal["train", "train_3000"] = stated(
        "list that trains: the whole one, or 1000 images a class", source="Table 7"
    )
    join_validation: bool = open_choice(
        "whether the validation list trains as well",
        paper="not stated",
        default="false",
        alternatives="true",
    )


class Folds(Section):
    """Each image is tested once: fold d is the test part of draw d."""

    kind: Literal["folds"]
    folds: int = stated("number of folds (paper: 5)", source="Table 9", ge=2, le=100)
    unit: Literal["image", "block", "case"] = open_choice(
        "what is dealt out to the folds, class by class",
        paper="5 folds; no patient is known",
        default="image beside block",
        alternatives="image, block (neighbouring numbers stay together), case",
    )
    block_size: int = ours("images of neighbouring numbers that stay together, with unit: block", ge=1, le=10_000)
    seed: int = open_choice("seed of the deal", paper="not stated", default="any, recorded", alternatives="any", ge=0)
    repeats: int = ours(
        "runs on each fold, whatever train.runs is; those of one fold differ in their seed", ge=1, le=100
    )

    @property
    def runs(self) -> int:
        """Runs of an experiment on these folds: run r tests fold r modulo folds."""
        return self.folds * self.repeats


class Subsample(Section):
    """A case-wise split whose training part keeps a share of one class; the test part stays as it is."""

    kind: Literal["subsample"]
    base: Name = ours("protocol of kind cases that is thinned out: its first draw")
    of: Name = stated("class that is thinned out", source="Table 6")
    share: float = stated("share of the class's training slices or cases that is kept", source="Table 6", gt=0, le=1)
    unit: Literal["slice", "case"] = open_choice(
        "what is drawn, rounded half up",
        paper="proportions of COVID images; 13 slices at 1 %",
        default="slice",
        alternatives="case",
    )
    seed: int = open_choice(
        "seed of the first draw; shares with the same seed are nested", paper="not stated", default="any, recorded",
        alternatives="any", ge=0,
    )  # fmt: skip
    draws: int = ours("how many times it is drawn; run r uses draw r modulo draws", ge=1, le=1000)


Protocol = Annotated[Cases | Official | Folds | Subsample, Field(discriminator="kind")]


class Certificate(Section):
    """When two slices count as near duplicates."""

    hash_bits: int = ours("largest Hamming distance of two 64-bit perceptual hashes of the lung crop", ge=0, le=32)
    correlation: float = ours("least correlation of the two crops, pixel by pixel", gt=0, le=1)


def require_base(protocols: dict[str, Protocol]) -> None:
    """Raise ValueError where a subsample names a base that is no case-wise split."""
    for name, protocol in protocols.items():
        if isinstance(protocol, Subsample) and not isinstance(protocols.get(protocol.base), Cases):
            raise ValueError(f"protocols.{name}.base is {protocol.base!r}, which is no protocol of kind cases")
