"""Findings about what the text claims: contradictions, gains in two readings, ceilings, a constant without effect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from dsn_saal.audit.findings import Finding, per_cent, slug
from dsn_saal.audit.rows import decimals_in_shares
from dsn_saal.audit.tallies import entry, part_counts
from dsn_saal.params.reported import PER_CENT, Claim, Reported, ReportedNumbers, Statement
from dsn_saal.statistics.counting import EXACT, implied_reference
from dsn_saal.statistics.effective_number import NEGLIGIBLE, alpha_of_ratio, weight_ratio
from dsn_saal.statistics.printed import count, listed, near_one

DIRECTIONS = {"fall": -1, "lower": -1, "rise": 1, "higher": 1}
"""Words of a trend's relation that say where it goes."""

ALPHA = "how alpha is set"
"""The quantity whose statements speak of the constant of the effective number."""

MIDDLE = 0.5
"""The alpha of a raw value at the middle of its start, 0."""


def word_findings(reported: ReportedNumbers) -> Iterator[Finding]:
    """Everything that statements and claims show."""
    yield from _contradictions(reported)
    yield from _opposite_trends(reported)
    yield from _ceilings(reported)
    yield from _gains(reported)
    yield from _alpha(reported)


def _contradictions(reported: ReportedNumbers) -> Iterator[Finding]:
    said: dict[tuple[str | None, str], list[Statement]] = defaultdict(list)
    for statement in reported.statements:
        said[statement.dataset, statement.quantity].append(statement)
    for (dataset, quantity), statements in said.items():
        values = list(dict.fromkeys(str(statement.value) for statement in statements))
        if len(values) < 2:
            continue
        of = f" of {dataset}" if dataset else ""
        readings = listed([_said(statement) for statement in statements])
        notes = [statement.note for statement in statements if statement.note]
        yield Finding(
            slug("statements", dataset or "", quantity),
            "CONFLICT",
            f"Of one quantity, the {quantity}{of}, {len(values)} things are said: {readings}."
            + (f" Beside them: {'; '.join(notes)}." if notes else ""),
            tuple(f"statements, {statement.id}" for statement in statements),
            {"values": values},
        )


def _said(statement: Statement) -> str:
    value = f"{statement.value:g}" if isinstance(statement.value, float) else f"“{statement.value}”"
    return f"{value} {statement.unit}" if statement.unit else value


def _direction(claim: Claim) -> int:
    return next((sign for word, sign in DIRECTIONS.items() if word in claim.relation.split()), 0)


def _opposite_trends(reported: ReportedNumbers) -> Iterator[Finding]:
    trends = [claim for claim in reported.claims if claim.kind == "trend" and _direction(claim)]
    for first, second in combinations(trends, 2):
        meets = {"all", *second.metrics} & {*first.metrics} or {"all"} & {*second.metrics}
        if (first.table, first.dataset) == (second.table, second.dataset) and meets:
            if _direction(first) == _direction(second):
                continue
            notes = " ".join(f"({claim.note}.)" for claim in (first, second) if claim.note)
            yield Finding(
                slug("trends", first.id, second.id),
                "CONFLICT",
                f"Of Table {first.table} two things are said: “{first.statement}”, “{second.statement}”. "
                + (notes or "They go in opposite directions."),
                (f"claims, {first.id}", f"claims, {second.id}"),
            )


def _ceilings(reported: ReportedNumbers) -> Iterator[Finding]:
    """Claims to be higher than a number that is printed as the highest there is."""
    for claim in reported.claims:
        if claim.kind != "ordering" or claim.relation not in ("higher than", "best"):
            continue
        for row in reported.reported:
            rivals = any(row.method.startswith(name) for name in claim.versus)
            share = row.share if row.unit in PER_CENT else None
            if rivals and (row.table, row.dataset) == (claim.table, claim.dataset) and share == 1.0:
                rate = row.metric.partition("_")[0]
                if any(metric.split(" ")[0] == rate for metric in claim.metrics):
                    yield _ceiling(claim, row, reported)


