"""Tables and figures as the page shows them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.origin import PHANTOM_MARK
from dsn_saal.params.html_job import HtmlJob
from dsn_saal.params.shelves import Place
from dsn_saal.report.facts import read_json
from dsn_saal.statistics import printed
from dsn_saal.tables.cells import Cell, mean_cell, read_sources, split_cells
from dsn_saal.tables.footnotes import over_runs
from dsn_saal.tables.results import RATES
from dsn_saal.tables.table import Table, to_json

View = dict[str, Any]


def table_view(name: str, path: Path, experiments: set[str]) -> View:
    """A table's panels, each with heads and rows; a cell is its text, its side and the words of its source.

    Args:
        name: of the table.
        path: its JSON.
        experiments: those whose runs the page knows: a source that names another one opens nothing.

    Raises:
        BadRequest: where the file is missing.
        CheckFailed: where it is damaged.
    """
    held = read_json(path, f"table {name}")
    try:
        return _view(name, held, experiments)
    except (KeyError, IndexError, TypeError) as error:
        raise CheckFailed(
            "this is not the JSON of a table", value=repr(error), where=path, next_step="make the tables again"
        ) from error


def _view(name: str, held: View, experiments: set[str]) -> View:
    sources = read_sources(held.get("sources", []))
    words = [[_words(sources, i, j, experiments) for j in range(len(row))] for i, row in enumerate(held["rows"])]
    panels = [_panel(held, panel, words) for panel in held["panels"]]
    return {
        "id": f"table-{name}",
        "title": held["title"],
        "panels": panels,
        "footnotes": held["footnotes"],
        "sourced": any(cell["source"] for panel in panels for row in panel["rows"] for cell in row),
    }


def _words(sources: Any, row: int, column: int, experiments: set[str]) -> str | None:
    source = sources[row][column] if sources else None
    if source is None or {source.experiment, source.reference or source.experiment} - experiments:
        return None
    return source.words


def _panel(held: View, panel: View, words: list[list[str | None]]) -> View:
    places = panel["columns"]
    return {
        "title": panel["title"],
        "heads": [{"text": held["columns"][j], "side": held["align"][j]} for j in places],
        "rows": [
            [{"text": row[j], "side": held["align"][j], "source": words[i][j]} for j in places]
            for i, row in enumerate(held["rows"])
            if panel.get("rows") is None or i in panel["rows"]
        ],
    }


def class_view(job: HtmlJob, summaries: Mapping[str, View]) -> View:
    """Sensitivity, specificity and precision of every class, for the first and the last row of the main table."""
    rows = {row.name: row.title for row in (job.paper.rows[0], job.paper.rows[-1])}
    heads = ["class", "method", "test slices", "test cases", *RATES.values()]
    sides = "llrrrrr"
    lines: list[list[str | Cell]] = []
    for name, title in job.paper.classes.items():
        for experiment, method in rows.items():
            summary = summaries[experiment]
            counts = [printed.count(summary[kind][name]) for kind in ("class_slices", "class_cases")]
            lines.append([title, method, *counts, *(mean_cell(summary, f"{rate}.{name}") for rate in RATES)])
    texts, sources = split_cells(lines)
    first = summaries[job.paper.rows[0].name]
    table = Table(
        id="classes",
        title=f"One class against the rest, test part of {job.paper.dataset_title}",
        columns=tuple(heads),
        rows=texts,
        footnotes=(
            f"SEN: of the slices of the class, the share that is found. SPE: of the others, the share that is not "
            f"called so. PRE: of those called so, the share that is. Mean ± standard deviation over "
            f"{over_runs([summaries[name] for name in rows])}; per slice, not per case.",
        ),
        origin=first["origin"],
        align=sides,
        sources=sources,
    )
    return _view("classes", to_json(table), set(job.experiments))


def figure_view(name: str, path: Path, place: Place, *, is_phantom: bool) -> View:
    """A figure as an image inside the page, which can run no script and load nothing.

    Raises:
        BadRequest: where the file is missing.
        CheckFailed: where it is not an SVG.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadRequest(f"there is no {name}", value=path, next_step="run the stage that makes it") from None
    if b"<svg" not in content[:2000]:
        raise CheckFailed("a figure is not an SVG", where=path, next_step="make the figures again")
    return {
        "id": f"figure-{name}",
        "title": place.title,
        "alt": f"{place.title} ({PHANTOM_MARK})" if is_phantom else place.title,
        "uri": f"data:image/svg+xml;base64,{base64.b64encode(content).decode('ascii')}",
    }
