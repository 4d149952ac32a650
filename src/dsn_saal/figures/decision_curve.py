"""Decision curves of the class that is looked for, by slice and by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsn_saal.analyse.written import read_analysis
from dsn_saal.figures.style import LINES, figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import AnalysisFigureJob

UNITS = {"slice": "by slice", "case": "by case"}

FLOOR = -0.08
"""Least net benefit that is drawn, as a share of the prevalence's span: acting on all falls without end."""


def draw_figure(job: AnalysisFigureJob, *, analysis: Path, out: Path) -> None:
    """Net benefit by threshold: mean over runs with a band over cases, beside acting on all and on none.

    Args:
        job: classes and the positive one.
        analysis: decision.json.
        out: path without suffix.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged or speaks of other classes.
    """
    held = read_analysis(analysis, "decision", tuple(job.classes))
    with figure_style():
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        axes = figure.subplots(1, 2)
        for axis, (unit, title) in zip(axes, UNITS.items(), strict=True):
            _draw_panel(axis, held, unit)
            axis.set(title=f"{job.classes[job.positive]} against the rest, {title}", xlabel="threshold probability")
        axes[0].set_ylabel("net benefit")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        mark_origin(figure, held["origin"])
        write_figure_files(figure, out)


def _draw_panel(axis: Axes, held: dict[str, Any], unit: str) -> None:
    thresholds, most = np.array(held["thresholds"]), held["prevalence"][unit]
    axis.plot(thresholds, np.array(held["treat_all"][unit], float), color="0.55", linewidth=0.9, label="act on all")
    axis.axhline(held["treat_none"], color="black", linewidth=0.7, label="act on none")
    tops = [most]
    for place, entry in enumerate(held["experiments"]):
        colour, dash = LINES[place % len(LINES)]
        curve = entry[unit]
        if curve is None:
            axis.plot([], [], color=colour, linestyle=dash, label=f"{entry['title']} (every run diverged)")
            continue
        low, high, values = (np.array(curve[key], float) for key in ("low", "high", "values"))
        axis.fill_between(thresholds, low, high, color=colour, alpha=0.18, linewidth=0)
        axis.plot(thresholds, values, color=colour, linestyle=dash, label=entry["title"], zorder=3)
        tops.append(float(np.nanmax(high)) if np.isfinite(high).any() else most)
    top = max(tops)
    axis.set(xlim=(0, 1), ylim=(FLOOR * 2 * top, 1.08 * top))
