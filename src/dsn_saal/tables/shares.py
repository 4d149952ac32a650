"""Table 6: each method with fewer and fewer training slices of one class, and what it loses against all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from dsn_saal.evaluate.summaries import Json, differences
from dsn_saal.params.table_jobs import SharesTableJob
from dsn_saal.statistics import printed
from dsn_saal.tables.cells import Cell, Source, mean_cell, split_cells
from dsn_saal.tables.footnotes import result_footnotes
from dsn_saal.tables.results import FAMILIES, convention_title, read_comparable
from dsn_saal.tables.table import Panel, Table


def make_table(job: SharesTableJob, *, summaries: Mapping[str, Path]) -> Table:
    """One row for each method and share, the change against the method's first row in brackets.

    Args:
        job: rows in order, each method's whole training part first.
        summaries: experiment to its summary.json.

    Raises:
        BadRequest: where a row has no summary or a summary no row.
        CheckFailed: where summaries do not speak of the same runs, classes or test slices.
    """
    read = read_comparable(job.rows, summaries, runs=job.runs, classes=tuple(job.classes))
    first = read[job.rows[0].name]
    title = job.classes[job.positive]
    metrics = {f"SEN {title}": f"sensitivity.{job.positive}", f"SPE {title}": f"specificity.{job.positive}"}
    metrics |= {
        f"{head} {convention_title(job, first['primary'][family].partition('.')[2])}": first["primary"][family]
        for family, head in FAMILIES.items()
    }
    columns = ("method", f"{title} share", f"{title} slices", "of cases", *metrics)
    wholes: dict[str, Json] = {}
    lines: list[tuple[str | Cell, ...]] = []
    for row in job.rows:
        summary = read[row.name]
        whole = wholes.setdefault(row.method, summary)
        cells = [_cell(summary, whole, metric) for metric in metrics.values()]
        lines.append((row.method, f"{100 * row.share:g} %", *_trained_on(summary, job.positive), *cells))
    rows, sources = split_cells(lines)
    return Table(
        id="table6",
        title=f"Fewer training slices of {title}: test part of {job.dataset_title}",
        columns=columns,
        rows=rows,
        footnotes=(_brackets(list(read.values())), _draws(title), *result_footnotes(job, list(read.values()))),
        origin=first["origin"],
        align="l" + "r" * (len(columns) - 1),
        panels=(Panel("", tuple(range(6))), Panel("", (0, 1, *range(6, len(columns))))),
        sources=sources,
    )


def _cell(summary: Json, whole: Json, name: str) -> Cell:
    cell, changes = mean_cell(summary, name), differences(whole, summary, name)
    if summary is whole or summary["metrics"][name]["mean"] is None or changes is None:
        return cell
    change = printed.signed(math.fsum(changes) / len(changes))
    return Cell(f"{cell.text} ({change})", Source("change", summary["experiment"], name, whole["experiment"]))


def _trained_on(summary: Json, positive: str) -> list[Cell]:
    """Training slices of the class, and of how many cases they are, over the runs."""
    return [
        Cell(
            _range([entry["record"][counted][positive] for entry in summary["training"]]),
            Source("training", summary["experiment"], f"{counted}.{positive}"),
        )
        for counted in ("counts", "cases")
    ]


def _range(values: list[int]) -> str:
    low, high = min(values), max(values)
    return printed.count(low) if low == high else f"{printed.count(low)} to {printed.count(high)}"


def _brackets(summaries: list[Json]) -> str:
    both = ", over the runs that finished in both" if any(summary["n_failed"] for summary in summaries) else ""
    return f"In brackets: change of the mean against the same method with all slices of the class{both}."


def _draws(title: str) -> str:
    return (
        f"The slices of {title} are drawn anew from the same training part, nested from share to share; runs take the "
        "draws in turn, so their spread holds the draw's as well. The test part is the same in every row."
    )
