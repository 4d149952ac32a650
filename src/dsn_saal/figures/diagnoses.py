"""Figure 6, diagnosed and misdiagnosed slices, and the gallery of failures: chosen by rule, with probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.named import require_named
from dsn_saal.domain.origin import common_origin
from dsn_saal.evaluate.stored import read_runs
from dsn_saal.figures.cell_choice import diagnosed, most_and_least, positions, worst
from dsn_saal.figures.samples import draw_slice
from dsn_saal.figures.style import figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import DiagnosesFigureJob
from dsn_saal.storage.arrays import open_array
from dsn_saal.storage.tables import read_table

INDEX = ["row", "case", "z_mm", "origin", "lung_share", "empty", "touches_border", "asymmetry"]
NOTES = {"empty": "no lungs found", "touches_border": "cut by the border"}
"""What a caption says of a quality flag."""

PANEL = 1.02
"""Inches of one slice."""


@dataclass(frozen=True)
class Sources:
    """What both figures read.

    Attributes:
        slices: what the runs say together of each test slice; None where every run diverged.
        pixels: (N, S, S).
        masks: packed, (N, bytes).
        index: of all slices, by row.
        where: position of each slice in its case.
        runs: how many runs finished.
    """

    slices: pd.DataFrame | None
    pixels: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    index: pd.DataFrame
    where: Mapping[int, str]
    runs: int


def _read(job: DiagnosesFigureJob, images: Path, predictions: Mapping[str, Path]) -> Sources:
    name = job.experiment.name
    require_named("--predictions", predictions, [name])
    index = read_table(images / "index.parquet", INDEX)
    pixels, masks = open_array(images / "images.npy"), open_array(images / "masks.npy")
    if not len(index) == len(pixels) == len(masks):
        raise CheckFailed("images, masks and index do not belong together", where=images, next_step="run preprocess")
    tables = [table for table in read_runs(predictions[name], name, job.runs, job.classes) if len(table)]
    slices = diagnosed(tables, job.classes) if tables else None
    if slices is not None and not slices["row"].isin(index["row"]).all():
        raise CheckFailed("predictions are of other slices than the images", where=predictions[name],
                          next_step=f"evaluate {name} again")  # fmt: skip
    return Sources(slices, pixels, masks, index.set_index("row"), positions(index), len(tables))


def draw_diagnoses(job: DiagnosesFigureJob, *, images: Path, predictions: Mapping[str, Path], out: Path) -> None:
    """Draw the confusion matrix in pictures: of each cell the most and the least confident slice.

    Args:
        job: classes, the experiment, its number of runs.
        images: folder with images.npy, masks.npy and index.parquet.
        predictions: the experiment's folder that evaluate wrote.
        out: path without suffix.

    Raises:
        BadRequest: where a file is missing or another experiment's is named.
        CheckFailed: where files do not belong together.
    """
    held, titles = _read(job, images, predictions), list(job.classes.values())
    n = len(titles)
    with figure_style():
        figure = Figure(figsize=(2 * n * PANEL + 0.5, n * (PANEL + 0.26) + 0.75), layout="constrained")
        parts = figure.subfigures(1, n, squeeze=False, wspace=0.02, width_ratios=[1.13] + [1] * (n - 1))[0]
        for named, part in enumerate(parts):
            part.suptitle(f"predicted: {titles[named]}", fontsize=7.5, fontweight="bold")
            for true, cell in enumerate(part.subplots(n, 2, squeeze=False)):
                found = [] if held.slices is None else most_and_least(held.slices, true, named)
                _draw_cell(list(cell), held, found, correct=true == named, words=("most sure", "least sure"))
                if named == 0:
                    cell[0].set_ylabel(f"true: {titles[true]}".replace(" pneumonia", "\npneumonia"), fontsize=7)
        figure.supxlabel(_legend(job, held, "; thick frame: rightly diagnosed"), fontsize=6)
        mark_origin(figure, common_origin(held.index["origin"]))
        write_figure_files(figure, out)


def draw_failures(job: DiagnosesFigureJob, *, images: Path, predictions: Mapping[str, Path], out: Path) -> None:
    """Draw the most confident errors: a row a confusion, with case, probability, position and quality flags.

    Args:
        job: classes, the experiment, its number of runs, slices per confusion.
        images: folder with images.npy, masks.npy and index.parquet.
        predictions: the experiment's folder that evaluate wrote.
        out: path without suffix.

    Raises:
        BadRequest: where a file is missing or another experiment's is named.
        CheckFailed: where files do not belong together.
    """
    held, titles = _read(job, images, predictions), list(job.classes.values())
    confusions = [(true, named) for true in range(len(titles)) for named in range(len(titles)) if true != named]
    rows = -(-len(confusions) // 2)
    with figure_style():
        figure = Figure(figsize=(2 * job.per_cell * 0.94 + 0.2, rows * (PANEL + 0.5) + 0.6), layout="constrained")
        parts = figure.subfigures(rows, 2, squeeze=False, wspace=0.03)
        for part in parts.ravel()[len(confusions) :]:
            part.set_visible(False)
        for part, (true, named) in zip(parts.ravel(), confusions, strict=False):
            found = [] if held.slices is None else worst(held.slices, true, named, job.per_cell)
            total = 0 if held.slices is None else _size(held.slices, true, named)
            part.suptitle(f"{titles[true]} taken for {titles[named]}: {total}", fontsize=7, fontweight="bold")
            _draw_cell(list(part.subplots(1, job.per_cell, squeeze=False)[0]), held, found, correct=False, words=None)
        figure.supxlabel(_legend(job, held), fontsize=6)
        mark_origin(figure, common_origin(held.index["origin"]))
        write_figure_files(figure, out)


def _size(slices: pd.DataFrame, true: int, named: int) -> int:
    return int(((slices["label"] == true) & (slices["predicted"] == named)).sum())


def _draw_cell(
    axes: Sequence[Axes],
    held: Sources,
    found: Sequence[dict[str, Any]],
    *,
    correct: bool,
    words: tuple[str, str] | None,
) -> None:
    """Slices of one confusion; what has none to show says so."""
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set(visible=True, color="#009E73" if correct else "0.6", linewidth=1.4 if correct else 0.6)
    for place, (axis, slice_) in enumerate(zip(axes, found, strict=False)):
        draw_slice(axis, held.pixels[slice_["row"]], held.masks[slice_["row"]])
        head = [words[place]] if words and len(found) > 1 else ["the only one"] if words else []
        axis.set_title("\n".join([*_caption(held, slice_, short=words is not None, head=head)]), fontsize=5, pad=2)
    for axis in axes[len(found) :]:
        axis.set_facecolor("#f4f4f4")
        axis.set_aspect("equal")
        axis.set(xlim=(0, 1), ylim=(0, 1))
        none = "no slice" if not found else "no other"
        axis.text(
            0.5, 0.5, none if held.slices is not None else "every run\ndiverged", ha="center", va="center", fontsize=6
        )


def _caption(held: Sources, slice_: dict[str, Any], *, short: bool, head: list[str]) -> list[str]:
    """Lines over a slice: how sure; in the gallery also the case's hash, where it lies, and what the flags say."""
    sure = f"p = {slice_['probability']:.2f}"
    if short:
        return [*head, sure]
    known = held.index.loc[slice_["row"]]
    flags = [note for flag, note in NOTES.items() if known[flag]]
    where = held.where[int(slice_["row"])] or "place unknown"
    area = f"lungs {100 * known['lung_share']:.0f} %"
    return [f"{sure}, {where}", str(slice_["case"])[:8] or "case unknown", ", ".join([area, *flags])]


def _legend(job: DiagnosesFigureJob, held: Sources, frames: str = "") -> str:
    runs = "1 run" if held.runs == 1 else f"{held.runs} runs"
    return (
        f"{job.experiment.title}: probability p of the predicted class, mean over {runs}. Outline: lung mask{frames}."
    )
