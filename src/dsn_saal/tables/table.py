"""A table ready to print, and its four formats."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest
from dsn_saal.domain.origin import PHANTOM_MARK, Origin
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.tables.cells import Sources, sources_json
from dsn_saal.tables.latex import latex_table


@dataclass(frozen=True)
class Panel:
    """Columns that a narrow page prints together, below the other panels of the same table.

    Attributes:
        title: what these columns have in common, or "" where there is one panel only.
        columns: positions of the columns.
        rows: positions of the rows; None for all.
    """

    title: str
    columns: tuple[int, ...]
    rows: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Table:
    """A table as it is printed: every cell is text.

    Attributes:
        id: file name and label.
        title: without the origin's mark; see `heading`.
        columns: heads.
        rows: cells, as many a row as there are columns.
        footnotes: whole sentences.
        origin: "phantom" puts its mark into the title; None where a table speaks of no data.
        align: "l" or "r" a column.
        panels: how a narrow page breaks the columns; empty means one panel.
        sources: of each cell, in the shape of rows, None where it has none; empty means that no cell has one.
    """

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[str, ...]
    origin: Origin | None
    align: str
    panels: tuple[Panel, ...] = field(default=())
    sources: Sources = field(default=())

    def __post_init__(self) -> None:
        widths = {len(self.columns), len(self.align), *(len(row) for row in self.rows)}
        if len(widths) != 1 or set(self.align) - {"l", "r"}:
            raise BadRequest("a table needs as many cells a row as columns", value=sorted(widths), where=self.id)
        if self.sources and [len(line) for line in self.sources] != [len(row) for row in self.rows]:
            raise BadRequest("a table needs as many sources as cells, or none", where=self.id)

    @property
    def heading(self) -> str:
        """Title with the mark of phantom data."""
        return f"{self.title} ({PHANTOM_MARK})" if self.origin == "phantom" else self.title

    @property
    def printed_panels(self) -> tuple[Panel, ...]:
        """The panels, or one of all columns."""
        return self.panels or (Panel("", tuple(range(len(self.columns)))),)

    def rows_of(self, panel: Panel) -> tuple[tuple[str, ...], ...]:
        """The rows that a panel shows."""
        return self.rows if panel.rows is None else tuple(self.rows[place] for place in panel.rows)


def to_json(table: Table) -> dict[str, Any]:
    """The table as JSON holds it; the title bears the origin's mark; here alone stands where each cell comes from."""
    panels = [asdict(panel) for panel in table.printed_panels]
    shown = [{key: value for key, value in panel.items() if value is not None} for panel in panels]
    return asdict(table) | {"title": table.heading, "panels": shown, "sources": sources_json(table.sources)}


def to_csv(table: Table) -> str:
    """Comma-separated values; a last column says of which origin each row is."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    marked = table.origin is not None
    writer.writerow([*table.columns, *(["origin"] if marked else [])])
    writer.writerows([*row, *([table.origin] if marked else [])] for row in table.rows)
    return text.getvalue()


def to_markdown(table: Table) -> str:
    """A pipe table with its title above and its footnotes below."""
    rule = ["---:" if side == "r" else "---" for side in table.align]
    lines = [_pipes(table.columns), _pipes(rule), *(_pipes(row) for row in table.rows)]
    notes = "".join(f"\n{note}\n" for note in table.footnotes)
    return f"**{table.heading}**\n\n" + "\n".join(lines) + "\n" + notes


def _pipes(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def to_latex(table: Table) -> str:
    """A booktabs table, its panels one below the other."""
    panels = [
        (
            panel.title,
            "".join(table.align[i] for i in panel.columns),
            [table.columns[i] for i in panel.columns],
            [[row[i] for i in panel.columns] for row in table.rows_of(panel)],
        )
        for panel in table.printed_panels
    ]
    return latex_table(table.heading, f"tab:{table.id}", panels, table.footnotes)


def write_table_files(table: Table, stem: Path) -> None:
    """Write STEM.csv, STEM.tex, STEM.md and STEM.json."""
    write_text(stem.with_name(f"{stem.name}.csv"), to_csv(table))
    write_text(stem.with_name(f"{stem.name}.tex"), to_latex(table))
    write_text(stem.with_name(f"{stem.name}.md"), to_markdown(table))
    write_json(stem.with_name(f"{stem.name}.json"), to_json(table))
