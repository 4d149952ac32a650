"""Probabilities from the logits of a trained network."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def probabilities_of(
    logits: NDArray[np.float64], predict_from: Literal["final", "mean_softmax"]
) -> NDArray[np.float64]:
    """Class probabilities (n, C) from logits: of the final output, or the mean over all outputs.

    Args:
        logits: (outputs, n, C), or (epochs, outputs, n, C) where epochs vote: their probabilities are added up in this
            order and divided by their number.
        predict_from: see above.
    """
    chosen = logits[..., -1:, :, :] if predict_from == "final" else logits
    probabilities = softmax(chosen).mean(axis=-3)
    return probabilities if probabilities.ndim == 2 else sum(probabilities[1:], probabilities[0]) / len(probabilities)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis in float64, shifted so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
