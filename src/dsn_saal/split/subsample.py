"""Fewer training slices of one class, as Table 6 has it: shares with the same seed lie inside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsn_saal.split.draw import shuffled


def kept_count(total: int, share: float) -> int:
    """floor(share * n + 0.5), at least 1: 314, 126, 63 and 13 of Table 2's 1256."""
    return max(1, math.floor(share * total + 0.5))


def thinned(
    parts: NDArray[np.str_],
    of_class: NDArray[np.bool_],
    *,
    slices: Sequence[str],
    cases: Sequence[str],
    share: float,
    unit: str,
    seed: int,
) -> NDArray[np.str_]:
    """The parts with a class's training slices thinned out; the rest of them becomes "unused".

    Args:
        parts: part of every slice.
        of_class: whether a slice is of the class.
        slices: a name per slice that does not depend on the order of the rows, unique.
        cases: case of every slice.
        share: share of the class's training slices or cases that stays.
        unit: "slice" or "case".
        seed: of the order in which they are taken: the same whatever the share, so a smaller share lies inside.
    """
    names = np.asarray(slices if unit == "slice" else cases, dtype=object)
    training = of_class & (parts == "train")
    order = shuffled(sorted(set(names[training])), seed)
    kept = set(order[: kept_count(len(order), share)])
    thin = parts.copy()
    thin[training & ~np.isin(names.astype(str), sorted(kept))] = "unused"
    return thin
