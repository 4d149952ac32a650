"""Rows that quote other works: digits as their source prints them, every cell with the source of its number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.params.reported import PublicConfusion, Reported, ReportedNumbers
from dsn_saal.statistics.confusion import class_rates, confusion_metrics
from dsn_saal.statistics.printed import MISSING, as_fraction

PLACES = {"fraction": 0, "percent": 2}
"""Decimal places by which a share of each unit is moved."""

MATRIX_ORDER = ("Normal", "CP", "NCP")
"""Classes of a published confusion matrix, as the names of metrics have them."""

DIGITS = 2
"""Decimals of a computed per cent."""

THEIRS = "DSN-SAAL"
"""The paper's own method, which is a row of ours too."""

NOT_PUBLIC = "not citable"
"""Status of a row of the paper whose numbers cannot be cited."""


@dataclass(frozen=True)
class QuotedLine:
    """One row: method, a cell a column, its status."""

    method: str
    cells: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Quoted:
    """The quoted rows of a table and the sentences that belong to them."""

    lines: tuple[QuotedLine, ...]
    footnotes: tuple[str, ...]


def quoted_rows(reported: ReportedNumbers, table: str, metrics: Sequence[str]) -> Quoted:
    """What is known of the rows that a table quotes, then the rows of which nothing can be cited.

    Args:
        reported: the file.
        table: number of the table there, such as "7a".
        metrics: names of the metrics there, a column each.

    Raises:
        CheckFailed: where a computed number is not that of its confusion matrix.
    """
    require_recomputed(reported, table)
    sources: dict[tuple[str, str, str | None], int] = {}
    lines = []
    for method in reported.rows_of(table, "cited", "uncertain"):
        held = reported.of_method(table, method)
        known = [held.get(metric) for metric in metrics]
        cells = tuple(MISSING if number is None else _cell(number, sources) for number in known)
        statuses = list(dict.fromkeys(number.status for number in known if number is not None))
        lines.append(QuotedLine(method, cells, ", ".join(statuses) or _outside(held.values(), sources)))
    missing = [entry for entry in reported.not_available if entry.table == table]
    named = {line.method for line in lines}
    for method in (method for entry in missing for method in entry.methods if method not in named):
        title = f"{method} (the paper's)" if method == THEIRS else method
        lines.append(QuotedLine(title, (MISSING,) * len(metrics), NOT_PUBLIC))
    return Quoted(tuple(lines), (*_source_notes(sources), *_notes(reported, table, lines)))


def _cell(number: Reported, sources: dict[tuple[str, str, str | None], int]) -> str:
    return f"{as_fraction(number.value, PLACES[number.unit])} [{_mark(number, sources)}]"


def _mark(number: Reported, sources: dict[tuple[str, str, str | None], int]) -> int:
    return sources.setdefault((number.status, number.source, number.note), len(sources) + 1)


def _outside(held: Iterable[Reported], sources: dict[tuple[str, str, str | None], int]) -> str:
    """The status of a row of which only numbers are known that are no column."""
    marks = [f"[{_mark(number, sources)}]" for number in held]
    return " ".join([NOT_PUBLIC, *dict.fromkeys(marks)])


def _source_notes(sources: Mapping[tuple[str, str, str | None], int]) -> list[str]:
    return [
        f"[{number}] {status}: {source}{f'; {note}' if note else ''}."
        for (status, source, note), number in sources.items()
    ]


def _notes(reported: ReportedNumbers, table: str, lines: Sequence[QuotedLine]) -> list[str]:
    notes = [
        "Quoted digits are those of the source, per cent written as fractions. repository: read at a public source of "
        "the number's own authors; computed: arithmetic on such data; second-hand: another publication quotes it. "
        "Which version of a quoted result the paper prints is not known.",
        f"{MISSING} in a quoted row: no public source gives the number. {NOT_PUBLIC}: the row exists in the paper, or "
        "is inferred to, and its numbers are not publicly citable.",
    ]
    uncertain = reported.rows_of(table, "uncertain")
    if uncertain:
        notes.append(f"May not be a row of the paper's table: {'; '.join(uncertain)}.")
    left_out = reported.rows_of(table, "anchor")
    if left_out:
        notes.append(f"Known, not a row of the paper's table, and left out here: {'; '.join(left_out)}.")
    return notes


def require_recomputed(reported: ReportedNumbers, table: str) -> None:
    """Refuse a file whose computed numbers are not those of the confusion matrices that it holds.

    Raises:
        CheckFailed: naming the method, the metric and both values.
    """
    for published in reported.confusion:
        held = reported.of_method(table, published.method)
        found = recomputed(published) if held else {}
        for metric, number in held.items():
            if number.status == "computed" and number.value != found.get(metric):
                raise CheckFailed(
                    f"{metric} of {published.method} is not that of its confusion matrix",
                    value=f"{number.value}, computed {found.get(metric)}",
                    where=f"reported numbers, table {table}",
                    next_step="correct the number or the matrix",
                )


def recomputed(published: PublicConfusion) -> dict[str, float]:
    """Metrics of a published confusion matrix in per cent with two decimals, under the names of the file."""
    matrix = np.asarray(published.matrix, np.float64)
    whole, rates = confusion_metrics(matrix, positive=MATRIX_ORDER.index("NCP")), class_rates(matrix)
    shares = {
        "ACC": whole["accuracy.overall"], "F1_macro": whole["f1.macro"], "F1_weighted": whole["f1.weighted"],
        **{f"SEN_{name}": rates["sensitivity"][at] for at, name in enumerate(MATRIX_ORDER)},
        **{f"PRE_{name}": rates["precision"][at] for at, name in enumerate(MATRIX_ORDER)},
    }  # fmt: skip
    return {name: round(100 * float(value), DIGITS) for name, value in shares.items()}
