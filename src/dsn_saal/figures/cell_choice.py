"""Which slices stand for a confusion: a rule over mean probabilities, so that nobody chooses by looking."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from dsn_saal.evaluate.stored import stored_probabilities

THIRDS = ("basal", "middle", "apical")
"""Where a slice lies among those of its case, from the feet to the head."""


def diagnosed(tables: Sequence[pd.DataFrame], classes: Collection[str]) -> pd.DataFrame:
    """What the runs say together of each slice: row, case, label, origin, predicted, probability.

    The probability of a class is its mean over runs, the prediction the class with the largest mean.

    Args:
        tables: predictions of the runs that finished, at least one.
        classes: names in label order.
    """
    mean = np.mean([stored_probabilities(table, classes) for table in tables], axis=0)
    slices = tables[0][["row", "case", "label", "origin"]]
    return slices.assign(predicted=mean.argmax(axis=1), probability=mean.max(axis=1))


def most_and_least(slices: pd.DataFrame, true: int, predicted: int) -> list[dict[str, object]]:
    """Of one confusion cell the most and the least confident slice; one where there is only one, none where none."""
    cell = _ordered(slices, true, predicted)
    ends = cell.iloc[[0, -1]] if len(cell) > 1 else cell
    return _records(ends)


def worst(slices: pd.DataFrame, true: int, predicted: int, count: int) -> list[dict[str, object]]:
    """The slices of one confusion whose wrong class is named with most confidence."""
    return _records(_ordered(slices, true, predicted).head(count))


def _ordered(slices: pd.DataFrame, true: int, predicted: int) -> pd.DataFrame:
    """A cell from most to least confident; ties in the order of rows."""
    cell = slices[(slices["label"] == true) & (slices["predicted"] == predicted)]
    return cell.sort_values(["probability", "row"], ascending=[False, True])


def _records(slices: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(key): value for key, value in record.items()} for record in slices.to_dict("records")]


def positions(index: pd.DataFrame) -> dict[int, str]:
    """Position of every slice in the stretch that its case's slices cover, by row; "" where heights are not known.

    Args:
        index: row, case, z_mm (towards the head), of all slices.
    """
    known = index[index["z_mm"].notna() & (index["case"] != "")]
    z = known.groupby("case")["z_mm"]
    low, high = z.transform("min"), z.transform("max")
    place = (known["z_mm"] - low) / (high - low).where(high > low)
    thirds = {int(row): THIRDS[min(2, int(3 * at))] for row, at in zip(known["row"], place, strict=True) if at == at}
    return {int(row): thirds.get(int(row), "") for row in index["row"]}
