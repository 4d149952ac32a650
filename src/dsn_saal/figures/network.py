"""Figure 2: the network, drawn from what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures.boxes import FILLS, blank, draw_arrow, draw_box
from dsn_saal.figures.style import figure_style, write_figure_files
from dsn_saal.params.figure_jobs import NetworkFigureJob
from dsn_saal.statistics.printed import count

Json = dict[str, Any]

WIDTH, HEIGHT = 7.2, 4.55
LEFT, COLUMN, HEAD = 0.62, 1.05, 1.1
"""Inches: before the first stage, of a stage, of the head."""

TALLEST, TOP = 1.35, 0.42
"""Inches: of the largest map, and from the upper edge to where maps may begin."""

TITLES = 0.2
"""Inches from the upper edge to the titles."""

TAPS = {"after_relu": "after the activation", "after_bn": "after normalisation", "after_conv": "after the convolution"}


def read_network(path: Path) -> Json:
    """The description of a network; raises BadRequest where it is missing, CheckFailed where it is damaged."""
    try:
        held: Json = json.loads(path.read_text(encoding="utf-8"))
        _ = held["stages"][0]["side"]["taps"], held["head"][-1]["out"], held["side_parameters"]
    except FileNotFoundError:
        raise BadRequest(
            "there is no description of the network", value=path, next_step="run dsn-saal probe network"
        ) from None
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise CheckFailed(
            "the description of the network is damaged", value=str(error), where=path, next_step="make it again"
        ) from None
    return held


def draw_figure(job: NetworkFigureJob, *, network: Path, out: Path) -> None:
    """Draw the stages from left to right, below each its side classifier, and the head at the end.

    Args:
        job: title of the experiment and of its classes.
        network: what `dsn-saal probe network` wrote.
        out: path without suffix.

    Raises:
        BadRequest: where the description is missing.
        CheckFailed: where it is damaged or of other classes.
    """
    held = read_network(network)
    if held["classes"] != list(job.classes):
        raise CheckFailed(
            "the network tells other classes apart than the params name", value=", ".join(held["classes"]),
            where=network, next_step="run dsn-saal probe network again",
        )  # fmt: skip
    with figure_style():
        figure = Figure(figsize=(WIDTH, HEIGHT))
        axis = blank(figure, WIDTH, HEIGHT)
        base = TOP + TALLEST
        draw_box(axis, (0.06, base - TALLEST), (0.42, TALLEST), "", fill="#777777")
        size = f"{held['image_size']}²\n× {held['in_channels']}"
        axis.text(0.27, base + 0.08, size, ha="center", va="top", fontsize=6.5)
        axis.text(0.27, TITLES, "slice", ha="center", fontsize=7)
        for number, stage in enumerate(held["stages"]):
            _draw_stage(axis, held, stage, number, base)
        _draw_head(axis, held, base)
        axis.text(0.06, HEIGHT - 0.14, _legend(held), fontsize=6.5, va="center")
        write_figure_files(figure, out)


def _draw_stage(axis: Axes, held: Json, stage: Json, number: int, base: float) -> None:
    left, fill = LEFT + COLUMN * number, FILLS[number % len(FILLS)]
    convs = stage["convs"]
    tall = TALLEST * (convs[0]["size"] / held["image_size"]) ** 0.4  # so that the last map can still be seen
    wide = (COLUMN - 0.32) / len(convs)
    for place, conv in enumerate(convs):
        corner = left + place * wide, base - tall
        draw_box(axis, corner, (wide - 0.04, tall), str(conv["out"]), fill=fill, points=7)
    middle = left + (COLUMN - 0.36) / 2
    kernel, title = convs[0]["kernel"], f"stage {number + 1}: {convs[0]['size']}²"
    axis.text(middle, base - tall - 0.06, f"{kernel}×{kernel} convolutions", ha="center", fontsize=5.6)
    axis.text(middle, TITLES, title, ha="center", fontsize=7, fontweight="bold")
    draw_arrow(axis, (left - (0.34 if number else 0.13), base - 0.2), (left - 0.01, base - 0.2))
    _draw_side(axis, stage["side"], number, middle, base, fill)


def _draw_side(axis: Axes, side: Json, number: int, middle: float, base: float, fill: str) -> None:
    taps, wide = side["taps"], COLUMN - 0.14
    joined = {"sum": "summed", "concat": "joined"}[side["merge"]]
    words = (
        f"{len(taps)} × (1×1: {taps[0]['channels']} → {taps[0]['to']})\n{joined}",
        f"1×1: {side['fuse']['in']} → {side['fuse']['out']}",
        f"mean over {side['window']}²: {side['grid']}²",
        f"linear: {side['classify']['in']} → {side['classify']['out']}",
    )
    top = base + 0.3
    draw_arrow(axis, (middle, base + 0.02), (middle, top))
    for place, text in enumerate(words):
        tall = 0.34 if place == 0 else 0.24
        draw_box(axis, (middle - wide / 2, top), (wide, tall), text, fill=fill if place == 0 else "white", points=5.6)
        draw_arrow(axis, (middle, top + tall), (middle, top + tall + 0.13))
        top += tall + 0.13
    axis.text(middle, top + 0.08, f"side {number + 1}", ha="center", va="center", fontsize=7, fontweight="bold")
    axis.text(middle, top + 0.24, f"{count(side['parameters'])} parameters", ha="center", va="center", fontsize=5.6)


def _draw_head(axis: Axes, held: Json, base: float) -> None:
    left = LEFT + COLUMN * len(held["stages"])
    last = held["stages"][-1]["pooled"]
    draw_arrow(axis, (left - 0.34, base - 0.2), (left + 0.04, base - 0.2))
    middle, top = left + HEAD / 2, base - 0.36
    axis.text(middle, TITLES, f"head: {last}²", ha="center", fontsize=7, fontweight="bold")
    for layer in held["head"]:
        draw_box(axis, (left + 0.05, top), (HEAD - 0.1, 0.3), f"linear: {count(layer['in'])} → {count(layer['out'])}",
                 fill="#DDDDDD", points=5.6)  # fmt: skip
        draw_arrow(axis, (middle, top + 0.3), (middle, top + 0.45))
        top += 0.45
    axis.text(middle, top + 0.08, "final", ha="center", va="center", fontsize=7, fontweight="bold")
    parameters = sum(layer["parameters"] for layer in held["head"])
    axis.text(middle, top + 0.24, f"{count(parameters)} parameters", ha="center", va="center", fontsize=5.6)


def _legend(held: Json) -> str:
    share = 100 * held["side_parameters"] / held["parameters"]
    first = "Numbers in the blocks: channels. Each convolution is normalised and activated, and tapped "
    return (
        f"{first}{TAPS[held['tap']]}; between stages 2×2 max pooling.\n"
        f"{held['outputs']} outputs to {len(held['classes'])} classes, each with its own loss. "
        f"{count(held['parameters'])} parameters, {count(held['side_parameters'])} ({share:.2g} %) of them in "
        "side classifiers."
    )
