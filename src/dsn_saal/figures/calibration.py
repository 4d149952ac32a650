"""Reliability of each class's probability, before and after temperature scaling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsn_saal.analyse.written import read_analysis
from dsn_saal.figures.style import LINES, figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import AnalysisFigureJob
from dsn_saal.statistics import printed

STATES = {"before": ("as they are", *LINES[0], "o"), "after": ("after temperature scaling", *LINES[1], "s")}
"""Title, colour, dash and marker of each curve."""

COUNTS_HEIGHT = 0.18
"""Share of a panel's height that the bars of slices take."""


def draw_figure(job: AnalysisFigureJob, *, analysis: Path, out: Path) -> None:
    """A row for each experiment, a panel for each class: observed share by predicted probability.

    Args:
        job: classes.
        analysis: calibration.json.
        out: path without suffix.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged or speaks of other classes.
    """
    held = read_analysis(analysis, "calibration", tuple(job.classes))
    entries = held["experiments"]
    with figure_style():
        figure = Figure(figsize=(2.35 * len(job.classes), 2.45 * len(entries) + 0.6), layout="constrained")
        axes = figure.subplots(len(entries), len(job.classes), squeeze=False, sharex=True, sharey=True)
        for row, entry in zip(axes, entries, strict=True):
            for axis, (name, title) in zip(row, job.classes.items(), strict=True):
                _draw_panel(axis, entry, name, held["bins"])
                axis.set_title(f"{entry['title']}: {title}", fontsize=7.5)
            row[0].set_ylabel("observed share")
        for axis in axes[-1]:
            axis.set_xlabel("predicted probability")
        titles = {title for title, *_ in STATES.values()}
        lines = [line for axis in axes.ravel() for line in axis.get_lines()]
        keys = {str(line.get_label()): line for line in lines if line.get_label() in titles}
        if keys:
            figure.legend(keys.values(), keys.keys(), loc="outside lower center", ncols=len(keys), frameon=False)
        mark_origin(figure, held["origin"])
        write_figure_files(figure, out)


def _draw_panel(axis: Axes, entry: dict[str, Any], name: str, edges: list[float]) -> None:
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.6, zorder=1)
    axis.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    errors = []
    for state, (title, colour, dash, marker) in STATES.items():
        if entry[state] is None:
            errors.append(f"{state}: {'not fitted' if entry['before'] else 'every run diverged'}")
            continue
        errors.append(f"{state}: ECE {printed.metric(entry[state]['scores'][f'ece.{name}']['mean'])}")
        held = entry[state]["reliability"][name]
        predicted, observed, low, high, slices = (
            np.array(held[key], float) for key in ("predicted", "observed", "low", "high", "slices")
        )
        sure = np.isfinite(low)  # a bin that many draws leave empty has a point and no band: it is not joined
        axis.fill_between(predicted, low, high, where=sure, color=colour, alpha=0.18, linewidth=0)
        joined = np.where(sure, observed, np.nan)
        axis.plot(predicted, joined, color=colour, linestyle=dash, marker=marker, markersize=2.6,
                  linewidth=1, label=title, zorder=3)  # fmt: skip
        axis.plot(predicted[~sure], observed[~sure], color=colour, linestyle="none", marker=marker, markersize=2.6,
                  markerfacecolor="white", markeredgewidth=0.6, zorder=3)  # fmt: skip
        if state == "before":
            heights = COUNTS_HEIGHT * slices / slices.max()
            axis.bar(edges[:-1], heights, np.diff(edges), align="edge", color="0.88", edgecolor="white", linewidth=0.4,
                     zorder=0)  # fmt: skip
    axis.text(0.03, 0.97, "\n".join(errors), transform=axis.transAxes, va="top", fontsize=6)
