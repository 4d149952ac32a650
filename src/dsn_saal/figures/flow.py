"""Figure 1: the workflow, drawn from the graph that its rules themselves span."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill as fill_lines
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsn_saal.domain.errors import BadRequest
from dsn_saal.figures.boxes import FILLS, blank, draw_arrow, draw_box
from dsn_saal.figures.style import figure_style, write_figure_files
from dsn_saal.params.figure_jobs import FlowFigureJob
from dsn_saal.statistics.printed import plural

WIDTH, GUTTER, LABEL, BOX, LINE, GAP = 6.9, 0.72, 1.5, 0.82, 0.36, 0.09
"""Inches: of the figure, of the arcs on its left, of a stage's name, of a rule's box (both ways), between boxes."""

BOOKKEEPING = ("manifest", "Snakefile")
"""Files of rules that make nothing a reader looks at: listings, and the target of targets."""

Edges = Collection[tuple[str, str]]


@dataclass(frozen=True)
class Stage:
    """A stage with its rules and their jobs, makers first, and the stages that it reads."""

    name: str
    rules: Mapping[str, int]
    reads: tuple[str, ...]


def layers_of(nodes: Collection[str], edges: Edges) -> dict[str, int]:
    """Layer of every node: one more than the last of those it reads, 0 where it reads none.

    Raises:
        BadRequest: where nodes read each other in a circle.
    """
    layers = dict.fromkeys(nodes, 0)
    for _ in range(len(nodes) + 1):
        moved = {end: layers[start] + 1 for start, end in edges if layers[end] <= layers[start]}
        if not moved:
            return layers
        for start, end in edges:
            layers[end] = max(layers[end], layers[start] + 1)
    raise BadRequest("rules read each other in a circle", value=", ".join(sorted(nodes)), where="--graph")


def reduced(edges: Edges) -> set[tuple[str, str]]:
    """The edges that no longer way replaces (transitive reduction of a graph without circles)."""
    after: dict[str, set[str]] = {}
    for start, end in edges:
        after.setdefault(start, set()).add(end)

    def reached(node: str) -> set[str]:
        near = after.get(node, set())
        return near.union(*(reached(one) for one in near)) if near else set()

    return {
        (start, end) for start, end in edges if not any(end in reached(other) for other in after[start] if other != end)
    }


def read_stages(graph: str) -> list[Stage]:
    """The stages of a graph as `provenance.rulegraph` writes it, each after those it reads.

    Raises:
        BadRequest: where it is no such graph.
    """
    try:
        held: dict[str, Any] = json.loads(graph)
        rules = {name: entry for name, entry in held["rules"].items() if entry["stage"] not in BOOKKEEPING}
        edges = {(start, end) for start, end in held["edges"] if start in rules and end in rules}
        of = {name: str(entry["stage"]) for name, entry in rules.items()}
        jobs = {name: int(entry["jobs"]) for name, entry in rules.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest(
            "not a graph of rules", value=graph[:80], where="--graph", next_step="let snakemake draw this figure"
        ) from None
    between = {(of[start], of[end]) for start, end in edges if of[start] != of[end]}
    names = sorted(set(of.values()))
    inside, layer = layers_of(list(of), edges), layers_of(names, between)
    return [
        Stage(
            name,
            {rule: jobs[rule] for rule in sorted(of, key=lambda rule: (inside[rule], rule)) if of[rule] == name},
            tuple(start for start in sorted(names, key=lambda one: (layer[one], one)) if (start, name) in between),
        )
        for name in sorted(names, key=lambda one: (layer[one], one))
    ]


def draw_figure(job: FlowFigureJob, *, graph: str, out: Path) -> None:
    """Draw a band a stage with a box a rule, and an arc from every stage to those that read it.

    Args:
        job: the scale, which decides how many jobs there are.
        graph: JSON that `provenance.rulegraph` writes.
        out: path without suffix.

    Raises:
        BadRequest: where the graph is none.
    """
    stages = read_stages(graph)
    across = int((WIDTH - GUTTER - LABEL - GAP) // (BOX + GAP))
    heights = [-(-len(stage.rules) // across) * (LINE + GAP) + GAP for stage in stages]
    tops = [0.12 + sum(heights[:place]) + 0.1 * place for place in range(len(stages))]
    height = tops[-1] + heights[-1] + 0.35
    with figure_style():
        figure = Figure(figsize=(WIDTH, height))
        axis = blank(figure, WIDTH, height)
        for place, stage in enumerate(stages):
            _draw_stage(axis, stage, tops[place], heights[place], across, FILLS[place % len(FILLS)])
        middles = {stage.name: top + tall / 2 for stage, top, tall in zip(stages, tops, heights, strict=True)}
        _draw_arcs(axis, stages, middles)
        total = plural(sum(sum(stage.rules.values()) for stage in stages), "job")
        legend = f"{total} at scale {job.scale}. Thick arcs: what no longer way replaces; thin: also read."
        axis.text(GUTTER, height - 0.13, legend, fontsize=6.5, va="center")
        write_figure_files(figure, out)


def _draw_stage(axis: Axes, stage: Stage, top: float, tall: float, across: int, fill: str) -> None:
    draw_box(axis, (GUTTER, top), (WIDTH - GUTTER - 0.05, tall), "", fill=fill)
    reads = fill_lines("reads " + ", ".join(stage.reads), 31) if stage.reads else ""
    middle = top + tall / 2 - 0.045 * (reads.count("\n") + bool(reads))
    axis.text(GUTTER + 0.1, middle, stage.name, va="center", fontsize=9, fontweight="bold")
    axis.text(GUTTER + 0.1, middle + 0.09, reads, va="top", fontsize=5.2, linespacing=1.1)
    for place, (rule, jobs) in enumerate(stage.rules.items()):
        row, column = divmod(place, across)
        corner = GUTTER + LABEL + column * (BOX + GAP), top + GAP + row * (LINE + GAP)
        words = rule.replace("_", " ")
        if len(words) > 13 and " " in words:
            words = "\n".join(words.rsplit(" ", 1))
        draw_box(axis, corner, (BOX, LINE), f"{words}\n{plural(jobs, 'job')}", fill="white", points=5.6)


def _draw_arcs(axis: Axes, stages: list[Stage], middles: Mapping[str, float]) -> None:
    """Half circles on the left, from the lower part of a band to the upper part of a band below."""
    edges = {(start, stage.name) for stage in stages for start in stage.reads}
    way = reduced(edges)
    longest = max((middles[end] - middles[start] for start, end in edges), default=1.0)
    for start, end in sorted(edges):
        above, below = middles[start] + 0.06, middles[end] - 0.06
        deep = (GUTTER - 0.1) * (below - above) / longest
        bow = 4 / 3 * deep / max(below - above, 1e-9) * 0.75
        draw_arrow(axis, (GUTTER, above), (GUTTER, below), bend=2 * bow * 0.66, strong=(start, end) in way)
