"""The certificate of slices that are learned from without labels: what they share with what a split tests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.split.certificate import disjointness
from dsn_saal.split.make import levels_of, slice_names
from dsn_saal.split.near_duplicates import near_pairs, perceptual_hash

TESTED = ("validation", "test")
"""Parts that a run is chosen or judged by."""

IDS = ("case", "study", "series", "sop", "article")
"""Levels that are ids, which are hashed; equal ids have equal hashes only where the key is the same."""

RULE = (
    "PROVEN: no unlabelled slice has a case, file, pixels or near duplicate among the slices that are tested in any "
    "draw, and no level is violated. VIOLATED: a level is. UNPROVABLE: none is, and ids of a decisive level are "
    "missing or were hashed with another key. Ids are compared as they were issued: a patient who bears two ids in two "
    "data sets is found by the pixels or not at all, and one id may have been issued to two patients."
)


def tested_rows(split: pd.DataFrame) -> NDArray[np.int64]:
    """Rows that any draw of a split tests or chooses by, ascending."""
    return np.unique(split.loc[split["part"].isin(TESTED), "row"].to_numpy(np.int64))


def certify_unlabelled(
    tested: pd.DataFrame,
    unlabelled: pd.DataFrame,
    split: pd.DataFrame,
    grids: Sequence[NDArray[np.int16]],
    *,
    name: str,
    ids_comparable: bool,
    hash_bits: int,
    correlation: float,
) -> dict[str, Any]:
    """The certificate of unlabelled slices against all draws of a split.

    Args:
        tested: rows of the experiment's index that the split tests, see `tested_rows`.
        unlabelled: the index of the unlabelled data set.
        split: the split's table.
        grids: of the slices of both, see near_duplicates.grey_grids.
        name: of the unlabelled data set: stands before its slices' names.
        ids_comparable: whether both data sets hash their ids with the same key.
        hash_bits: see near_duplicates.near_pairs.
        correlation: see near_duplicates.near_pairs.

    Returns:
        As certificate.certify, without label conflicts, and "slices": how many are tested and unlabelled.
    """
    sides = [levels_of(index) for index in (tested, unlabelled)]
    if not ids_comparable:
        sides[1] |= {level: [""] * len(unlabelled) for level in IDS if level in sides[1]}
    counts = [len(tested), len(unlabelled)]
    blank = [[""] * count for count in counts]
    levels = {
        level: [*sides[0].get(level, blank[0]), *sides[1].get(level, blank[1])] for level in {**sides[0], **sides[1]}
    }
    both = np.concatenate(grids)
    hashes = np.array([perceptual_hash(grid) for grid in both], dtype=np.uint64)
    # Each data set counts as one case: pairs within it are none of this certificate's business.
    near = near_pairs(
        both, hashes, ["tested"] * counts[0] + ["unlabelled"] * counts[1], hash_bits=hash_bits, correlation=correlation
    )
    rows = tested["row"].to_numpy()
    parts = []
    for _, draw in split.groupby("draw"):
        held = draw.set_index("row")["part"].reindex(rows).to_numpy()
        known = np.where(np.isin(held, TESTED), "test", "unused")  # what these share is for the split's certificate
        parts.append(np.concatenate([known, np.full(counts[1], "train")]).astype("<U10"))
    names = [*slice_names(tested), *(f"{name}/{slice_name}" for slice_name in slice_names(unlabelled))]
    labels = [*tested["label"].tolist(), *unlabelled["label"].tolist()]
    found = disjointness(levels, near, parts, labels=labels, names=names)
    for entry in found["levels"].values():  # labels of the unlabelled set are not used, and mean another set's classes
        for finding in entry["findings"]:
            del finding["labels"]
    return found | {"rule": RULE, "slices": {"tested": counts[0], "unlabelled": counts[1]}}
