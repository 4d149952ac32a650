"""What each case contributes to every metric, so that a resample of cases is one multiplication.

A confusion matrix is a sum over cases, and the area under a ROC curve a sum over pairs of cases: how often slices of
the one outrank slices of the other. Both are counted once; a draw of cases then only weighs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.confusion import class_rates, confusion_metrics, ratio
from dsn_saal.statistics.intervals import case_confusions

Floats = NDArray[np.float64]
Whole = NDArray[np.integer]
Level = Literal["slice", "case_weighted", "case"]

LEVELS: tuple[Level, ...] = ("slice", "case_weighted", "case")
"""Each slice weighs one; each case weighs one, its slices equal parts of it; each case is one answer."""

Question = tuple[int, int, int | None]
"""Column of scores, class of the positives, class of the negatives or None for all others."""


@dataclass(frozen=True)
class Pairs:
    """One area under a ROC curve, by pairs of cases.

    Attributes:
        wins: (cases, cases), weight of pairs in which a positive of the first outranks a negative of the second, ties
            half.
        positives: (cases,) weight of positives.
        negatives: (cases,) weight of negatives.
    """

    wins: Floats
    positives: Floats
    negatives: Floats


@dataclass(frozen=True)
class CaseCounts:
    """One run's answers at one level.

    Attributes:
        confusions: (cases, C, C).
        rest: a class against all others, C of them.
        pairs: one class against one other, both ways for each pair of classes.
    """

    confusions: Floats
    rest: tuple[Pairs, ...]
    pairs: tuple[Pairs, ...]


def case_answers(labels: Whole, probabilities: Floats, cases: Whole) -> tuple[Whole, Floats]:
    """Label (cases,) and mean probability over its slices (cases, C) of each case.

    Args:
        labels: (n,) true classes, the same for all slices of a case.
        probabilities: (n, C).
        cases: (n,) numbers the cases from 0 without gaps.

    Raises:
        BadRequest: where a case has no slice, or slices of two classes: it has no label then.
    """
    sizes = _sizes(cases)
    means = np.stack([np.bincount(cases, column) / sizes for column in probabilities.T], axis=1)
    first = np.unique(cases, return_index=True)[1]
    if (labels != labels[first][cases]).any():
        mixed = np.unique(cases[labels != labels[first][cases]])
        raise BadRequest("a case has slices of two classes, so it has no label", value=f"{len(mixed)} such cases")
    return labels[first], means


def count_cases(labels: Whole, probabilities: Floats, cases: Whole, *, level: Level = "slice") -> CaseCounts:
    """What each case contributes at a level.

    Args:
        labels: (n,) true classes in 0..C-1.
        probabilities: (n, C); the prediction is the largest, the lower label among equals.
        cases: (n,) numbers the cases from 0 without gaps.
        level: what weighs one, see LEVELS.

    Raises:
        BadRequest: where numbers of cases have gaps, or at level "case" a case has slices of two classes.
    """
    sizes = _sizes(cases)
    if level == "case":
        labels, probabilities = case_answers(labels, probabilities, cases)
        cases = np.arange(len(sizes))
    weights = 1 / sizes if level == "case_weighted" else np.ones(len(sizes))
    n_classes = probabilities.shape[1]
    confusions = case_confusions(labels, probabilities.argmax(axis=1), cases, n_classes)
    return CaseCounts(
        confusions * weights[:, None, None],
        tuple(_pairs(labels, probabilities, cases, weights, (c, c, None)) for c in range(n_classes)),
        tuple(_pairs(labels, probabilities, cases, weights, question) for question in _one_vs_one(n_classes)),
    )


def _sizes(cases: Whole) -> Whole:
    sizes = np.bincount(cases)
    if not sizes.size or not sizes.all():
        raise BadRequest(
            "cases must be numbered from 0 without gaps", value=f"{int((sizes == 0).sum())} without slices"
        )
    return sizes


def _one_vs_one(n_classes: int) -> Iterator[Question]:
    for a in range(n_classes):
        for b in range(a + 1, n_classes):
            yield (a, a, b)
            yield (b, b, a)


def _pairs(labels: Whole, probabilities: Floats, cases: Whole, weights: Floats, question: Question) -> Pairs:
    column, one, other = question
    scores, n_cases = probabilities[:, column], len(weights)
    positive = labels == one
    negative = ~positive if other is None else labels == other
    wins = np.zeros((n_cases, n_cases))
    order = np.flatnonzero(negative)[np.lexsort((scores[negative], cases[negative]))]  # by case, then by score
    names, first = np.unique(cases[order], return_index=True)
    ours = scores[positive]
    for case, rivals in zip(names, np.split(scores[order], first[1:]), strict=bool(len(names))):
        both = np.searchsorted(rivals, ours, "left") + np.searchsorted(rivals, ours, "right")
        wins[:, case] = np.bincount(cases[positive], both / 2, minlength=n_cases)
    held = [np.bincount(cases[flags], minlength=n_cases) * weights for flags in (positive, negative)]
    return Pairs(wins * weights[:, None] * weights[None, :], *held)


def areas(pairs: tuple[Pairs, ...], times: Floats) -> Floats:
    """Area of each question in each draw, (draws, questions); NaN where a draw lacks positives or negatives."""
    columns = [
        ratio(((times @ one.wins) * times).sum(axis=-1), (times @ one.positives) * (times @ one.negatives))
        for one in pairs
    ]
    return np.stack(columns, axis=-1)


def resampled_metrics(
    counts: CaseCounts, times: Floats, *, positive: int, classes: tuple[str, ...]
) -> dict[str, Floats]:
    """Every metric, the areas under the ROC curve among them, in each draw of cases.

    Args:
        counts: of one run.
        times: (draws, cases) how often each case is drawn; one row of ones measures the whole.
        positive: class of the `positive` conventions.
        classes: names in label order.

    Returns:
        The names of `measures.measure` to (draws,), NaN where undefined in a draw.
    """
    n_cases, n_classes, _ = counts.confusions.shape
    confusions = (times @ counts.confusions.reshape(n_cases, -1)).reshape(-1, n_classes, n_classes)
    values = confusion_metrics(confusions, positive)
    rest = areas(counts.rest, times)
    for rate, by_class in {**class_rates(confusions), "auc": rest}.items():
        values |= {f"{rate}.{name}": by_class[..., label] for label, name in enumerate(classes)}
    return values | {
        "auc.ovr_macro": rest.mean(axis=-1),
        "auc.positive": rest[..., positive],
        "auc.ovo_macro": areas(counts.pairs, times).mean(axis=-1),
    }
