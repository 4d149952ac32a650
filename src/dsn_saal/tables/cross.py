"""Networks that learned from one data set on the test parts of the others: a row a pair."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.params.table_jobs import CrossTableJob
from dsn_saal.statistics.case_means import FEWEST_CASES
from dsn_saal.statistics.printed import MISSING, count, interval, mean_and_sd, plural
from dsn_saal.tables.datasets import one_origin, read_named
from dsn_saal.tables.table import Table

Json = dict[str, Any]

COLUMNS = (
    "method", "learned from", "tested on", "input", "slices", "positive", "cases", "AUC", "balanced accuracy",
    "its interval", "SEN", "SPE",
)  # fmt: skip


def make_table(job: CrossTableJob, *, probes: Mapping[str, Path]) -> Table:
    """Lay the pairs below each other, an experiment's own data set first.

    Args:
        job: experiments in order, titles of the data sets and of the positive class.
        probes: experiment to what `dsn-saal probe cross` wrote.

    Raises:
        BadRequest: where an experiment has no file.
        CheckFailed: where a file is damaged or of another experiment or other data sets.
    """
    read = {row.name: _read(job, probes, row.name) for row in job.rows}
    rows, origins = [], set()
    for row in job.rows:
        held = read[row.name]
        for name in sorted(held["tests"], key=lambda one: (one != held["own"], list(job.datasets).index(one))):
            cell = held["tests"][name]
            rows.append((row.title, job.datasets[held["own"]], job.datasets[name], *_cells(cell)))
            origins |= {cell["origin"]} if cell["metrics"] else set()
    return Table(
        id="cross",
        title=f"{job.positive_title} against the rest: networks of one data set on the test parts of others",
        columns=COLUMNS,
        rows=tuple(rows),
        footnotes=_footnotes(job, read),
        origin=one_origin(origins),
        align="llll" + "r" * (len(COLUMNS) - 4),
    )


def _read(job: CrossTableJob, probes: Mapping[str, Path], name: str) -> Json:
    held: Json = read_named(probes, name)
    if held.get("experiment") != name or set(held.get("tests", ())) - set(job.datasets):
        raise CheckFailed(
            f"this is not the probe of {name}", value=held.get("experiment"), where=probes[name],
            next_step="run dsn-saal probe cross again",
        )  # fmt: skip
    return held


def _cells(cell: Json) -> tuple[str, ...]:
    seen = "lungs" if cell["cut_out"] else "whole picture"
    metrics = cell["metrics"]
    if metrics is None:
        return (seen, *[MISSING] * 8)
    shown = {name: mean_and_sd(metrics[name]["mean"], metrics[name]["sd"]) for name in
             ("auc", "balanced_accuracy", "sensitivity", "specificity")}  # fmt: skip
    return (
        seen, count(cell["slices"]), count(cell["positives"]), count(cell["cases"]), shown["auc"],
        shown["balanced_accuracy"], interval(metrics["balanced_accuracy_interval"]), shown["sensitivity"],
        shown["specificity"],
    )  # fmt: skip


def _footnotes(job: CrossTableJob, read: Mapping[str, Json]) -> tuple[str, ...]:
    notes = [
        f"The probability of {job.positive_title} is ranked (AUC); it is named where it is largest. On the data set "
        "that a network learned from, each run meets the test part of its own split; on another one all slices that a "
        "split tests. A slice of an unknown case counts as a case of its own. No interval where a class has fewer than "
        f"{FEWEST_CASES} cases: drawing them again would hide how few they are.",
        "That the cases of two data sets are different ones is not certified.",
    ]
    for row in job.rows:
        held = read[row.name]
        if held["missing_because"]:
            notes.append(f"{row.title}: not tested, {held['missing_because']}.")
        else:
            runs = f"{len(held['runs'])} of {plural(held['of_runs'], 'run')}"
            notes.append(f"{row.title}: mean ± standard deviation over {runs}, those whose weights are kept.")
    return tuple(notes)
