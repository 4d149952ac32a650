"""How many claims of the text hold on our numbers as the margin moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsn_saal.audit.results import read_result
from dsn_saal.figures.style import LINES, figure_style, mark_origin, write_figure_files
from dsn_saal.params.figure_jobs import MarginsFigureJob

LONGEST = 66
"""Letters of a claim that fit beside the drawing."""


def draw_figure(job: MarginsFigureJob, *, verdicts: Path, out: Path) -> None:
    """Draw the curve of claims that hold, and below it what each claim lacks.

    Args:
        job: the file of reported numbers, and a difference that would matter.
        verdicts: verdicts.json.
        out: path without suffix.

    Raises:
        BadRequest: where the file is missing.
        CheckFailed: where it is damaged or of another file of reported numbers.
    """
    held = read_result(verdicts, "file of verdicts", reported=job.reported)
    claims = sorted((claim for claim in held["claims"] if claim["lack"] is not None), key=lambda one: one["lack"])
    with figure_style():
        figure = Figure(figsize=(7.4, 2.6 + 0.2 * len(claims)), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.2, 0.2 + 0.13 * max(len(claims), 1)))
        _draw_curve(upper, held["curve"], job.largest_margin)
        _draw_lacks(lower, claims, held["curve"]["margins"][-1], job.largest_margin)
        mark_origin(figure, held["origin"])
        write_figure_files(figure, out)


def _draw_curve(axis: Axes, curve: dict[str, Any], matters: float) -> None:
    axis.step(curve["margins"], curve["hold"], where="post", color=LINES[0][0])
    axis.axvline(matters, color="0.6", linewidth=0.6)
    axis.annotate(
        f"a difference of {matters:g} would matter",
        (matters, 0),
        xytext=(3, 3),
        textcoords="offset points",
        fontsize=6.5,
    )
    axis.set_ylim(0, max(curve["claims"], 1) * 1.08)
    axis.set_ylabel(f"claims that hold, of {curve['claims']}")
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_lacks(axis: Axes, claims: list[dict[str, Any]], until: float, matters: float) -> None:
    """A bar a claim from 0 to what it lacks; a dot at 0 where it holds as it is, a ring where it is a tie."""
    heights = np.arange(len(claims))
    axis.axvline(matters, color="0.6", linewidth=0.6)
    for height, claim in zip(heights, claims, strict=True):
        if claim["lack"] <= 0:
            face = "white" if claim["lack"] == 0 else "black"
            axis.plot(0, height, marker="o", markersize=4, color="black", markerfacecolor=face, clip_on=False, zorder=4)
        else:
            axis.plot(
                [0, min(claim["lack"], until)], [height, height], color=LINES[1][0], linewidth=3, solid_capstyle="butt"
            )
    axis.set_yticks(heights, [_short(claim["statement"]) for claim in claims], fontsize=6.5)
    axis.set_ylim(len(claims) - 0.4, -0.6)
    axis.set_xlim(0, until)
    axis.set_xlabel("margin: what a claim may lack (dot: it lacks nothing; ring: a tie)")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + " …"
