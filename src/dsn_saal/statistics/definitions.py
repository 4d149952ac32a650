"""What each metric is, in words and symbols: the same conventions that confusion.py and ranking.py compute.

TP, FP, FN, TN are counted for one class c against the rest; C is the number of classes, n the number of slices.
"""

from __future__ import annotations

from typing import NamedTuple

from dsn_saal.domain.errors import BadRequest


class Definition(NamedTuple):
    """A metric in words and in symbols; `{c}` in either stands for the class that it speaks of."""

    words: str
    symbols: str


ONE_CLASS = "one class"
"""Key of a rate that speaks of one class against the rest."""

DEFINITIONS = {
    "accuracy.overall": Definition("Slices whose predicted class is right, of all slices.", "ACC = Σ_c TP_c / n"),
    "accuracy.ovr_mean": Definition(
        "Accuracy of each class against the rest, averaged over classes.", "ACC = (1/C) Σ_c (TP_c + TN_c) / n"
    ),
    "accuracy.positive": Definition("Accuracy of {c} against the rest.", "ACC = (TP + TN) / n, for {c}"),
    "accuracy.balanced": Definition(
        "Mean over classes of the share that is found, also called balanced accuracy.",
        "ACC = (1/C) Σ_c TP_c / (TP_c + FN_c)",
    ),
    "f1.macro": Definition(
        "F1 of each class against the rest, averaged over classes with equal weight.",
        "F1 = (1/C) Σ_c 2 TP_c / (2 TP_c + FP_c + FN_c)",
    ),
    "f1.weighted": Definition(
        "F1 of each class against the rest, averaged with the number of its slices as weight.",
        "F1 = Σ_c (n_c / n) · 2 TP_c / (2 TP_c + FP_c + FN_c)",
    ),
    "f1.positive": Definition("F1 of {c} against the rest.", "F1 = 2 TP / (2 TP + FP + FN), for {c}"),
    "f1.of_means": Definition(
        "Harmonic mean of mean precision and mean sensitivity; it is not the mean of the classes' F1.",
        "F1 = 2 P S / (P + S), with P = (1/C) Σ_c PRE_c and S = (1/C) Σ_c SEN_c",
    ),
    "g_mean.multiclass": Definition(
        "Geometric mean of the classes' sensitivities: 0 as soon as one class is never found.",
        "G = (Π_c SEN_c)^(1/C)",
    ),
    "g_mean.ovr_mean": Definition(
        "For each class the root of sensitivity times specificity, averaged over classes.",
        "G = (1/C) Σ_c √(SEN_c · SPE_c)",
    ),
    "g_mean.root_of_means": Definition(
        "Root of mean sensitivity times mean specificity.", "G = √( (1/C) Σ_c SEN_c · (1/C) Σ_c SPE_c )"
    ),
    "g_mean.positive": Definition("Root of sensitivity times specificity of {c}.", "G = √(SEN · SPE), for {c}"),
    "auc.ovr_macro": Definition(
        "Area under the ROC curve of each class against the rest, averaged over classes: the chance that a slice of "
        "the class gets a larger probability of it than a slice of another, ties counted half.",
        "AUC = (1/C) Σ_c P(p_c of a slice of c > p_c of another)",
    ),
    "auc.ovo_macro": Definition(
        "Area under the ROC curve of each ordered pair of classes, averaged (Hand and Till 2001).",
        "AUC = 1/(C(C−1)) Σ_{a≠b} P(p_a of a slice of a > p_a of a slice of b)",
    ),
    "sensitivity.macro": Definition(
        "Sensitivity of each class, averaged over classes: macro recall.", "SEN = (1/C) Σ_c TP_c / (TP_c + FN_c)"
    ),
    "specificity.macro": Definition(
        "Specificity of each class against the rest, averaged over classes.", "SPE = (1/C) Σ_c TN_c / (TN_c + FP_c)"
    ),
    "precision.macro": Definition(
        "Precision of each class, averaged over classes.", "PRE = (1/C) Σ_c TP_c / (TP_c + FP_c)"
    ),
    f"sensitivity.{ONE_CLASS}": Definition(
        "Of the slices of {c}, the share that is called so.", "SEN = TP / (TP + FN)"
    ),
    f"specificity.{ONE_CLASS}": Definition(
        "Of the slices that are not {c}, the share that is not called so.", "SPE = TN / (TN + FP)"
    ),
    f"precision.{ONE_CLASS}": Definition("Of the slices called {c}, the share that is.", "PRE = TP / (TP + FP)"),
    f"f1.{ONE_CLASS}": Definition("F1 of {c} against the rest.", "F1 = 2 TP / (2 TP + FP + FN), for {c}"),
    f"auc.{ONE_CLASS}": Definition(
        "Area under the ROC curve of {c} against the rest: the chance that one of its slices gets a larger probability "
        "of it than another slice, ties counted half.",
        "AUC = P(p of a slice of {c} > p of another)",
    ),
}  # fmt: skip
"""Metric name to its definition; `family.one class` speaks of whichever class the name holds."""


def definition(name: str, classes: dict[str, str], positive: str) -> Definition:
    """The definition of a metric as `measure` names it.

    Args:
        name: such as "f1.macro" or "sensitivity.covid19".
        classes: class names with their titles.
        positive: the class that the `positive` conventions speak of.

    Raises:
        BadRequest: where the name is of no metric.
    """
    family, _, kind = name.partition(".")
    held = DEFINITIONS.get(name) or (DEFINITIONS.get(f"{family}.{ONE_CLASS}") if kind in classes else None)
    if name == "auc.positive":
        held = DEFINITIONS[f"auc.{ONE_CLASS}"]
    if held is None:
        raise BadRequest("no definition is known of this metric", value=name, next_step="add it to DEFINITIONS")
    title = classes[kind if kind in classes else positive]
    return Definition(held.words.replace("{c}", title), held.symbols.replace("{c}", title))
