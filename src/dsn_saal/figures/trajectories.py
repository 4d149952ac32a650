"""What alpha, the betas and the class weights did over training, and which alpha would have been needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from dsn_saal.domain.named import require_named
from dsn_saal.evaluate.summaries import read_summary
from dsn_saal.evaluate.trajectories import Trajectory, read_trajectories, training_counts
from dsn_saal.figures.style import LINES, figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import TrajectoriesFigureJob
from dsn_saal.statistics.effective_number import NEGLIGIBLE, alpha_of_ratio, weight_ratio
from dsn_saal.statistics.printed import near_one

ALPHAS = (0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
"""Ticks of an axis of alpha, which is spaced by its logit."""

LOGITS = (-4.6, 11.5)
"""Ends of the axis of alpha below: 0.01 and 0.99999."""

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
    require_named("--summary", summaries, wanted)
    require_named("--training", training, wanted)
    read = {name: read_summary(summaries[name], name) for name in wanted}
    runs = {name: read_trajectories(training[name], read[name]) for name in wanted}
    rows = [row for row in job.rows if runs[row.name]]  # of what diverged there is nothing to follow
    with figure_style():
        figure = Figure(figsize=(7.4, 7.4), layout="constrained")
        if rows:
            _draw_all(figure, job, {row.title: runs[row.name] for row in rows}, training_counts(read[wanted[0]]))
        else:
            figure.text(0.5, 0.5, "every run diverged", ha="center")
        mark_origin(figure, read[wanted[0]]["origin"])
        write_figure_files(figure, out)


def _draw_all(
    figure: Figure, job: TrajectoriesFigureJob, runs: Mapping[str, Sequence[Trajectory]], counts: Sequence[int]
) -> None:
    """The columns, and what would have been needed below them; `runs` by title."""
    grid = figure.add_gridspec(4, len(runs), height_ratios=(1, 1, 1, 1.5))
    for column, (title, held) in enumerate(runs.items()):
        axes = _column(figure, grid, column)
        axes[0].set_title(_broken(title), fontsize=7)
        _draw_runs(axes, held, counts)
    followed = [run for held in runs.values() for run in held]
    seen = np.concatenate([run.alpha for run in followed])
    _alpha_ticks(figure.axes[0], "y", min(0.05, seen.min() / 2), max(0.9999, (1 + seen.max()) / 2))
    _legend(figure, list(job.classes.values()), followed[0].betas.shape[1])
    _draw_needed(figure.add_subplot(grid[3, :]), list(runs.items()), counts)


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


def _legend(figure: Figure, classes: Sequence[str], n_betas: int) -> None:
    """One key for all columns, below them: the greys of the betas, the colours and dashes of the classes."""
    ends = {f"beta, {'first side' if place < n_betas - 1 else 'final'} output": place for place in (0, n_betas - 1)}
    keys = [Line2D([], [], color=_grey(place, n_betas)) for place in ends.values()]
    styles = [LINES[place % len(LINES)] for place in range(len(classes))]
    keys += [Line2D([], [], color=colour, linestyle=dash) for colour, dash in styles]  # type: ignore[arg-type]
    names = [*ends, *(f"weight, {title}" for title in classes)]
    figure.legend(
        keys, names, loc="outside lower center", ncols=len(keys), frameon=False, fontsize=6.5, columnspacing=1.2
    )


def _draw_needed(axis: Axes, variants: Sequence[tuple[str, Sequence[Trajectory]]], counts: Sequence[int]) -> None:
    """The ratio by alpha as a curve; below it a bar for each variant from its smallest to its largest alpha."""
    alphas = 1 / (1 + np.exp(-np.linspace(*LOGITS, 500)))
    limit = max(counts) / min(counts)
    room = limit - 1 if limit > 1 else 1.0
    threshold = alpha_of_ratio(1 + NEGLIGIBLE, counts)
    axis.set_xscale("logit")
    if threshold is not None:
        axis.axvspan(threshold, 1 - 1e-9, color=EFFECT, linewidth=0)
        _note(axis, f"weights differ by more than {100 * NEGLIGIBLE:g} %\nfrom alpha = {near_one(threshold)} on",
              (threshold, 1 + 0.55 * room), to="left")  # fmt: skip
    axis.axhline(limit, color="0.6", linewidth=0.6)
    axis.annotate(
        f"as alpha goes to 1: {limit:.3f}, the inverse frequency", (alphas[0], limit),
        xytext=(2, 2), textcoords="offset points", fontsize=6.5,
    )  # fmt: skip
    axis.plot(alphas, weight_ratio(alphas, counts), color="black")
    for place, (title, runs) in enumerate(variants):
        _draw_visited(axis, title, runs, 1 - room * (0.14 + 0.13 * place), LINES[place % len(LINES)][0])
    axis.set_ylim(1 - room * (0.14 + 0.13 * len(variants)), 1 + 1.12 * room)
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(1, limit)
    axis.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if 1 <= tick <= limit]))
    _alpha_ticks(axis, "x", alphas[0], alphas[-1])
    axis.set_xlabel("alpha")
    axis.set_ylabel("largest / smallest class weight")


def _draw_visited(axis: Axes, title: str, runs: Sequence[Trajectory], height: float, colour: str) -> None:
    """A bar over the alphas that the runs went through, a tick where each ended, the title where there is room."""
    seen = np.concatenate([run.alpha for run in runs])
    low, high = float(seen.min()), float(seen.max())
    axis.plot([low, high], [height, height], color=colour, linewidth=3, solid_capstyle="butt")
    for run in runs:
        axis.plot(run.alpha[-1], height, marker="|", color="black", markersize=6, markeredgewidth=0.8)
    to_right = LOGITS[1] - np.log(high / (1 - high)) > np.log(low / (1 - low)) - LOGITS[0]
    _note(axis, title, (high, height) if to_right else (low, height), to="right" if to_right else "left")


def _note(axis: Axes, text: str, place: tuple[float, float], *, to: Literal["left", "right"]) -> None:
    """Small words to the left or the right of a place."""
    align: Literal["left", "right"] = "left" if to == "right" else "right"
    shift = 4 if to == "right" else -4
    axis.annotate(
        text, place, xytext=(shift, 0), textcoords="offset points", fontsize=6.5, va="center", ha=align,
    )  # fmt: skip


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
