"""Recall by position of the slice, from apex to base, with the numbers behind each point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsn_saal.analyse.written import read_analysis
from dsn_saal.figures.style import LINES, figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import AnalysisFigureJob

MARKERS = "osD^v"


def draw_figure(job: AnalysisFigureJob, *, analysis: Path, out: Path) -> None:
    """A panel for each class and one for all slices.

    Args:
        job: classes.
        analysis: positions.json.
        out: path without suffix.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged or speaks of other classes.
    """
    held = read_analysis(analysis, "positions", tuple(job.classes))
    groups = {**job.classes, "all": "All slices"}
    with figure_style():
        rows = -(-len(groups) // 2)
        figure = Figure(figsize=(6.4, 2.5 * rows + 0.5), layout="constrained")
        if held["missing_because"]:
            figure.text(0.5, 0.5, held["missing_because"], ha="center")
        else:
            axes = figure.subplots(rows, 2, squeeze=False, sharey=True).ravel()
            for axis, (key, title) in zip(axes, groups.items(), strict=False):
                _draw_panel(axis, held, key)
                axis.set_title(title)
            for axis in axes[::2]:
                axis.set_ylabel("share named rightly")
            for axis in axes[len(groups) :]:
                axis.set_axis_off()
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
        mark_origin(figure, held["origin"])
        write_figure_files(figure, out)


def _draw_panel(axis: Axes, held: dict[str, Any], key: str) -> None:
    edges = np.array(held["edges"])
    middles, n_bins = (edges[1:] + edges[:-1]) / 2, len(edges) - 1
    entries = held["experiments"]
    for place, entry in enumerate(entries):
        colour, dash = LINES[place % len(LINES)]
        marker = MARKERS[place % len(MARKERS)]
        if entry["recall"] is None:
            axis.plot([], [], color=colour, linestyle=dash, label=f"{entry['title']} (every run diverged)")
            continue
        curve = entry["recall"][key]
        values, low, high = (np.array(curve[name], float) for name in ("values", "low", "high"))
        shift = (place - (len(entries) - 1) / 2) * 0.03  # so that the bars stand beside each other
        axis.vlines(middles + shift, low, high, color=colour, linewidth=1)
        axis.plot(middles + shift, values, color=colour, linestyle=dash, marker=marker, markersize=4,
                  label=entry["title"], zorder=3)  # fmt: skip
    axis.set(xlim=(0, 1), ylim=(-0.03, 1.05))
    counts = list(zip(held["slices"][key], held["cases"][key], strict=True))
    names = [f"{slices} slices\n{cases} cases" for slices, cases in counts]
    ends = {0: "apex\n", n_bins - 1: "base\n"}
    axis.set_xticks(middles, [ends.get(place, "\n") + name for place, name in enumerate(names)], fontsize=6.5)
