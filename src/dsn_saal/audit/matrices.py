"""Findings about published confusion matrices: their sums, and the rates that are printed of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dsn_saal.audit.findings import Finding, slug
from dsn_saal.audit.rows import choices_of, decimals_in_shares, positive_of
from dsn_saal.audit.tallies import entry, tested_items
from dsn_saal.params.reported import PER_CENT, PublicConfusion, Reported, ReportedNumbers
from dsn_saal.statistics.confusion import class_rates, confusion_metrics
from dsn_saal.statistics.counting import EXACT
from dsn_saal.statistics.printed import count, listed

ORDER = ("Normal", "CP", "NCP")
"""Rows of a published matrix, as the file of reported numbers states it."""


def matrix_findings(reported: ReportedNumbers) -> Iterator[Finding]:
    """Row sums against test items, and every rate of the same method recomputed."""
    for published in reported.confusion:
        yield from _row_sums(reported, published)
        for (table, method), rates in _rates_of(reported, published).items():
            yield from _recomputed(reported, published, f"{method}, table {table}", rates)


def _row_sums(reported: ReportedNumbers, published: PublicConfusion) -> Iterator[Finding]:
    totals = tested_items(reported, published.dataset)
    if sorted(totals) != sorted(ORDER):
        return
    sums = {name: sum(row) for name, row in zip(ORDER, published.matrix, strict=True)}
    wrong = {name: sums[name] - totals[name] for name in ORDER if sums[name] != totals[name]}
    told = [
        f"{count(abs(by))} {name} test items {'more' if by > 0 else 'fewer'} than the test part has"
        for name, by in wrong.items()
    ]
    yield Finding(
        slug("matrix_sum", published.dataset, published.method),
        "CONFLICT" if wrong else "CONSISTENT",
        f"The published matrix of {published.method} holds {count(sum(sums.values()))} items"
        + (f": {listed(told)}." if told else f", those of the test part of {published.dataset}."),
        (f"confusion, {published.method}", f"{published.dataset}, test items of each class"),
        {"sums": sums, "test_items": totals},
    )


def _rates_of(reported: ReportedNumbers, published: PublicConfusion) -> dict[tuple[str, str], list[Reported]]:
    """Rates of the method, by table and name; a version or a source in brackets makes another name of it."""
    plain = published.method.partition(" (")[0]
    versions = {other.method for other in reported.confusion} - {published.method}
    found: dict[tuple[str, str], list[Reported]] = {}
    for row in reported.reported:
        same = row.method.partition(" (")[0] == plain and row.method not in versions
        if same and row.dataset == published.dataset and row.unit in PER_CENT:
            found.setdefault((row.table, row.method), []).append(row)
    return found


def _recomputed(
    reported: ReportedNumbers, published: PublicConfusion, name: str, rates: list[Reported]
) -> Iterator[Finding]:
    matrix = np.array(published.matrix, dtype=np.float64)
    positive = ORDER.index(positive_of(reported, published.dataset)) if len(matrix) == len(ORDER) else 0
    values = {key: float(value) for key, value in confusion_metrics(matrix, positive).items()}
    for kind, by_class in class_rates(matrix).items():
        values |= {f"{kind}.{place}": float(value) for place, value in enumerate(by_class)}
    half = 0.5 * 10.0 ** -decimals_in_shares(tuple(rates))
    wrong, checked = [], []
    for rate in rates:
        choices = choices_of(rate.metric, list(ORDER), positive)
        if not choices:
            continue
        checked.append(rate)
        printed = rate.value * PER_CENT[rate.unit]
        if all(abs(values[choice] - printed) > half + EXACT for choice in choices):
            wrong.append((rate, {choice: values[choice] for choice in choices}))
    told = [
        f"{rate.metric} is printed as {rate.value:g}, the matrix gives "
        + " or ".join(f"{value / PER_CENT[rate.unit]:.2f} ({choice})" for choice, value in found.items())
        for rate, found in wrong
    ]
    yield Finding(
        slug("recomputed", published.dataset, name, published.method),
        "CONFLICT" if wrong else "CONSISTENT",
        f"Of {len(checked)} rates of {name}, {len(checked) - len(wrong)} are those of the published matrix of "
        f"{published.method}" + (f"; {listed(told)}." if told else "."),
        (f"confusion, {published.method}", *(entry(rate) for rate in checked)),
        {"wrong": {rate.metric: {"printed": rate.value, "recomputed": found} for rate, found in wrong}},
    )
