"""Every metric has a definition in words and symbols, and the symbols say what the code computes."""

import numpy as np
import pytest

from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.definitions import DEFINITIONS, ONE_CLASS, definition
from dsn_saal.statistics.measures import measure

CLASSES = {"covid19": "COVID-19", "normal": "Normal", "bacterial": "Bacterial"}
LABELS = np.array([0] * 5 + [1] * 4 + [2] * 3)
PROBABILITIES = np.random.default_rng(1).dirichlet([1, 1, 1], size=12)
MEASURED = measure(LABELS, PROBABILITIES, ClassSet(tuple(CLASSES), tuple(CLASSES), "covid19"))


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_every_metric_that_is_measured_is_defined(name):
    held = definition(name, CLASSES, "covid19")
    assert held.words.endswith(".") and "=" in held.symbols and "{c}" not in "".join(held)
    kind = name.partition(".")[2]
    spoken_of = CLASSES.get(kind) or ("COVID-19" if kind == "positive" else None)
    if spoken_of:
        assert spoken_of in held.words
    else:
        assert not any(title in held.words for title in CLASSES.values())


def test_nothing_is_defined_that_is_not_measured():
    of_classes = {f"{name.partition('.')[0]}.{ONE_CLASS}" for name in MEASURED if name.partition(".")[2] in CLASSES}
    assert set(DEFINITIONS) <= set(MEASURED) | of_classes


def test_an_unknown_metric_is_refused():
    for name in ("f1.micro", "kappa.overall", "sensitivity.flu"):
        with pytest.raises(BadRequest, match="no definition"):
            definition(name, CLASSES, "covid19")


def evaluated(symbols, counts):
    """The right side of a definition, for formulas that need the counts of one class or sums over classes alone."""
    tp, fp, fn, tn = counts
    n, size = tp[0] + fp[0] + fn[0] + tn[0], len(tp)
    sen, spe, pre = tp / (tp + fn), tn / (tn + fp), tp / (tp + fp)
    return {
        "ACC = Σ_c TP_c / n": tp.sum() / n,
        "ACC = (1/C) Σ_c (TP_c + TN_c) / n": ((tp + tn) / n).mean(),
        "ACC = (1/C) Σ_c TP_c / (TP_c + FN_c)": sen.mean(),
        "F1 = (1/C) Σ_c 2 TP_c / (2 TP_c + FP_c + FN_c)": (2 * tp / (2 * tp + fp + fn)).mean(),
        "F1 = Σ_c (n_c / n) · 2 TP_c / (2 TP_c + FP_c + FN_c)": ((tp + fn) / n * 2 * tp / (2 * tp + fp + fn)).sum(),
        "F1 = 2 P S / (P + S), with P = (1/C) Σ_c PRE_c and S = (1/C) Σ_c SEN_c": 2
        * pre.mean() * sen.mean() / (pre.mean() + sen.mean()),
        "G = (Π_c SEN_c)^(1/C)": sen.prod() ** (1 / size),
        "G = (1/C) Σ_c √(SEN_c · SPE_c)": np.sqrt(sen * spe).mean(),
        "G = √( (1/C) Σ_c SEN_c · (1/C) Σ_c SPE_c )": np.sqrt(sen.mean() * spe.mean()),
        "SEN = (1/C) Σ_c TP_c / (TP_c + FN_c)": sen.mean(),
        "SPE = (1/C) Σ_c TN_c / (TN_c + FP_c)": spe.mean(),
        "PRE = (1/C) Σ_c TP_c / (TP_c + FP_c)": pre.mean(),
        "ACC = (TP + TN) / n, for COVID-19": (tp[0] + tn[0]) / n,
        "F1 = 2 TP / (2 TP + FP + FN), for COVID-19": 2 * tp[0] / (2 * tp[0] + fp[0] + fn[0]),
        "G = √(SEN · SPE), for COVID-19": np.sqrt(sen[0] * spe[0]),
    }[symbols]  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(DEFINITIONS) & set(MEASURED) - {"auc.ovr_macro", "auc.ovo_macro"}))
def test_the_formula_worked_out_by_hand_is_the_metric(name):
    predicted = PROBABILITIES.argmax(axis=1)
    counts = np.array(
        [
            [(((predicted == c) == called) & ((c == LABELS) == truth)).sum() for c in range(3)]
            for truth, called in ((True, True), (False, True), (True, False), (False, False))
        ],
        dtype=float,
    )
    assert MEASURED[name] == pytest.approx(evaluated(definition(name, CLASSES, "covid19").symbols, counts))
