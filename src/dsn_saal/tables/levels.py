"""The same answers counted three ways: by slice, by slice with each case weighing one, by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dsn_saal.analyse.written import read_analysis
from dsn_saal.params.table_jobs import AnalysisTableJob
from dsn_saal.statistics import printed
from dsn_saal.tables.results import FAMILIES, convention_title
from dsn_saal.tables.table import Panel, Table

Json = dict[str, Any]

LEVEL_TITLES = {"slice": "slice", "case_weighted": "slice, case-weighted", "case": "case"}


def make_table(job: AnalysisTableJob, *, analysis: Path) -> Table:
    """Three rows a method.

    Args:
        job: title and classes.
        analysis: levels.json.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged or speaks of other classes.
    """
    held = read_analysis(analysis, "levels", tuple(job.classes))
    percent = f"{100 * held['interval']['level']:g} %"
    columns = ["method", "level"]
    for family in FAMILIES:
        metric = held["primary"][family]
        head = f"{FAMILIES[family]} {convention_title(job, metric.partition('.')[2])}"
        columns += [head, f"{FAMILIES[family]} {percent}"]
    first = len(columns)
    columns += [f"named rightly: {title}" for title in job.classes.values()]
    rows = [
        (entry["title"], title, *_metrics(held, entry["levels"][level]), *_recognised(job, entry["levels"][level]))
        for entry in held["experiments"]
        for level, title in LEVEL_TITLES.items()
    ]
    return Table(
        id="levels",
        title=f"{job.title} of {job.dataset_title}",
        columns=tuple(columns),
        rows=tuple(rows),
        footnotes=_footnotes(held, percent),
        origin=held["origin"],
        align="ll" + "r" * (len(columns) - 2),
        panels=(
            Panel("ACC and F1", (0, 1, 2, 3, 4, 5)),
            Panel("G-mean and AUC", (0, 1, 6, 7, 8, 9)),
            Panel("Share of each class that is named rightly; by case how many, with Wilson's interval",
                  (0, 1, *range(first, len(columns)))),
        ),
    )  # fmt: skip


def _metrics(held: Json, at: Json | None) -> list[str]:
    cells = []
    for family in FAMILIES:
        found = None if at is None else at["metrics"][held["primary"][family]]
        cells.append(printed.MISSING if found is None else printed.mean_and_sd(found["mean"], found["sd"]))
        cells.append(printed.interval(None if found is None else found["interval"]))
    return cells


def _recognised(job: AnalysisTableJob, at: Json | None) -> list[str]:
    """Recall of each class; by case the cases behind it, with Wilson's interval."""
    if at is None:
        return [printed.MISSING] * len(job.classes)
    if "recognised" not in at:
        recalls = [at["metrics"][f"sensitivity.{name}"] for name in job.classes]
        return [printed.mean_and_sd(found["mean"], found["sd"]) for found in recalls]
    found = [at["recognised"][name] for name in job.classes]
    return [f"{printed.rate(one['right'])} of {one['cases']} {printed.interval(one['wilson'])}" for one in found]


def _footnotes(held: Json, percent: str) -> tuple[str, ...]:
    sizes = printed.listed([str(held["class_cases"][name]) for name in held["classes"]])
    notes = [
        "By slice every slice weighs one, so a case with many slices weighs more; case-weighted, the slices of a case "
        f"share the weight one; by case there is one answer, the {held['aggregation']}. Test part: "
        f"{printed.plural(held['n_slices'], 'slice')} of {printed.plural(held['n_cases'], 'case')} ({sizes} a class).",
        f"Mean ± standard deviation over runs of {held['n_runs']} seeds. Intervals of {percent}: percentiles of "
        f"{printed.plural(held['interval']['draws'], 'draw')}, each of whole test cases within their class and then of "
        "one run: they speak of other cases and other seeds, not of other splits. Wilson's interval takes the mean "
        "over runs of the cases named rightly.",
    ]
    for entry in held["experiments"]:
        if entry["n_failed"]:
            notes.append(f"{entry['n_failed']} of {held['n_runs']} runs of {entry['title']} diverged.")
    reasons = {
        found["missing_because"]
        for entry in held["experiments"]
        for at in entry["levels"].values()
        if at is not None
        for found in (at["metrics"][name] for name in held["primary"].values())
        if found["missing_because"]
    }
    return tuple(notes + [f"{printed.MISSING}: {because}." for because in sorted(reasons)])
