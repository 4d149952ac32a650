"""Which cases train and which test: by case, never by slice (paper section 4.1)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed


def train_count(n_cases: int, train_share: float) -> int:
    """Cases that train: floor(share * n + 0.5), which gives Table 2's 43 / 67 / 48 of 61 / 95 / 69.

    Python's `round` (66.5 becomes 66) and stratified shuffling by share (68 test cases) do not.
    """
    return math.floor(train_share * n_cases + 0.5)


def shuffled(cases: Sequence[str], seed: int) -> list[str]:
    """The cases in the order of their BLAKE2b hash keyed by the seed.

    The order is the same on every machine and with every library version, and a case that joins later does not
    disturb the order of the others.
    """
    key = seed.to_bytes(16, "little")
    return sorted(cases, key=lambda case: hashlib.blake2b(case.encode(), key=key, digest_size=16).digest())


def draw_per_class(
    cases: Mapping[str, Mapping[str, int]], *, train_share: float, seed: int, train_slices: Mapping[str, int] | None
) -> set[str]:
    """Draw the training cases class by class.

    Args:
        cases: class name to {case id: number of its slices}.
        train_share: share of each class's cases that train.
        seed: seed of the draw.
        train_slices: slices per class that the training cases must hold together, or None.

    Returns:
        The ids of the training cases.

    Raises:
        CheckFailed: where a class cannot be split, or no draw holds the wanted number of slices.
    """
    training: set[str] = set()
    for position, (name, slices_of) in enumerate(cases.items()):
        wanted = train_count(len(slices_of), train_share)
        _require_both_parts(name, len(slices_of), wanted)
        order = shuffled(list(slices_of), seed)
        if train_slices is None:
            training.update(order[:wanted])
            continue
        generator = np.random.Generator(np.random.PCG64([seed, position]))
        sizes = np.array([slices_of[case] for case in order], dtype=np.int64)
        chosen = _draw_with_total(sizes, wanted, train_slices[name], generator)
        if chosen is None:
            raise CheckFailed(
                f"no {wanted} of the {len(order)} cases of class {name} hold the wanted number of training slices",
                value=train_slices[name],
                where=f"split.train_slices.{name}",
                next_step="set split.train_slices to null, or to counts that these cases can hold",
            )
        training.update(case for case, taken in zip(order, chosen, strict=True) if taken)
    return training


def draw_unstratified(cases: Mapping[str, Mapping[str, int]], *, train_share: float, seed: int) -> set[str]:
    """Draw the training cases from all classes together; raises CheckFailed where a part then lacks a class."""
    order = shuffled([case for slices_of in cases.values() for case in slices_of], seed)
    training = set(order[: train_count(len(order), train_share)])
    for name, slices_of in cases.items():
        _require_both_parts(name, len(slices_of), len(training & set(slices_of)))
    return training


def _require_both_parts(name: str, n_cases: int, n_train: int) -> None:
    if 0 < n_train < n_cases:
        return
    raise CheckFailed(
        f"class {name} would have no case in the {'test' if n_train else 'training'} part",
        value=f"{n_cases} case{'' if n_cases == 1 else 's'}, {n_train} of them training",
        where="split.rule, split.train_share",
        next_step="a case-wise split needs at least two cases of every class: add cases, or take the class out",
    )


def _draw_with_total(
    sizes: NDArray[np.int64], count: int, total: int, generator: np.random.Generator
) -> NDArray[np.bool_] | None:
    """One subset of `count` sizes that sum to `total`, uniform over all such subsets; None where there is none.

    `ways[i, k, s]` counts the subsets of the first i sizes with k members and sum s; walking back from the end, each
    size is taken with the share of subsets that hold it.
    """
    n = len(sizes)
    if total < 0:
        return None
    ways = np.zeros((n + 1, count + 1, total + 1))
    ways[0, 0, 0] = 1.0
    for i, size in enumerate(sizes):
        ways[i + 1] = ways[i]
        if size <= total:
            ways[i + 1, 1:, size:] += ways[i, :-1, : total + 1 - size]
    if ways[n, count, total] == 0:
        return None
    taken = np.zeros(n, dtype=bool)
    k, s = count, total
    for i in range(n - 1, -1, -1):
        without = ways[i, k, s]
        if generator.random() * ways[i + 1, k, s] >= without:
            taken[i] = True
            k, s = k - 1, s - int(sizes[i])
    return taken
