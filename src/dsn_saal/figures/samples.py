"""Figure 3: samples of the classes as the network sees them, with the outline of the lung mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.origin import common_origin
from dsn_saal.figures.style import OUTLINE, figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import SamplesFigureJob
from dsn_saal.storage.arrays import open_array
from dsn_saal.storage.tables import read_table

PANEL_INCHES = 2.1
"""Side of one panel."""


def choose_samples(index: pd.DataFrame, label: int, n_cases: int) -> list[int]:
    """Rows to show of a class: the slice with most lung of each of the first cases.

    Cases are taken in the order of their ids, which are keyed hashes: an order that nobody chose by looking.

    Args:
        index: row, case, label, lung_share.
        label: the class.
        n_cases: how many cases, fewer where there are not so many.
    """
    slices = index[index["label"] == label].sort_values(["case", "lung_share", "row"], ascending=[True, False, True])
    return [int(row) for row in slices.drop_duplicates("case")["row"].head(n_cases)]


def draw_figure(job: SamplesFigureJob, *, images: Path, out: Path) -> None:
    """Draw one column of panels a class, one row a case.

    Args:
        job: titles of the classes in label order, cases per class.
        images: folder with images.npy, masks.npy and index.parquet.
        out: path without suffix.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where a class has no slice, or images, masks and index do not belong together.
    """
    index = read_table(images / "index.parquet", ["row", "case", "label", "origin", "lung_share"])
    pixels, masks = open_array(images / "images.npy"), open_array(images / "masks.npy")
    if not len(index) == len(pixels) == len(masks):
        raise CheckFailed("images, masks and index do not belong together", where=images, next_step="run preprocess")
    with figure_style():
        n_rows, n_columns = job.cases_per_class, len(job.classes)
        figure = Figure(figsize=(PANEL_INCHES * n_columns, PANEL_INCHES * n_rows + 0.5), layout="constrained")
        axes = figure.subplots(n_rows, n_columns, squeeze=False)
        for label, title in enumerate(job.classes.values()):
            rows = choose_samples(index, label, job.cases_per_class)
            if not rows:
                raise CheckFailed("a class has no slice to show", value=title, where=images)
            axes[0, label].set_title(title)
            for axis in axes[:, label]:
                axis.set_axis_off()
            for axis, row in zip(axes[:, label], rows, strict=False):
                draw_slice(axis, pixels[row], masks[row])
        mark_origin(figure, common_origin(index["origin"]))
        write_figure_files(figure, out)


def draw_slice(axis: Axes, image: NDArray[np.uint8], packed: NDArray[np.uint8]) -> None:
    """A slice with the outline of its packed mask, none where the mask is empty or everything."""
    axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    mask = np.unpackbits(packed, count=image.size).reshape(image.shape)
    if mask.any() and not mask.all():
        axis.contour(mask, levels=[0.5], colors=OUTLINE, linewidths=0.7)
