"""Figure 5: confusion matrices of each method as it learns from fewer and fewer slices of one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from dsn_saal.domain.named import require_named
from dsn_saal.domain.origin import common_origin
from dsn_saal.evaluate.stored import read_runs, stored_probabilities
from dsn_saal.figures.style import figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import ConfusionFigureJob
from dsn_saal.statistics.confusion import confusion_matrix
from dsn_saal.statistics.printed import MISSING, plural, share

Floats = NDArray[np.float64]

PANEL = 1.5
"""Inches of one matrix."""

DARK = 0.55
"""Share of a row from which words on its cell are white."""


def draw_figure(job: ConfusionFigureJob, *, predictions: Mapping[str, Path], out: Path) -> None:
    """Draw a row of matrices a method, a column a share: mean counts over runs with sd, shaded by share of the row.

    Args:
        job: methods with their experiments and shares, classes, number of runs, ddof.
        predictions: experiment to the folder that evaluate wrote.
        out: path without suffix.

    Raises:
        BadRequest: where an experiment has no folder, or a folder no experiment.
        CheckFailed: where runs are missing or surplus, or speak of other classes or slices.
    """
    require_named("--predictions", predictions, [name for row in job.rows for name in row.experiments])
    columns = max(len(row.experiments) for row in job.rows)
    origins: set[str] = set()
    with figure_style():
        figure = Figure(figsize=(PANEL * columns + 0.7, (PANEL + 0.28) * len(job.rows) + 0.75), layout="constrained")
        axes = figure.subplots(len(job.rows), columns, squeeze=False)
        for axis in axes.ravel():
            axis.set_axis_off()
        for place, row in enumerate(job.rows):
            for column, (name, part) in enumerate(zip(row.experiments, row.shares, strict=True)):
                counts, found = _counts(job, name, predictions[name])
                origins |= found
                axis = axes[place, column]
                axis.set_axis_on()
                _draw_matrix(axis, counts, list(job.classes.values()), job.std_ddof, first=column == 0,
                             last=place == len(job.rows) - 1)  # fmt: skip
                lost = "" if len(counts) == job.runs else f" ({len(counts)} of {plural(job.runs, 'run')})"
                axis.set_title(f"{row.title}, {100 * part:g} %{lost}", fontsize=7)
        figure.supxlabel(_legend(job), fontsize=6.5)
        if origins:
            mark_origin(figure, common_origin(origins))
        write_figure_files(figure, out)


def _counts(job: ConfusionFigureJob, name: str, folder: Path) -> tuple[Floats, set[str]]:
    """Matrices (runs, C, C) of the runs that finished, and the origins of their slices."""
    n = len(job.classes)
    finished = [table for table in read_runs(folder, name, job.runs, job.classes) if len(table)]
    matrices = [
        confusion_matrix(
            table["label"].to_numpy(), stored_probabilities(table, job.classes).argmax(axis=1), len(job.classes)
        )
        for table in finished
    ]
    return np.array(matrices).reshape(-1, n, n), {str(one) for table in finished for one in table["origin"].unique()}


def _draw_matrix(axis: Axes, counts: Floats, titles: Sequence[str], ddof: int, *, first: bool, last: bool) -> None:
    n = len(titles)
    axis.set_xticks(range(n), [_short(title) for title in titles], fontsize=5.5)
    axis.set_yticks(range(n), [_short(title) for title in titles] if first else [""] * n, fontsize=5.5)
    axis.tick_params(length=0, labelbottom=last)
    if not len(counts):
        axis.imshow(np.zeros((n, n)), cmap="Greys", vmin=0, vmax=1)
        axis.text((n - 1) / 2, (n - 1) / 2, "every run diverged", ha="center", va="center", fontsize=6)
        return
    mean, totals = counts.mean(axis=0), counts.mean(axis=0).sum(axis=1, keepdims=True)
    shares = np.divide(mean, totals, out=np.zeros_like(mean), where=totals > 0)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (true, named), part in np.ndenumerate(shares):
        spread = f"±{counts[:, true, named].std(ddof=ddof):.1f}" if len(counts) > max(1, ddof) else ""
        words = f"{mean[true, named]:.1f}{spread}\n{share(mean[true, named], float(totals[true, 0]), 0)}"
        axis.text(named, true, words if totals[true, 0] else MISSING, ha="center", va="center", fontsize=5.2,
                  color="white" if part > DARK else "black")  # fmt: skip
        if true == named:
            axis.add_patch(
                Rectangle((named - 0.47, true - 0.47), 0.94, 0.94, fill=False, edgecolor="black", linewidth=0.8)
            )


def _short(title: str) -> str:
    """A title over as many lines as it has words."""
    return title.replace(" ", "\n")


def _legend(job: ConfusionFigureJob) -> str:
    return (
        "Rows: true class, columns: predicted class. Mean count over runs ± sd, and its share of the row. "
        f"Per cent in titles: training slices of {job.classes[job.positive]} that are left."
    )
