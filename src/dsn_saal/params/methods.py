"""The section `methods`: what a method does besides choosing a network and a loss."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dsn_saal.domain.pixels import Normalisation
from dsn_saal.params.base import Name, Section, ours
from dsn_saal.params.regimens import Adam, Sgd


class Supervised(Section):
    """Learn from labels by one regimen."""

    kind: Literal["supervised"]
    regimen: Name = ours("regimen of the classifier")


class WeightNetwork(Section):
    """The network that maps the loss of an image to its weight, and how it is moved."""

    hidden: int = ours("width of its hidden layer (both official codes: 100)", ge=1, le=100_000)
    optimizer: Annotated[Sgd | Adam, Field(discriminator="kind")]
    lr: float = ours("its learning rate (official: 1e-5 for imbalance, 1e-3 for noise)", gt=0)
    weight_decay: float = ours("its weight decay (official: 5e-4 for imbalance, 1e-4 for noise)", ge=0)


class MetaWeight(Section):
    """Meta-Weight-Net: weights of images learnt from a small balanced set of training cases kept apart."""

    kind: Literal["meta_weight"]
    regimen: Name = ours("regimen of the classifier")
    per_class: int = ours("images of each class in the meta set (official for imbalance: 10)", ge=1, le=100_000)
    cases_per_class: int = ours(
        "fewest cases of each class that the meta set is drawn from; whole cases leave the training part", ge=1
    )
    meta_batch: int | None = ours(
        "meta images of a step, at most all; null: as many as training images (official)", ge=2
    )
    normalise: bool = ours("divide the weights of a batch by their sum (official: for imbalance true, for noise false)")
    weight_net: WeightNetwork


class Contrast(Section):
    """Momentum contrast: how two views of one slice are told from those of others (He et al. 2020)."""

    dim: int = ours("length of a slice's feature vector (Self-Trans: 128)", ge=2, le=65_536)
    queue: int = ours("features of earlier slices that a view is told from (Self-Trans: 128)", ge=2, le=1_000_000)
    key_momentum: float = ours("share that the key encoder keeps of itself in a step (Self-Trans: 0.999)", ge=0, lt=1)
    temperature: float = ours("divisor of the similarities (Self-Trans: 0.07)", gt=0, le=10)
    mlp_head: bool = ours("a hidden layer before the features, as MoCo v2 has it (Self-Trans: true)")


class SelfTrans(Section):
    """Self-Trans: momentum contrast on unlabelled slices, then on the training part, then learn from labels."""

    kind: Literal["self_trans"]
    regimen: Name = ours("regimen of the classifier")
    contrast: Contrast
    unlabelled: tuple[Name, ...] = ours(
        "data sets whose slices are used without their labels in a first contrastive phase (Self-Trans: 1000 slices of "
        "LUNA); none: that phase is left out",
        strict=False,
    )
    unlabelled_regimen: Name = ours("regimen of the contrastive phase on them")
    input_normalise: Normalisation | None = ours(
        "input normalisation of this method (Self-Trans: covid_ct); null: network.normalise"
    )
    target_regimen: Name = ours("regimen of the contrastive phase on the training part of the experiment's split")


class Features(Section):
    """What a classical method sees of a preprocessed image; the paper does not say what those of Table 9 saw."""

    histogram_bins: int = ours("bins of the grey histogram over 0 to 255, each the share of its pixels", ge=2, le=256)
    thumbnail_px: int = ours("side of the thumbnail: means of equal squares, grey values from 0 to 1", ge=1, le=64)


class DecisionTree(Section):
    """scikit-learn's DecisionTreeClassifier."""

    kind: Literal["decision_tree"]
    max_depth: int | None = ours("largest depth; null: until leaves are pure (scikit-learn's default)", ge=1)
    min_leaf: int = ours("fewest training images of a leaf (scikit-learn's default: 1)", ge=1)


class AdaBoost(Section):
    """scikit-learn's AdaBoostClassifier over decision trees."""

    kind: Literal["adaboost"]
    trees: int = ours("trees that are boosted (scikit-learn's default: 50)", ge=1, le=10_000)
    depth: int = ours("largest depth of each (scikit-learn's default: 1, stumps)", ge=1, le=100)
    rate: float = ours("factor of each tree's share (scikit-learn's default: 1)", gt=0)


class Classical(Section):
    """A classifier of scikit-learn on features of the preprocessed images: no network, no pixels, no loss."""

    kind: Literal["classical"]
    classifier: Annotated[DecisionTree | AdaBoost, Field(discriminator="kind")]
    features: Features


NetworkMethod = Supervised | MetaWeight | SelfTrans
"""Methods that move the weights of a network by a regimen."""

Method = Annotated[Supervised | MetaWeight | SelfTrans | Classical, Field(discriminator="kind")]
