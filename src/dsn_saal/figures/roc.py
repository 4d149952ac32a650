"""Figure 4: ROC curves, mean over runs with a band of one standard deviation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dsn_saal.domain.named import require_named
from dsn_saal.domain.origin import common_origin
from dsn_saal.evaluate.stored import read_runs, require_same_slices, stored_probabilities
from dsn_saal.figures.style import LINES, figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import RocFigureJob
from dsn_saal.statistics import printed
from dsn_saal.statistics.ranking import auc_one_vs_rest, macro_roc, roc_on_grid
from dsn_saal.statistics.runs import mean_and_sd

Floats = NDArray[np.float64]

GRID = np.linspace(0.0, 1.0, 401)
"""False positive rates at which curves are averaged: the resolution of the drawing."""


INSIDE = 4
"""Most curves whose key finds room below them inside a panel; that of more goes under the panel."""


@dataclass(frozen=True)
class Prediction:
    """Labels (n,) and probabilities (n, C) of one run."""

    labels: NDArray[np.integer]
    probabilities: Floats


@dataclass(frozen=True)
class View:
    """What one panel shows: a title, the curve of a run on GRID, and the area under it."""

    title: str
    curve: Callable[[Prediction], Floats]
    area: Callable[[Prediction], float]


def draw_figure(job: RocFigureJob, *, predictions: Mapping[str, Path], out: Path) -> None:
    """Draw a panel for the macro average and one for each class against the rest.

    Args:
        job: experiments in order, classes, number of runs, ddof.
        predictions: experiment to the folder that evaluate wrote.
        out: path without suffix.

    Raises:
        BadRequest: where an experiment has no predictions, or predictions no experiment.
        CheckFailed: where runs are missing or surplus, or speak of other slices.
    """
    wanted = [row.name for row in job.rows]
    require_named("--predictions", predictions, wanted)
    tables = {name: read_runs(predictions[name], name, job.runs, job.classes) for name in wanted}
    # A run that diverged has predictions of no slice.
    finished = {name: [table for table in tables[name] if len(table)] for name in wanted}
    held = [(name, of_run[0]) for name, of_run in finished.items() if of_run]
    for name, table in held:
        require_same_slices(table, held[0][1], name, where=predictions[name])
    runs = {name: [_prediction(table, job) for table in of_run] for name, of_run in finished.items()}
    views = _views(job)
    with figure_style():
        n_rows = -(-len(views) // 2)
        key = 0.0 if len(job.rows) <= INSIDE else 0.2 * (len(job.rows) + 2)  # inches below each panel
        figure = Figure(figsize=(6.4, (3.1 + key) * n_rows + 0.2), layout="constrained")
        axes = figure.subplots(n_rows, 2, squeeze=False).ravel()
        for axis, view in zip(axes, views, strict=False):
            _draw_view(axis, view, job, runs)
        for axis in axes[len(views) :]:
            axis.set_axis_off()
        if held:
            mark_origin(figure, common_origin(held[0][1]["origin"]))
        write_figure_files(figure, out)


def _views(job: RocFigureJob) -> list[View]:
    def of_class(label: int, title: str) -> View:
        return View(
            f"{title} against the rest",
            lambda run: roc_on_grid(run.labels == label, run.probabilities[:, label], GRID),
            lambda run: float(auc_one_vs_rest(run.labels, run.probabilities)[label]),
        )

    macro = View(
        "Mean of the classes against the rest",
        lambda run: macro_roc(run.labels, run.probabilities, GRID),
        lambda run: float(auc_one_vs_rest(run.labels, run.probabilities).mean()),
    )
    return [macro, *(of_class(label, title) for label, title in enumerate(job.classes.values()))]


def _draw_view(axis: Axes, view: View, job: RocFigureJob, runs: Mapping[str, list[Prediction]]) -> None:
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.6, zorder=1)
    for position, row in enumerate(job.rows):
        colour, dash = LINES[position % len(LINES)]
        count = len(runs[row.name])
        of_all = "" if count == job.runs else f" ({count} of {printed.plural(job.runs, 'run')}, the rest diverged)"
        if not count:
            axis.plot([], [], color=colour, linestyle=dash, label=f"{row.title}: {printed.MISSING}{of_all}")
            continue
        curves = np.array([view.curve(run) for run in runs[row.name]])
        mean = curves.mean(axis=0)
        area = printed.mean_and_sd(*mean_and_sd([view.area(run) for run in runs[row.name]], job.std_ddof))
        if len(curves) > 1:
            spread = curves.std(axis=0, ddof=job.std_ddof)
            low, high = np.clip(mean - spread, 0, 1), np.clip(mean + spread, 0, 1)
            axis.fill_between(
                GRID, low, high, color=colour, alpha=0.15 if len(job.rows) <= INSIDE else 0.07, linewidth=0
            )
        axis.plot([0, *GRID], [0, *mean], color=colour, linestyle=dash, label=f"{row.title}: {area}{of_all}", zorder=3)
    axis.set(title=view.title, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axis.set(xlabel="1 − specificity", ylabel="sensitivity")
    inside = len(job.rows) <= INSIDE
    place = {"loc": "lower right"} if inside else {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16)}
    axis.legend(frameon=False, title="area under the curve", title_fontsize=7, **place)


def _prediction(table: pd.DataFrame, job: RocFigureJob) -> Prediction:
    return Prediction(table["label"].to_numpy(), stored_probabilities(table, job.classes))
