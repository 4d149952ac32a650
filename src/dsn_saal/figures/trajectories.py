"""What alpha, the betas and the class weights did over training, and which alpha would have been needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from dsn_saal.domain.errors import BadRequest
from dsn_saal.evaluate.summary import read_summary
from dsn_saal.evaluate.trajectories import Trajectory, read_trajectories
from dsn_saal.figures.style import LINES, figure_style, mark_origin, write_figure_files
from dsn_saal.params.paper_jobs import TrajectoriesFigureJob
from dsn_saal.statistics.effective_number import NEGLIGIBLE, alpha_of_ratio, weight_ratio
from dsn_saal.statistics.printed import near_one

ALPHAS = (0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
"""Ticks of an axis of alpha, which is spaced by its logit."""

EFFECT = "0.9"
"""Grey of the alphas that re-balance."""

GREYS = (0.72, 0.0)
"""Grey of the first and of the last output's beta."""


def draw_figure(
    job: TrajectoriesFigureJob, *, summaries: Mapping[str, Path], training: Mapping[str, Path], out: Path
) -> None:
    """Draw what SAAL learnt, and the alpha that it would have needed.

    A column for each variant: alpha, betas, relative class weights over the epochs, a line a run. Below them the ratio
    of the largest to the smallest class weight as a function of alpha, with the alphas that each variant went through.

    Args:
        job: variants in order, classes.
        summaries: experiment to its summary.json.
        training: experiment to the folder that train wrote.
        out: path without suffix.

    Raises:
        BadRequest: where a variant lacks a file, or a file a variant.
        CheckFailed: where files are damaged or do not belong together.
    """
    wanted = [row.name for row in job.rows]
    if set(wanted) != set(summaries) or set(wanted) != set(training):
        raise BadRequest(
            "every variant of the figure needs its summary and its training, and no other is read",
            value=f"summaries of {', '.join(summaries) or 'nothing'}, training of {', '.join(training) or 'nothing'}",
            where=f"variants {', '.join(wanted)}",
            next_step="name one --summary and one --training for each variant",
        )
    read = {name: read_summary(summaries[name], name) for name in wanted}
    runs = {name: read_trajectories(training[name], read[name]) for name in wanted}
    counts = runs[wanted[0]][0].counts
    with figure_style():
        figure = Figure(figsize=(7.4, 7.4), layout="constrained")
        grid = figure.add_gridspec(4, len(wanted), height_ratios=(1, 1, 1, 1.5))
        for column, row in enumerate(job.rows):
            axes = _column(figure, grid, column)
            axes[0].set_title(_broken(row.title), fontsize=7)
            _draw_runs(axes, runs[row.name], counts)
        _legends(figure.axes[0:3], list(job.classes.values()), runs[wanted[0]][0].betas.shape[1])
        _draw_needed(figure.add_subplot(grid[3, :]), [(row.title, runs[row.name]) for row in job.rows], counts)
        mark_origin(figure, read[wanted[0]]["origin"])
        write_figure_files(figure, out)


def _column(figure: Figure, grid: GridSpec, column: int) -> list[Axes]:
    """Three axes of a variant below each other, each sharing its heights with the first variant's."""
    first = figure.axes[:3] if column else [None, None, None]
    axes = [figure.add_subplot(grid[place, column], sharey=first[place]) for place in range(3)]
    for axis in axes:
        axis.tick_params(labelsize=6, labelleft=not column)
        axis.xaxis.set_major_locator(MaxNLocator(2, integer=True))
    if not column:
        axes[0].set_yscale("logit")
        for axis, label in zip(axes, ("alpha", "betas", "class weight / mean"), strict=True):
            axis.set_ylabel(label)
    for axis in axes[:2]:
        axis.tick_params(labelbottom=False)
    axes[2].set_xlabel("epoch", fontsize=7)
    return axes


def _draw_runs(axes: Sequence[Axes], runs: Sequence[Trajectory], counts: Sequence[int]) -> None:
    threshold = alpha_of_ratio(1 + NEGLIGIBLE, counts)
    if threshold is not None:
        axes[0].axhspan(threshold, 1 - 1e-9, color=EFFECT, linewidth=0)
    axes[2].axhline(1, color="0.75", linewidth=0.6, zorder=1)
    for run in runs:
        epochs = np.arange(len(run.alpha))
        axes[0].plot(epochs, run.alpha, color="black", linewidth=0.8)
        for place, beta in enumerate(run.betas.T):
            axes[1].plot(epochs, beta, color=_grey(place, run.betas.shape[1]), linewidth=0.6)
        for place, weight in enumerate(run.relative_weights.T):
            colour, dash = LINES[place % len(LINES)]
            axes[2].plot(epochs, weight, color=colour, linestyle=dash, linewidth=0.8)
    axes[1].set_ylim(0, 1)
    _alpha_ticks(axes[0], "y", 0.05, 0.9999)


