"""A contact sheet of one data set: slices chosen by a fixed rule, their masks, and what the flags say of them."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.origin import common_origin
from dsn_saal.figures.samples import draw_slice
from dsn_saal.figures.style import figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import ContactSheetJob
from dsn_saal.storage.arrays import open_array
from dsn_saal.storage.tables import read_table

COLUMNS, ROWS = 8, 5
"""Panels across and down."""

PANEL_INCHES = 1.15
"""Side of one panel."""

FLAGGED = 2
"""Panels for each kind of flag."""

NEEDED = ["row", "case", "label", "class_name", "z_mm", "number", "origin", "lung_share", "empty", "touches_border"]

NOTES = {"empty": "no lungs", "border": "cut by the border", "smallest": "least lung", "asymmetric": "most one-sided"}
"""What a panel says of each flag: the first two of any slice, the others of the most extreme."""


def choose_panels(index: pd.DataFrame, count: int, *, flagged: bool) -> list[tuple[int, str]]:
    """Rows to show and why: slices spread over classes, cases and positions, and last some of every flag.

    Nobody chooses by looking: ties and orders come from the ids, which are hashes, and from the positions.

    Args:
        index: NEEDED and asymmetry.
        count: how many panels there are.
        flagged: whether flags mean anything; they do not where nothing is cut out.

    Returns:
        (row, kind) with kind a key of NOTES, or "" for a slice that stands for the rest.
    """
    found = index[~index["empty"]]
    kinds = {
        "empty": index[index["empty"]].sort_values(["case", "row"]),
        "border": index[index["touches_border"]].sort_values(["case", "row"]),
        "smallest": found.sort_values(["lung_share", "row"]),
        "asymmetric": found.sort_values(["asymmetry", "row"], ascending=[False, True]),
    }
    chosen: dict[int, str] = {}
    for kind, rows in kinds.items() if flagged else ():
        free = [int(row) for row in rows["row"] if int(row) not in chosen]
        chosen |= dict.fromkeys(free[:FLAGGED], kind)
    usual = [row for row in _spread(index, count) if row not in chosen]
    return [(row, "") for row in usual[: count - len(chosen)]] + [(row, kind) for row, kind in chosen.items()]


def _spread(index: pd.DataFrame, count: int) -> list[int]:
    """Rows in turn from each class, in a class from each case, in a case from the middle outwards."""
    queues = []
    for _, of_class in index.groupby("label"):
        cases = [
            of_case.sort_values(["z_mm", "number", "row"])["row"].tolist() for _, of_case in of_class.groupby("case")
        ]
        queues.append(_interleaved([_from_the_middle(rows) for rows in cases], count))
    return _interleaved(queues, count)


def _from_the_middle(rows: list[int]) -> list[int]:
    """Middle, then the ends, then between: few of many still show every level."""
    n, order = len(rows), [0.5, 0.1, 0.9, 0.3, 0.7, 0.0, 1.0]
    return list(dict.fromkeys([rows[int(share * (n - 1) + 0.5)] for share in order] + rows))


def _interleaved(queues: list[list[int]], count: int) -> list[int]:
    longest = min(max(map(len, queues), default=0), count)
    return [queue[at] for at in range(longest) for queue in queues if at < len(queue)][: count * len(queues)]


def draw_figure(job: ContactSheetJob, *, images: Path, out: Path) -> None:
    """Draw the sheet.

    Args:
        job: titles of the set and its classes, and whether lungs are cut out.
        images: folder with images.npy, masks.npy and index.parquet.
        out: path without suffix.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where images, masks and index do not belong together.
    """
    index = read_table(images / "index.parquet", [*NEEDED, "asymmetry"])
    pixels, masks = open_array(images / "images.npy"), open_array(images / "masks.npy")
    if not len(index) == len(pixels) == len(masks):
        raise CheckFailed("images, masks and index do not belong together", where=images, next_step="run preprocess")
    panels = choose_panels(index, COLUMNS * ROWS, flagged=job.cut_out)
    by_row = {int(slice_["row"]): slice_ for slice_ in index.to_dict("records")}
    with figure_style():
        n_rows = -(-len(panels) // COLUMNS)
        figure = Figure(figsize=(PANEL_INCHES * COLUMNS, (PANEL_INCHES + 0.14) * n_rows + 0.5), layout="constrained")
        axes = figure.subplots(n_rows, COLUMNS, squeeze=False).reshape(-1)
        for axis in axes:
            axis.set_axis_off()
        for axis, (row, kind) in zip(axes, panels, strict=False):
            draw_slice(axis, pixels[row], masks[row])
            axis.set_title(_caption(job, by_row[row], kind), fontsize=4.5, pad=2)
        figure.supxlabel(_legend(job, len(panels), len(index)), fontsize=6)
        mark_origin(figure, common_origin(index["origin"]))
        write_figure_files(figure, out)


def _legend(job: ContactSheetJob, shown: int, slices: int) -> str:
    """Whose slices these are, and what the outline means."""
    outline = "outline: lung mask" if job.cut_out else "nothing is cut out"
    return f"{job.title}: {shown} of {slices} slices, spread over classes, cases and positions; {outline}"


def _caption(job: ContactSheetJob, slice_: dict[Hashable, Any], kind: str) -> str:
    """Class, the beginning of the case's hash, and the flags that the slice has or was chosen for."""
    title = job.classes.get(str(slice_["class_name"]), "unlabelled")
    who = str(slice_["case"])[:6] or "case unknown"
    has = {"empty": bool(slice_["empty"]), "border": bool(slice_["touches_border"]), kind: bool(kind)}
    return f"{title}\n" + ", ".join([who, *(NOTES[flag] for flag, found in has.items() if found)])