def _ceiling(claim: Claim, row: Reported, reported: ReportedNumbers) -> Finding:
    beside = [one for one in reported.of_table(row.table) if (one.method, one.unit) == (row.method, row.unit)]
    half = 0.5 * 10.0 ** -decimals_in_shares(tuple(beside)) / PER_CENT[row.unit]
    return Finding(
        slug("ceiling", claim.id, row.method, row.metric),
        "UNTESTABLE",
        f"“{claim.statement}” includes {row.metric}, of which {row.method} prints {row.value:g}, the largest that so "
        f"many decimals can show (at least {row.value - half:g} before rounding): nothing printed can be above it.",
        (f"claims, {claim.id}", entry(row)),
        {"value": row.value},
    )


def _gains(reported: ReportedNumbers) -> Iterator[Finding]:
    """What the smallest and the largest printed gain say of the other methods, under both readings."""
    for claim in reported.claims:
        if claim.kind != "gain_range" or not isinstance(claim.value, tuple) or claim.unit not in PER_CENT:
            continue
        metric = claim.metrics[0]
        rows = [
            row for row in reported.reported
            if (row.table, row.dataset, row.metric) == (claim.table, claim.dataset, metric)
            and row.method.startswith(claim.subject) and row.share is not None
        ]  # fmt: skip
        if not rows or rows[0].share is None:
            continue
        gains = [gain * PER_CENT[claim.unit] for gain in claim.value]
        implied = {
            name: sorted(implied_reference(rows[0].share, gain, is_relative=name == "relative") for gain in gains)
            for name in ("absolute", "relative")
        }
        told = [f"{low:.3f} to {high:.3f} if the gains are {name}" for name, (low, high) in implied.items()]
        yield Finding(
            slug("gain", claim.id),
            "AMBIGUOUS",
            f"{claim.statement}, and {rows[0].method} has {rows[0].value:g}: the others then lie from {listed(told)}. "
            "The text does not say which.",
            (f"claims, {claim.id}", entry(rows[0])),
            {"implied": implied},
        )
        yield from _stated_bounds(reported, claim, implied)


def _stated_bounds(reported: ReportedNumbers, claim: Claim, implied: dict[str, list[float]]) -> Iterator[Finding]:
    """Whether the bounds that stand in the file are those that the gains imply."""
    for bound in reported.bounds:
        reading = next((name for name in implied if f"gains are {name}" in bound.assumes), None)
        same = (bound.table, bound.metric) == (claim.table, claim.metrics[0])
        if reading is None or not same or bound.low is None or bound.high is None:
            continue
        half = 0.5 * 10.0**-3 + EXACT
        agree = all(abs(a - b) <= half for a, b in zip((bound.low, bound.high), implied[reading], strict=True))
        yield Finding(
            slug("bound", claim.id, reading),
            "CONSISTENT" if agree else "CONFLICT",
            f"The bounds of {bound.metric} under the assumption “{bound.assumes}” stand as {bound.low:g} to "
            f"{bound.high:g}; computed they are {implied[reading][0]:.4f} to {implied[reading][1]:.4f}.",
            (f"bounds, table {bound.table}, {bound.metric}, {bound.assumes}", f"claims, {claim.id}"),
            {"stated": [bound.low, bound.high], "computed": implied[reading]},
        )


def _alpha(reported: ReportedNumbers) -> Iterator[Finding]:
    """From which alpha on the weights of the effective number differ at all."""
    if not any(statement.quantity == ALPHA for statement in reported.statements):
        return
    for dataset in reported.positive:
        counts = part_counts(reported, dataset, "train", "slices")
        alpha = alpha_of_ratio(1 + NEGLIGIBLE, list(counts.values())) if len(counts) > 1 else None
        if alpha is None:
            continue
        sizes, ends = list(counts.values()), [MIDDLE, 0.9, 0.99, 0.995, 0.999, 0.9999]
        ratios = {end: float(weight_ratio(end, sizes)) for end in ends}
        told = [f"{ratios[end]:.3f} at {end:g}" for end in ends]
        yield Finding(
            slug("alpha", dataset),
            "INEFFECTIVE",
            f"With {listed([count(size) for size in sizes])} training slices of {dataset} the class weights differ by "
            f"less than {per_cent(NEGLIGIBLE, 0)} for every alpha below {near_one(alpha)}. Largest over smallest "
            f"weight: {listed(told)}; the limit is {max(sizes) / min(sizes):.3f}. A uniform start in [0, 1) is "
            f"below it with probability {near_one(alpha)}.",
            (f"statements, {ALPHA}", *(f"{dataset}, {name}, train_slices" for name in counts)),
            {"threshold": alpha, "ratios": {str(end): ratio for end, ratio in ratios.items()}},
        )
