"""Figure 7: class activation maps of the methods side by side, with the share of their energy in the lungs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.named import require_named
from dsn_saal.domain.origin import common_origin
from dsn_saal.figures.samples import choose_samples, draw_slice
from dsn_saal.figures.style import figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import CamFigureJob
from dsn_saal.storage.arrays import open_array
from dsn_saal.storage.tables import read_table

PANEL = 1.12
"""Inches of one picture."""

COLOURS = "inferno"
"""Its lightness rises throughout, so that grey print keeps the order."""

STRONGEST = 0.75
"""Opacity of the largest value of a map; zero shows the slice as it is."""


class Cams(NamedTuple):
    """What probe cam wrote of one experiment: report, slices, and maps (n, g, g) in their order."""

    report: dict[str, Any]
    slices: pd.DataFrame
    maps: NDArray[np.float32]


def read_cam(folder: Path, experiment: str) -> Cams:
    """Read the maps of one experiment.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where one is damaged or of another experiment.
    """
    try:
        report = json.loads((folder / "cam.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest(
            "there are no maps", value=folder, next_step=f"run dsn-saal probe cam for {experiment}"
        ) from None
    except ValueError as error:
        raise CheckFailed("cam.json is damaged", value=str(error), where=folder, next_step="make it again") from None
    slices, maps = read_table(folder / "slices.parquet"), open_array(folder / "maps.npy")
    if report.get("experiment") != experiment or len(slices) != len(maps):
        raise CheckFailed(
            f"these are not the maps of {experiment}", value=report.get("experiment"), where=folder,
            next_step="name the folder of the same experiment",
        )  # fmt: skip
    return Cams(report, slices, maps)


def draw_figure(job: CamFigureJob, *, images: Path, cams: Mapping[str, Path], out: Path) -> None:
    """Draw a column a slice: the slice as the network sees it, and below it each method's map over it.

    Args:
        job: methods in order, titles of the classes, cases per class.
        images: folder with images.npy, masks.npy and index.parquet.
        cams: experiment to the folder that probe cam wrote.
        out: path without suffix.

    Raises:
        BadRequest: where a file or an experiment is missing.
        CheckFailed: where files are damaged or do not belong together.
    """
    require_named("--cam", cams, [row.name for row in job.rows])
    held = {row.name: read_cam(cams[row.name], row.name) for row in job.rows}
    index = read_table(images / "index.parquet", ["row", "case", "label", "origin", "lung_share"])
    pixels, masks = open_array(images / "images.npy"), open_array(images / "masks.npy")
    if not len(index) == len(pixels) == len(masks):
        raise CheckFailed("images, masks and index do not belong together", where=images, next_step="run preprocess")
    shown = _choose(job, index, held)
    with figure_style():
        columns, rows = len(job.classes) * job.cases_per_class, 1 + len(job.rows)
        figure = Figure(figsize=(PANEL * columns + 0.35, (PANEL + 0.28) * rows + 0.7), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis in axes.ravel():
            _bare(axis)
        for column, (title, row) in enumerate(shown):
            axes[0, column].set_title(title, fontsize=7)
            if row is None:
                for axis in axes[:, column]:
                    _say(axis, "no slice")
                continue
            draw_slice(axes[0, column], pixels[row], masks[row])
            for axis, method in zip(axes[1:, column], job.rows, strict=True):
                _draw_map(axis, job, held[method.name], row, pixels[row], masks[row])
        for axis, words in zip(axes[:, 0], ["slice", *(row.title for row in job.rows)], strict=True):
            axis.set_ylabel(words, fontsize=7.5, fontweight="bold")
        figure.supxlabel(
            "Under a map: the class it speaks for, its probability, and the share of the map in the lungs (outline)",
            fontsize=6.5,
        )
        mark_origin(figure, common_origin(index["origin"]))
        write_figure_files(figure, out)


def _choose(job: CamFigureJob, index: pd.DataFrame, held: Mapping[str, Cams]) -> list[tuple[str, int | None]]:
    """Title and row of every column: of each class's first test cases by hashed id the slice with most lung."""
    mapped = [set(cam.slices["row"]) for cam in held.values() if len(cam.slices)]
    tested = index[index["row"].isin(set.intersection(*mapped))] if mapped else index.iloc[:0]
    columns: list[tuple[str, int | None]] = []
    for label, title in enumerate(job.classes.values()):
        rows: list[int | None] = [*choose_samples(tested, label, job.cases_per_class)]
        columns += [(title, row) for row in rows + [None] * (job.cases_per_class - len(rows))]
    return columns


def _draw_map(
    axis: Axes, job: CamFigureJob, cam: Cams, row: int, image: NDArray[np.uint8], packed: NDArray[np.uint8]
) -> None:
    """A map over its slice, stretched smoothly from its own grid."""
    found = np.flatnonzero(cam.slices["row"].to_numpy() == row)
    if not len(found):
        _say(axis, str(cam.report["missing_because"] or "no map").replace(" (", "\n("))
        return
    known, values = cam.slices.iloc[found[0]], cam.maps[found[0]].astype(np.float64)
    draw_slice(axis, image, packed)
    if values.max() > 0:
        strength, extent = values / values.max(), (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
        axis.imshow(
            strength, cmap=COLOURS, vmin=0, vmax=1, alpha=STRONGEST * strength, interpolation="bilinear", extent=extent
        )
        inside = f"{100 * known['share']:.0f} % in the lungs"
    else:
        inside = "map is zero"
    named = list(job.classes.values())[int(known["target"])]
    sure = f", {known['probability']:.2f}" if known["target"] == known["predicted"] else ""
    axis.set_xlabel(f"{named}{sure}\n{inside}", fontsize=5.6, labelpad=2)


def _bare(axis: Axes) -> None:
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)


def _say(axis: Axes, words: str) -> None:
    axis.set_facecolor("#f4f4f4")
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.text(0.5, 0.5, words, ha="center", va="center", fontsize=6)
