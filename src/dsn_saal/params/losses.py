"""The section `losses`: one model for each kind of loss."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dsn_saal.params.base import Section, open_choice, ours


class SideWeighted(Section):
    """What every loss has: it is summed over the outputs of a network with deep supervision."""

    side_weight: float = open_choice(
        "weight of each side loss beside the final one (a plain network has none)",
        paper="equal sum",
        default="1",
        alternatives="any",
        ge=0,
    )


class CrossEntropy(SideWeighted):
    """Cross-entropy: plain (the baseline's loss), weighted by class, or focal."""

    kind: Literal["cross_entropy"]
    weighting: Literal["none", "inverse_frequency", "class_balanced"] = ours(
        "weights of the classes: none, 1 / n (cost-sensitive), or the inverse effective number (Cui et al. 2019)"
    )
    effective_beta: float = ours("constant of weighting: class_balanced (the authors': 0.9999)", ge=0, lt=1)
    gamma: float = ours("focusing parameter of the focal loss; 0 is plain cross-entropy", ge=0, le=10)


class BinaryCrossEntropy(SideWeighted):
    """Cross-entropy of each class's sigmoid against the rest."""

    kind: Literal["binary_cross_entropy"]


class SymmetricCrossEntropy(SideWeighted):
    """Symmetric cross-entropy, the parent of the reverse term."""

    kind: Literal["symmetric_cross_entropy"]
    ce_weight: float = ours("weight of the cross-entropy (the authors' for CIFAR-10: 0.1)", ge=0)
    rce_weight: float = ours("weight of the reverse cross-entropy (the authors': 1)", ge=0)
    log_zero: float = ours("A, the value of log 0 (their paper: -4; their code: log(1e-4) = -9.21)", lt=0)


class MarginCrossEntropy(SideWeighted):
    """Cross-entropy with label-distribution-aware margins."""

    kind: Literal["margin_cross_entropy"]
    largest_margin: float = ours("margin of the rarest class (the authors': 0.5)", ge=0)
    scale: float = ours("factor of the margins: that of the cosines (the authors': 30), 1 for plain logits", gt=0)


class CenterCrossEntropy(SideWeighted):
    """Cross-entropy with centers of the classes among the features before the last layer."""

    kind: Literal["center"]
    center_weight: float = ours("lambda, weight of the pull to the centers (the authors' for faces: 0.003)", ge=0)
    center_rate: float = ours("alpha of the centers' own rule (the authors': 0.5)", ge=0, le=1)


class MaxMarginAffinity(SideWeighted):
    """Hinge on Gaussian affinities to prototypes, for a model that has them."""

    kind: Literal["max_margin_affinity"]
    margin: float = ours("lambda, by how much the affinity of the image's own class must lead", ge=0, le=1)
    spread_weight: float = ours("weight of the term that keeps prototypes at equal distances (theirs: 1)", ge=0)


class Saal(SideWeighted):
    """The self-adaptive auxiliary loss, equations (5) to (10)."""

    kind: Literal["saal"]
    alpha_init: Literal["normal", "uniform"] | float = open_choice(
        "start of alpha's raw value (before the sigmoid)",
        paper="random",
        default="N(0, 1)",
        alternatives="uniform on [0, 1), any constant (7.0 shows re-balancing)",
    )
    beta_init: Literal["normal", "uniform"] | float = open_choice(
        "start of each beta's raw value (before the sigmoid)",
        paper="random",
        default="N(0, 1)",
        alternatives="uniform on [0, 1), any constant",
    )
    betas: Literal["each_output", "each_stage", "one"] = open_choice(
        "how many betas",
        paper="one per stage",
        default="each_output (six on VGG-16)",
        alternatives="each_stage (the final output shares the last stage's), one",
    )
    log_zero: float = open_choice(
        "A, the value of log 0 in the reverse cross-entropy",
        paper="a constant below 0",
        default="-4",
        alternatives="-9.2103 = log(1e-4)",
        lt=0,
    )
    normalise_weights: Literal["none", "sum_to_classes"] = open_choice(
        "normalisation of the class weights", paper="not stated", default="none", alternatives="sum_to_classes"
    )
    decay_alpha_beta: bool = open_choice(
        "weight decay on the raw alpha and beta",
        paper="one SGD setting is printed",
        default="true",
        alternatives="false",
    )
    lr_alpha_beta: float = open_choice(
        "learning rate of the raw alpha and beta, as a factor on the regimen's rate",
        paper="one SGD setting is printed",
        default="1",
        alternatives="any",
        gt=0,
    )
    effective_number: bool = ours("weight the classes; false is an ablation")
    reverse: bool = ours("add the reverse cross-entropy; false is an ablation")
    learn_alpha: bool = ours("train alpha; false leaves it at its start, an ablation")
    learn_beta: bool = ours("train the betas; false leaves them at their start, an ablation")


Loss = Annotated[
    CrossEntropy
    | BinaryCrossEntropy
    | SymmetricCrossEntropy
    | MarginCrossEntropy
    | CenterCrossEntropy
    | MaxMarginAffinity
    | Saal,
    Field(discriminator="kind"),
]
