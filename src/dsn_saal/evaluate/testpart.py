"""The test part of a split: which images are predicted, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.data.resident import read_images
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.origin import Origin, common_origin
from dsn_saal.domain.pixels import PIXEL_FILES, Pixels
from dsn_saal.split.table import parts_of, read_split
from dsn_saal.storage.tables import read_table


@dataclass(frozen=True, eq=False)
class TestPart:
    """Slices that no training saw, in the order of their rows.

    Attributes:
        images: (n, S, S) uint8, masked, windowed and resized.
        slices: row, case, label, origin; n rows.
        origin: phantom where any slice is one.
    """

    images: NDArray[np.uint8]
    slices: pd.DataFrame
    origin: Origin


def read_test_part(
    images: Path, split: Path, *, image_size: int, n_classes: int, draw: int = 0, pixels: Pixels = "lungs"
) -> TestPart:
    """Read the slices that one draw of `split` gives to the test.

    Args:
        images: folder with images.npy (or the array that `pixels` names) and index.parquet.
        split: table of row, case, label, draw, part.
        image_size: expected side in pixels.
        n_classes: labels lie in 0..n_classes-1.
        draw: of the split.
        pixels: what of the slices is seen.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where split, index and images do not belong together, or there is no test slice.
    """
    parts = parts_of(read_split(split), draw)
    index = read_table(images / "index.parquet", ["row", "case", "label", "origin"])
    wanted = parts.loc[parts["part"] == "test", ["row", "case", "label"]].sort_values("row", ignore_index=True)
    slices = wanted.merge(index, on=["row", "case", "label"], how="left", validate="one_to_one")
    if slices["origin"].isna().any() or not slices["label"].between(0, n_classes - 1).all():
        raise CheckFailed(
            "split and index do not belong together", where=f"{split} and {images}", next_step="run split again"
        )
    if slices.empty:
        raise CheckFailed("the split has no test slice", where=split, next_step="look at split in the params")
    seen = read_images(images / PIXEL_FILES[pixels], slices["row"].to_numpy())
    if seen.shape[1:] != (image_size, image_size):
        raise CheckFailed(
            "images do not have the size that the params say",
            value=seen.shape[1:],
            where=images,
            next_step="run preprocess again",
        )
    return TestPart(seen, slices, common_origin(slices["origin"]))
