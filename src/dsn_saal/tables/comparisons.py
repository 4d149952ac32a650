"""Every comparison of every family: difference, interval, tests over seeds and over cases, what it comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dsn_saal.analyse.claims import READINGS
from dsn_saal.analyse.written import read_analysis
from dsn_saal.params.table_jobs import AnalysisTableJob
from dsn_saal.statistics import printed
from dsn_saal.tables.results import FAMILIES, convention_title
from dsn_saal.tables.table import Panel, Table

Json = dict[str, Any]


def make_table(job: AnalysisTableJob, *, analysis: Path) -> Table:
    """One row a pair, its columns by metric.

    Args:
        job: title and classes.
        analysis: comparisons.json.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged or speaks of other classes.
    """
    held = read_analysis(analysis, "comparisons", tuple(job.classes))
    metrics = [family for family in FAMILIES if family in held["metrics"]]
    percent = f"{100 * held['interval']['level']:g} %"
    columns = ["comparison"]
    panels = []
    for metric in metrics:
        heads = [f"{FAMILIES[metric]} {head}" for head in _heads(percent)]
        title = f"{FAMILIES[metric]} ({convention_title(job, held['metrics'][metric].partition('.')[2])})"
        panels.append(Panel(title, (0, *range(len(columns), len(columns) + len(heads)))))
        columns += heads
    rows: list[tuple[str, ...]] = []
    for table, family in held["families"].items():
        pairs: dict[tuple[str, str], dict[str, Json]] = {}
        for one in family["comparisons"]:
            pairs.setdefault((one["ours"], one["theirs"]), {})[one["metric"]] = one
        for (ours, theirs), by_metric in pairs.items():
            name = f"Table {table.removeprefix('table')}: {held['titles'][ours]} − {held['titles'][theirs]}"
            rows.append((name, *(cell for metric in metrics for cell in _cells(by_metric[metric]))))
    return Table(
        id="comparisons",
        title=f"{job.title} of {job.dataset_title}",
        columns=tuple(columns),
        rows=tuple(rows),
        footnotes=_footnotes(held),
        origin=held["origin"],
        align="l" + "r" * (len(columns) - 1),
        panels=tuple(panels),
    )


def _heads(percent: str) -> tuple[str, ...]:
    return (
        "Δ",
        f"{percent} over cases",
        "higher in",
        "P(A > B)",
        "p seeds",
        "Holm",
        "p cases",
        "Holm cases",
        "reading",
    )


def _cells(one: Json) -> tuple[str, ...]:
    difference, values = one["difference"], one["difference"]["values"]
    spread = "" if difference["sd"] is None else f" ± {printed.metric(difference['sd'])}"
    known = difference["mean"] is not None
    return (
        f"{printed.signed(difference['mean'])}{spread}",
        printed.signed_interval(difference["interval"]),
        f"{sum(value > 0 for value in values)} of {len(values)}" if known else printed.MISSING,
        *(printed.metric(one[key]) for key in ("p_improvement", "p_seeds", "p_seeds_holm", "p_cases", "p_cases_holm")),
        READINGS[one["reading"]],
    )


def _footnotes(held: Json) -> tuple[str, ...]:
    level, every = held["interval"], [one for family in held["families"].values() for one in family["comparisons"]]
    sizes = [f"{family['tests']} in Table {name.removeprefix('table')}" for name, family in held["families"].items()]
    notes = [
        f"Δ: mean ± standard deviation over paired runs (same seed, same split), {held['n_runs']} planned. Interval: "
        f"percentiles of {printed.plural(level['draws'], 'draw')} of whole test cases within their class, the same "
        " cases for both methods, metrics averaged over runs; it is not widened for the number of comparisons.",
        "p seeds: two-sided sign-flip test over runs"
        + (", every assignment of signs looked at" if all(one["exact"] for one in every) else ", partly by drawn signs")
        + ". p cases: from the draws of cases. Holm: corrected for all tests of the family ("
        + printed.listed(sizes)
        + "). P(A > B): share of all pairs of runs in which the first method is higher.",
        held["note"],
    ]
    if every:
        smallest = min(one["smallest_p_seeds"] for one in every)
        notes.insert(2, f"The smallest p seeds that so many runs can give is {printed.metric(smallest)}.")
    missing = sorted({one["missing_because"] for one in every if one["missing_because"]})
    return tuple(notes + [f"{printed.MISSING}: {because}." for because in missing])
