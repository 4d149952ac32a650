"""A small balanced set carved out of the training part by case: what Meta-Weight-Net learns its weights from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal, TypeVar

import torch
from torch import Tensor

from dsn_saal.domain.errors import CheckFailed

Item = TypeVar("Item")

NEXT_STEP = "lower per_class or cases_per_class of the method, or take a protocol with more cases of this class"


@dataclass(frozen=True)
class Carved:
    """Positions of training slices, ascending, int64.

    Attributes:
        train: what is left to learn from: no slice of a case that gave a meta slice.
        meta: the same number of each class.
        unit: "case", or "slice" where the case of a slice is unknown: such a slice is taken by itself.
    """

    train: Tensor
    meta: Tensor
    unit: Literal["case", "slice"]


def carve_meta_set(
    labels: Sequence[int],
    cases: Sequence[str],
    classes: Sequence[str],
    *,
    per_class: int,
    cases_per_class: int,
    generator: torch.Generator,
) -> Carved:
    """Take whole cases of each class out of the training part and choose the meta set among their slices.

    The cases come in an order that is drawn: `cases_per_class` of them, and more while their slices of the class are
    too few. The slices are dealt out evenly over these cases, in an order that is drawn too; what the cases hold
    beyond is used for nothing.

    Args:
        labels: label of each slice.
        cases: case of each slice, "" where it is unknown.
        classes: names in label order.
        per_class: meta slices of each class.
        cases_per_class: fewest cases of each class that they come from.
        generator: source of the draw.

    Raises:
        CheckFailed: where a class has too few cases to give that many slices and keep one case to learn from.
    """
    unit_of: list[str | int] = [case or at for at, case in enumerate(cases)]
    gone: set[str | int] = set()
    meta: list[int] = []
    for label, name in enumerate(classes):
        slices: dict[str | int, list[int]] = {}
        for at in _drawn([at for at, one in enumerate(labels) if one == label and unit_of[at] not in gone], generator):
            slices.setdefault(unit_of[at], []).append(at)
        taken: list[list[int]] = []
        order = _drawn(sorted(slices, key=str), generator)
        # A slice of unknown case is a case by itself, so the slices decide how many are taken.
        while len(taken) < len(order) and (len(taken) < cases_per_class or sum(map(len, taken)) < per_class):
            taken.append(slices[order[len(taken)]])
        gone.update(order[: len(taken)])
        dealt = [at for turn in zip_longest(*taken) for at in turn if at is not None][:per_class]
        if len(dealt) < per_class:
            raise CheckFailed(
                f"class {name} has too few training slices for the meta set",
                value=f"{len(dealt)} of {per_class}, from {len(order)} cases",
                next_step=NEXT_STEP,
            )
        meta += dealt
    left = [at for at in range(len(labels)) if unit_of[at] not in gone]
    for label, name in enumerate(classes):
        if not any(labels[at] == label for at in left):
            raise CheckFailed(
                f"class {name} has too few training cases to spare a meta set: none would be left to learn from",
                value=f"{per_class} slices of at least {cases_per_class} cases are wanted",
                next_step=NEXT_STEP,
            )
    return Carved(torch.tensor(left), torch.tensor(sorted(meta)), "case" if all(cases) else "slice")


def _drawn(items: list[Item], generator: torch.Generator) -> list[Item]:
    return [items[at] for at in torch.randperm(len(items), generator=generator).tolist()]
