"""A validation part carved out of the training part: whole cases, class by class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dsn_saal.domain.errors import CheckFailed


@dataclass(frozen=True)
class Carved:
    """Positions of training slices, ascending, int64.

    Attributes:
        train: what is left to learn from.
        validation: what is held out.
        unit: "case", or "slice" where the case of a slice is unknown: such a slice is held out by itself.
    """

    train: Tensor
    validation: Tensor
    unit: Literal["case", "slice"]


def carve(
    labels: Sequence[int], cases: Sequence[str], classes: Sequence[str], *, share: float, generator: torch.Generator
) -> Carved:
    """Hold out a share of each class's cases, rounded to the nearest number but at least one.

    Args:
        labels: label of each slice. A case counts as what most of its slices are, the lower label where equally many.
        cases: case of each slice, "" where it is unknown.
        classes: names in label order.
        share: share of the cases that is held out.
        generator: source of the draw.

    Raises:
        CheckFailed: where a class has too few cases to hold one out and keep one.
    """
    unit_of: list[str | int] = [case or at for at, case in enumerate(cases)]
    members: dict[str | int, list[int]] = {}
    for at, unit in enumerate(unit_of):
        members.setdefault(unit, []).append(at)
    held: list[int] = []
    for label, name in enumerate(classes):
        units = [unit for unit, slices in members.items() if _mostly([labels[at] for at in slices]) == label]
        wanted = max(1, math.floor(share * len(units) + 0.5))
        if wanted >= len(units):
            raise CheckFailed(
                f"class {name} has too few training cases to hold a validation part out",
                value=f"{len(units)} cases, {wanted} of them for validation",
                where="train.validation_share",
                next_step="set train.select_epoch to last, lower the share, or take a protocol with more cases",
            )
        drawn = torch.randperm(len(units), generator=generator)[:wanted].tolist()
        held += [at for place in drawn for at in members[units[place]]]
    is_held = torch.zeros(len(unit_of), dtype=torch.bool)
    is_held[held] = True
    return Carved((~is_held).nonzero()[:, 0], is_held.nonzero()[:, 0], "case" if all(cases) else "slice")


def _mostly(labels: Sequence[int]) -> int:
    return min(set(labels), key=lambda label: (-labels.count(label), label))
