"""Loss and accuracy on the training part over the epochs, with the range over runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from dsn_saal.domain.named import require_named
from dsn_saal.evaluate.histories import History, read_histories
from dsn_saal.evaluate.summaries import read_summary
from dsn_saal.figures.style import LINES, figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import CurvesFigureJob

COLUMNS = 3
"""Panels side by side."""

DECADES = 8
"""Ratio of the largest to the smallest loss from which on ticks stand at powers of ten."""


def draw_figure(
    job: CurvesFigureJob, *, summaries: Mapping[str, Path], training: Mapping[str, Path], out: Path
) -> None:
    """A panel for each experiment: loss on a logarithmic axis at the left, accuracy at the right.

    Args:
        job: experiments in order.
        summaries: experiment to its summary.json.
        training: experiment to the folder that train wrote.
        out: path without suffix.

    Raises:
        BadRequest: where an experiment lacks a file, or a file an experiment.
        CheckFailed: where files are damaged or do not belong together.
    """
    wanted = [row.name for row in job.rows]
    require_named("--summary", summaries, wanted)
    require_named("--training", training, wanted)
    read = {name: read_summary(summaries[name], name) for name in wanted}
    with figure_style():
        rows = -(-len(wanted) // COLUMNS)
        figure = Figure(figsize=(7.2, 1.75 * rows + 0.7), layout="constrained")
        axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for place, (axis, row) in enumerate(zip(axes, job.rows, strict=False)):
            histories = read_histories(training[row.name], read[row.name])
            diverged = read[row.name]["n_failed"]
            axis.set_title(row.title + (f" ({diverged} of {job.runs} runs diverged)" if diverged else ""), fontsize=7.5)
            right = _draw_panel(axis, histories)
            axis.set_ylabel("loss" if place % COLUMNS == 0 else "")
            right.set_ylabel("accuracy" if place % COLUMNS == COLUMNS - 1 or place == len(wanted) - 1 else "")
        for axis in axes[len(wanted) :]:
            axis.set_axis_off()
        handles = [axes[0].plot([], [], color=colour, linestyle=dash)[0] for colour, dash in LINES[:2]]
        names = ("loss (left, logarithmic)", "accuracy on the training part (right)")
        figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
        mark_origin(figure, read[wanted[0]]["origin"])
        write_figure_files(figure, out)


def _draw_panel(axis: Axes, histories: Sequence[History]) -> Axes:
    right = axis.twinx()
    right.spines["right"].set_visible(True)
    right.set_ylim(0, 1.03)
    axis.set_yscale("log")
    losses = np.concatenate([np.ones(1), *(one.loss for one in histories)][bool(histories) :])
    wide = losses.max() / max(losses.min(), np.finfo(float).tiny) > DECADES
    axis.yaxis.set_major_locator(LogLocator(numticks=6) if wide else MaxNLocator(4))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.set_xlabel("epoch", fontsize=7)
    for one in (axis, right):
        one.tick_params(labelsize=6, which="both")
    if histories:
        curves = ([one.loss for one in histories], [one.accuracy for one in histories])
        for one, runs, (colour, dash) in zip((axis, right), curves, LINES[:2], strict=True):
            values = np.array(runs)
            epochs = np.arange(1, values.shape[1] + 1)
            one.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            one.plot(epochs, values.mean(axis=0), color=colour, linestyle=dash)
    return right
