"""True lung masks beside a phantom source, and how well a mask meets their hulls."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pandas as pd

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.preprocess.morphology import Mask
from dsn_saal.preprocess.regions import hulls, largest, outlines

LUNGS = 2
"""Regions of a true mask that a hull is drawn round."""

TruthAt = tuple[str, int]
"""File of a series' true masks below the folder of truths, and the slice's place in it."""


def truth_folder(source: Path) -> Path:
    """Where the true masks of a source lie: `truth` beside it."""
    return source.parent / "truth"


def truth_of(source: Path, index: pd.DataFrame) -> tuple[list[TruthAt | None], str | None]:
    """The true mask of every slice of a manifest.

    Args:
        source: folder of the DICOM tree.
        index: rows with path, series and z_mm.

    Returns:
        Per row the place of its true mask or None, and a reason where no row has one.
    """
    root = truth_folder(source)
    if not root.is_dir():
        return [None] * len(index), "no true masks beside the source"
    folders = index["path"].map(lambda path: PurePosixPath(path).parent.as_posix())
    rank = index.groupby(folders)["z_mm"].rank(method="first").astype(int) - 1
    size = index.groupby(folders)["z_mm"].transform("size")
    known = {folder: _slices_in(root / f"{folder}.npy") for folder in folders.unique()}
    found = [
        (f"{folder}.npy", place) if known[folder] == count else None
        for folder, place, count in zip(folders, rank, size, strict=True)
    ]
    return found, None if any(found) else "no series has as many true masks as slices"


def _slices_in(path: Path) -> int:
    return len(np.load(path, mmap_mode="r", allow_pickle=False)) if path.is_file() else 0


def read_truth(root: Path, at: TruthAt, side: int) -> Mask:
    """True lungs of one slice, (side, side) 0 or 255; raises CheckFailed where the file has another shape."""
    packed = np.load(root / at[0], mmap_mode="r", allow_pickle=False)
    if packed.dtype != np.uint8 or packed.ndim != 3 or packed.shape[1:] != (side, -(-side // 8)):
        raise CheckFailed("a true mask does not fit its slices", value=packed.shape, where=at[0])
    return np.unpackbits(packed[at[1]], axis=1, count=side) * np.uint8(255)


def hull_overlap(mask: Mask, truth: Mask) -> float | None:
    """Intersection over union of a mask with the hulls of the true lungs; None where there are none."""
    lungs = largest(outlines(truth), LUNGS)
    if not lungs:
        return None
    hull = hulls(truth.shape, lungs, joint=False)
    union = cv2.countNonZero(cv2.bitwise_or(mask, hull))
    return cv2.countNonZero(cv2.bitwise_and(mask, hull)) / union
