"""Labels of a training set: how many of each class, and the control that deals them out anew."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dsn_saal.domain.errors import CheckFailed


def class_counts(labels: Tensor, classes: Sequence[str]) -> dict[str, int]:
    """Images per class; raises CheckFailed where a class has none or a label names no class."""
    if len(labels) and (int(labels.min()) < 0 or int(labels.max()) >= len(classes)):
        raise CheckFailed("a label names no class", value=f"{int(labels.min())} to {int(labels.max())}", where=classes)
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    counted = dict(zip(classes, counts, strict=True))
    empty = [name for name, count in counted.items() if count == 0]
    if empty:
        raise CheckFailed(
            "a class has no training image",
            value=", ".join(empty),
            next_step="a network cannot learn it: add cases, or take the class out of the data set",
        )
    return counted


def dealt_anew(labels: Tensor, generator: torch.Generator) -> Tensor:
    """The same labels in an order drawn anew: every class keeps its count, no image keeps its meaning."""
    return labels[torch.randperm(len(labels), generator=generator)]