def _legends(axes: Sequence[Axes], classes: Sequence[str], n_betas: int) -> None:
    """Keys inside the first column."""
    ends = [Line2D([], [], color=_grey(place, n_betas), linewidth=1) for place in {0: 0, n_betas - 1: 0}]
    names = ["first side", "final"][-len(ends) :]
    axes[1].legend(ends, names, fontsize=5.5, frameon=False, loc="upper left", borderpad=0, handlelength=1.5)
    styles = [LINES[place % len(LINES)] for place in range(len(classes))]
    keys = [Line2D([], [], color=colour, linestyle=dash) for colour, dash in styles]  # type: ignore[arg-type]
    axes[2].legend(keys, classes, fontsize=5.5, frameon=False, loc="upper left", borderpad=0, handlelength=1.8)


def _draw_needed(axis: Axes, variants: Sequence[tuple[str, Sequence[Trajectory]]], counts: Sequence[int]) -> None:
    """The ratio by alpha as a curve; below it a bar for each variant from its smallest to its largest alpha."""
    logits = np.linspace(-4.6, 11.5, 500)
    alphas = 1 / (1 + np.exp(-logits))
    limit = max(counts) / min(counts)
    room = limit - 1 if limit > 1 else 1.0
    threshold = alpha_of_ratio(1 + NEGLIGIBLE, counts)
    axis.set_xscale("logit")
    if threshold is not None:
        axis.axvspan(threshold, 1 - 1e-9, color=EFFECT, linewidth=0)
        axis.annotate(
            f"weights differ by more than {100 * NEGLIGIBLE:g} % from alpha = {near_one(threshold)} on",
            (threshold, 1 + 0.97 * room), xytext=(3, 0), textcoords="offset points", fontsize=6.5, va="top",
        )  # fmt: skip
    axis.axhline(limit, color="0.6", linewidth=0.6)
    axis.annotate(
        f"inverse frequency: {limit:.3f}", (alphas[0], limit), xytext=(2, 2), textcoords="offset points", fontsize=6.5
    )
    axis.plot(alphas, weight_ratio(alphas, counts), color="black")
    for place, (title, runs) in enumerate(variants):
        colour = LINES[place % len(LINES)][0]
        height = 1 - room * (0.12 + 0.11 * place)
        seen = np.concatenate([run.alpha for run in runs])
        axis.plot([seen.min(), seen.max()], [height, height], color=colour, linewidth=3, solid_capstyle="butt")
        for run in runs:
            axis.plot(run.alpha[-1], height, marker="|", color="black", markersize=6, markeredgewidth=0.8)
        axis.annotate(
            title,
            (seen.min(), height),
            xytext=(-3, 0),
            textcoords="offset points",
            fontsize=6.5,
            ha="right",
            va="center",
        )
    axis.set_ylim(1 - room * (0.2 + 0.11 * len(variants)), 1 + 1.12 * room)
    axis.yaxis.set_major_locator(
        FixedLocator([tick for tick in MaxNLocator(4).tick_values(1, limit) if 1 <= tick <= limit])
    )
    _alpha_ticks(axis, "x", alphas[0], alphas[-1])
    axis.set_xlabel("alpha")
    axis.set_ylabel("largest / smallest class weight")


def _alpha_ticks(axis: Axes, which: str, low: float, high: float) -> None:
    chosen = axis.yaxis if which == "y" else axis.xaxis
    (axis.set_ylim if which == "y" else axis.set_xlim)(low, high)
    chosen.set_major_locator(FixedLocator([alpha for alpha in ALPHAS if low <= alpha <= high]))
    chosen.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    chosen.set_minor_locator(NullLocator())
    chosen.set_minor_formatter(NullFormatter())


def _grey(place: int, count: int) -> tuple[float, float, float]:
    first, last = GREYS
    return to_rgb(str(last if count == 1 else first + (last - first) * place / (count - 1)))


def _broken(title: str) -> str:
    """A title over several short lines."""
    return title.replace(", ", ",\n")
