"""Folds: every image is tested once, and what must stay together does."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.split.draw import shuffled


def units_of(
    unit: str, *, labels: Sequence[int], numbers: Sequence[int], cases: Sequence[str], block_size: int
) -> list[Hashable]:
    """What is dealt out: an image, a block of neighbouring numbers within a class, or a case.

    Raises:
        CheckFailed: where the set has no numbers or no cases to go by.
    """
    if unit == "image":
        return list(range(len(labels)))
    if unit == "block":
        if min(numbers) < 0:
            raise CheckFailed("the data set does not number its images", next_step="choose another unit of the folds")
        return [(label, number // block_size) for label, number in zip(labels, numbers, strict=True)]
    if not all(cases):
        raise CheckFailed("the data set does not name the case of every image", next_step="choose another unit")
    return list(cases)


def together(units: Sequence[Hashable], *identical: Sequence[str]) -> list[int]:
    """A group number per image: images of one unit, and images that share a key, are in one group.

    Args:
        units: what an image belongs to.
        identical: keys that must not be torn apart (digest of the file, of the pixels); "" is no key.

    Returns:
        Position of the first image of its group, per image.
    """
    parent = list(range(len(units)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for keys in (units, *identical):
        first: dict[Hashable, int] = {}
        for at, key in enumerate(keys):
            if key == "":
                continue
            one, other = sorted((root(at), root(first.setdefault(key, at))))
            parent[other] = one
    return [root(at) for at in range(len(units))]


def deal_folds(groups: Sequence[int], labels: Sequence[int], names: Sequence[str], *, folds: int, seed: int) -> NDArray:
    """The fold of every image: whole groups, class by class, always to the fold with fewest images of the class.

    Args:
        groups: group number per image.
        labels: label per image; a group counts under that of its first image.
        names: a name per image that does not depend on the order of the rows; a group's is the smallest of its images'.
        folds: how many.
        seed: of the order in which groups are dealt.

    Raises:
        CheckFailed: where a class has fewer groups than there are folds.
    """
    members: dict[int, list[int]] = {}
    for at, group in enumerate(groups):
        members.setdefault(group, []).append(at)
    by_label: dict[int, dict[str, list[int]]] = {}
    for images in members.values():
        first = min(images, key=lambda at: names[at])
        by_label.setdefault(labels[first], {})[names[first]] = images
    fold_of = np.zeros(len(groups), dtype=np.int16)
    for label, named in sorted(by_label.items()):
        if len(named) < folds:
            raise CheckFailed(
                f"class {label} has fewer units than there are folds",
                value=f"{len(named)} units, {folds} folds",
                next_step="take fewer folds or smaller blocks",
            )
        held = [0] * folds
        # Large groups first: what comes last is small, and the folds end up even.
        order = sorted(shuffled(list(named), seed), key=lambda name: -len(named[name]))
        for name in order:
            fold = held.index(min(held))
            held[fold] += len(named[name])
            fold_of[named[name]] = fold
    return fold_of
