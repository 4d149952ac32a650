"""The definition switchboard as a table: every open choice of the paper with what was chosen."""

from __future__ import annotations

from dsn_saal.params.table_jobs import SwitchboardTableJob
from dsn_saal.tables.table import Table

COLUMNS = ("parameter", "meaning", "the paper says", "chosen", "recommended", "alternatives")


def make_table(job: SwitchboardTableJob) -> Table:
    """One row for each choice that the paper leaves open, in the order of params.yaml."""
    rows = tuple((row.key, row.meaning, row.paper, row.chosen, row.recommended, row.alternatives) for row in job.rows)
    return Table(
        id="switchboard",
        title="Definition switchboard: what the paper leaves open and what was chosen here",
        columns=COLUMNS,
        rows=rows,
        footnotes=(
            "Recommended: the reading that fits the words of the paper best; a smaller scale may choose another value.",
        ),
        origin=None,
        align="l" * len(COLUMNS),
    )
