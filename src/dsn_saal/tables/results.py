"""Tables 3 to 5: experiments under every convention, mean and spread over runs, intervals over cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.named import require_named
from dsn_saal.evaluate.summaries import Json, read_summary
from dsn_saal.params.shown import ExperimentRow
from dsn_saal.params.table_jobs import ResultTableJob, ShareRow
from dsn_saal.statistics import printed
from dsn_saal.tables.cells import Cell, Source, interval_cell, mean_cell, split_cells
from dsn_saal.tables.footnotes import result_footnotes
from dsn_saal.tables.table import Panel, Table

FAMILIES = {"accuracy": "ACC", "f1": "F1", "g_mean": "G-mean", "auc": "AUC"}
"""Metric families in the paper's order with the paper's names."""

CONVENTIONS = {
    "accuracy": ("overall", "ovr_mean", "positive", "balanced"),
    "f1": ("macro", "weighted", "positive", "of_means"),
    "g_mean": ("multiclass", "ovr_mean", "root_of_means", "positive"),
    "auc": ("ovr_macro", "positive", "ovo_macro"),
}

CONVENTION_TITLES = {
    "overall": "right/all", "ovr_mean": "one-vs-rest mean", "balanced": "mean recall", "macro": "macro",
    "weighted": "weighted", "of_means": "of mean PRE, SEN", "multiclass": "product of recalls",
    "root_of_means": "root of means", "ovr_macro": "one-vs-rest", "ovo_macro": "one-vs-one",
}  # fmt: skip

RATES = {"sensitivity": "SEN", "specificity": "SPE", "precision": "PRE"}


def make_table(job: ResultTableJob, *, summaries: Mapping[str, Path]) -> Table:
    """One row an experiment.

    Args:
        job: rows in order, classes, number of runs, what the network was.
        summaries: experiment to its summary.json.

    Raises:
        BadRequest: where a row has no summary or a summary no row.
        CheckFailed: where summaries do not speak of the same runs, classes or test slices.
    """
    read = read_comparable(job.rows, summaries, runs=job.runs, classes=tuple(job.classes))
    first = read[job.rows[0].name]
    columns, panels = ["method"], []
    cells: list[list[str | Cell]] = [[row.title] for row in job.rows]
    if job.shows_network:
        columns += NETWORK_COLUMNS
        panels.append(Panel("The networks", (0, 1, 2, 3)))
        for row, line in zip(job.rows, cells, strict=True):
            line += network_cells(read[row.name])
    for title, members in _panels(job, first["primary"], first["interval"]["level"]).items():
        panels.append(Panel(title, (0, *range(len(columns), len(columns) + len(members)))))
        columns += members
        for row, line in zip(job.rows, cells, strict=True):
            line += [
                (interval_cell if as_interval else mean_cell)(read[row.name], name)
                for name, as_interval in members.values()
            ]
    lines, sources = split_cells(cells)
    return Table(
        id=job.id,
        title=f"{job.title} of {job.dataset_title}",
        columns=tuple(columns),
        rows=lines,
        footnotes=result_footnotes(job, list(read.values())),
        origin=first["origin"],
        align="l" + "r" * (len(columns) - 1),
        panels=tuple(panels),
        sources=sources,
    )


NETWORK_COLUMNS = ("parameters", "of them in side classifiers", "GFLOP an image")


def network_cells(summary: Json) -> list[Cell]:
    """Size of a network, and operations of its forward pass: a multiplication and an addition are two."""
    network = summary["network"]
    texts = {
        "parameters": printed.count(network["parameters"]),
        "side_parameters": printed.count(network["side_parameters"]),
        "forward_flops": f"{network['forward_flops'] / 1e9:.3f}",
    }
    return [Cell(text, Source("network", summary["experiment"], name)) for name, text in texts.items()]


Members = dict[str, tuple[str, bool]]
"""Column head to (metric, whether its interval over cases is shown instead of mean and sd)."""


def _panels(job: ResultTableJob, primary: dict[str, str], level: float) -> dict[str, Members]:
    """Panels by title: the paper's columns first, then intervals, the other conventions and the classes."""
    headline = {head: (primary[family], False) for family, head in FAMILIES.items()}
    first = ", ".join(
        f"{head} {convention_title(job, primary[family].partition('.')[2])}" for family, head in FAMILIES.items()
    )
    headline["macro recall"] = ("sensitivity.macro", False)
    percent = f"{100 * level:g} %"
    intervals = {
        f"{head} {percent}": (name, True) for head, (name, _) in headline.items() if not name.startswith("auc.")
    }
    return {
        f"Primary conventions: {first}": headline,
        f"Intervals of {percent} over test cases": intervals,
        "ACC and F1 under the other conventions": _other(job, primary, "accuracy") | _other(job, primary, "f1"),
        "G-mean and AUC under the other conventions": _other(job, primary, "g_mean") | _other(job, primary, "auc"),
        "Sensitivity and specificity of one class against the rest": _by_class(job, "sensitivity", "specificity"),
        "Precision of one class against the rest": _by_class(job, "precision"),
    }


def _other(job: ResultTableJob, primary: dict[str, str], family: str) -> Members:
    rest = [name for name in CONVENTIONS[family] if f"{family}.{name}" != primary[family]]
    return {f"{FAMILIES[family]} {convention_title(job, name)}": (f"{family}.{name}", False) for name in rest}


def _by_class(job: ResultTableJob, *rates: str) -> Members:
    return {
        f"{RATES[rate]} {title}": (f"{rate}.{name}", False) for rate in rates for name, title in job.classes.items()
    }


class OfClasses(Protocol):
    """A job that names the classes and the one that is looked for."""

    @property
    def classes(self) -> dict[str, str]:
        """Titles by name, in label order."""

    @property
    def positive(self) -> str:
        """The class that the `positive` conventions speak of."""


def convention_title(job: OfClasses, name: str) -> str:
    """How a convention is printed: `positive` is the class it speaks of."""
    return job.classes[job.positive] if name == "positive" else CONVENTION_TITLES[name]


def read_comparable(
    rows: Sequence[ExperimentRow | ShareRow],
    summaries: Mapping[str, Path],
    *,
    runs: int | Mapping[str, int],
    classes: tuple[str, ...],
) -> dict[str, Json]:
    """Summaries of all rows, in their order, refused unless they measured the same things; `runs` may go by row.

    Raises:
        BadRequest: where a row has no summary or a summary no row.
        CheckFailed: where the number of runs, the classes, the conventions or the test slices differ.
    """
    wanted = [row.name for row in rows]
    require_named("--summary", summaries, wanted)
    read = {name: read_summary(summaries[name], name) for name in wanted}
    first = read[wanted[0]]
    for name, summary in read.items():
        laws = {
            "runs": (summary["n_runs"], runs if isinstance(runs, int) else runs[name]),
            "classes": (tuple(summary["classes"]), classes),
            "conventions": (summary["primary"], first["primary"]),
            "divisor of the sd": (summary["ddof"], first["ddof"]),
            "test slices": (summary["class_slices"], first["class_slices"]),
            "origin": (summary["origin"], first["origin"]),
        }
        for law, (found, expected) in laws.items():
            if found != expected:
                raise CheckFailed(
                    f"{law} of {name} are not those of the table",
                    value=f"{found}, not {expected}",
                    where=summaries[name],
                    next_step=f"evaluate {name} again",
                )
    return read
