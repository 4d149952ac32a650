"""The split that a data set came with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed


def official_parts(
    official: Sequence[str], train_3000: Sequence[bool], *, train_list: str, join_validation: bool
) -> NDArray[np.str_]:
    """The part of every slice by the set's own lists.

    Args:
        official: "train", "validation", "test" or "" per slice.
        train_3000: whether the slice stands in the public list of 3000.
        train_list: "train", or "train_3000": then other slices of the training list are unused.
        join_validation: whether the validation list trains as well.

    Raises:
        CheckFailed: where the set has no lists, or none of the wanted kind.
    """
    parts = np.array([part or "unused" for part in official], dtype="<U10")
    if train_list == "train_3000":
        parts[(parts == "train") & ~np.asarray(train_3000, dtype=bool)] = "unused"
    if join_validation:
        parts[parts == "validation"] = "train"
    for part in ("train", "test"):
        if not (parts == part).any():
            raise CheckFailed(
                f"the data set's lists name no image for {part}ing",
                value=train_list,
                next_step="put the lists where docs/datasets.md says, or choose another protocol",
            )
    return parts
