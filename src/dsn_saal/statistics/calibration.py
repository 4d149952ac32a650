"""Whether probabilities mean what they say: proper scores, reliability by class, temperature scaling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.confusion import ratio

Floats = NDArray[np.float64]
Whole = NDArray[np.integer]

TEMPERATURES = (1e-3, 1e3)
"""Ends of the search. An optimum beyond an end is none: the answers are all right, or say nothing."""

LEAST = float(np.finfo(np.float64).tiny)
"""What stands for a probability of 0 before its logarithm is divided by a temperature."""


def brier_terms(labels: Whole, probabilities: Floats) -> Floats:
    """Squared distance of each row from its one-hot label, (n,), in [0, 2] (Brier 1950); its mean is the score."""
    return ((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1)


def log_loss_terms(labels: Whole, probabilities: Floats, *, least: float) -> Floats:
    """-log of each true class's probability, (n,), in nats; probabilities below `least` count as `least`."""
    return -np.log(np.maximum(probabilities[np.arange(labels.size), labels], least))


@dataclass(frozen=True)
class Reliability:
    """Sums by case, class and bin of predicted probability; all of shape (cases, C, bins).

    Attributes:
        slices: how many fall into the bin.
        predicted: sum of their probabilities.
        observed: how many of them are of the class.
    """

    slices: Floats
    predicted: Floats
    observed: Floats


def bin_of(probabilities: Floats, bins: int) -> Whole:
    """Number of the equal-width bin of each probability, the last one closed at 1."""
    return np.minimum((probabilities * bins).astype(np.int64), bins - 1)


def reliability(labels: Whole, probabilities: Floats, cases: Whole, *, bins: int) -> Reliability:
    """Sums behind the reliability curve of each class against the rest.

    Args:
        labels: (n,) true classes.
        probabilities: (n, C).
        cases: (n,) numbers the cases from 0.
        bins: number of equal-width bins on [0, 1].
    """
    if bins < 1:
        raise BadRequest("there must be at least one bin", value=bins)
    n_classes, n_cases = probabilities.shape[1], int(cases.max()) + 1
    shape = (n_cases, n_classes, bins)
    place = (cases[:, None] * n_classes + np.arange(n_classes)[None, :]) * bins + bin_of(probabilities, bins)
    truth = (labels[:, None] == np.arange(n_classes)[None, :]).astype(np.float64)

    def summed(values: Floats) -> Floats:
        return np.bincount(place.ravel(), values.ravel(), minlength=math.prod(shape)).reshape(shape).astype(np.float64)

    return Reliability(summed(np.ones_like(probabilities)), summed(probabilities), summed(truth))


def drawn(held: Reliability, times: Floats) -> Reliability:
    """The sums over cases in each draw, (draws, C, bins); `times` is (draws, cases)."""
    return Reliability(*(np.tensordot(times, part, axes=1) for part in (held.slices, held.predicted, held.observed)))


def observed_share(held: Reliability) -> Floats:
    """Share of the class among the slices of each bin, NaN where a bin is empty; shape of the sums."""
    return ratio(held.observed, held.slices)


def class_errors(held: Reliability) -> Floats:
    """Expected calibration error of each class: sum over bins of their share times |mean predicted - observed|.

    Class-wise, with equal-width bins (Kull et al. 2019, section 2). Biased upwards where bins hold few slices.

    Returns:
        (..., C) for sums of shape (..., C, bins); NaN without slices.
    """
    return ratio(abs(held.predicted - held.observed).sum(axis=-1), held.slices.sum(axis=-1))


@dataclass(frozen=True)
class Temperature:
    """A fitted temperature, or why there is none."""

    value: float | None
    missing_because: str | None = None


def scaled(probabilities: Floats, temperature: float) -> Floats:
    """Softmax of log-probabilities over a temperature, (n, C): above 1 softens, below 1 sharpens (Guo et al. 2017).

    The logarithm of a softmax is its logits up to a constant of each row, which the next softmax takes out again.
    """
    logits = np.log(np.maximum(probabilities, LEAST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(labels: Whole, probabilities: Floats) -> Temperature:
    """The temperature with the least log-loss on these slices: convex in its inverse, so there is one.

    Args:
        labels: (n,) true classes of slices that are not tested.
        probabilities: (n, C), finite.

    Returns:
        No value without slices, or where the optimum lies at an end of TEMPERATURES.
    """
    from scipy.optimize import brentq

    if not labels.size:
        return Temperature(None, "there are no slices to fit it on")
    logits = np.log(np.maximum(probabilities, LEAST))
    of_truth = logits[np.arange(labels.size), labels]

    def slope(inverse: float) -> float:
        """Of the loss by the inverse temperature: it only rises, and stays exact where the loss itself underflows."""
        powers = np.exp(inverse * (logits - logits.max(axis=1, keepdims=True)))
        return float(((powers * logits).sum(axis=1) / powers.sum(axis=1) - of_truth).mean())

    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if slope(low) >= 0:
        return Temperature(None, "these answers tell the classes so little that no temperature is too high")
    if slope(high) <= 0:
        return Temperature(None, "these answers are all right, so that no temperature is too low")
    return Temperature(1 / float(brentq(slope, low, high, xtol=1e-12)))
