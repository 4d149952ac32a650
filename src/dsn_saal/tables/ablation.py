"""What alpha and beta do: SAAL as read from the paper and changes of it, each compared with it run by run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsn_saal.domain.named import require_named
from dsn_saal.evaluate.summaries import Json, differences
from dsn_saal.evaluate.trajectories import Trajectory, read_trajectories, training_counts
from dsn_saal.params.report_job import ReportJob
from dsn_saal.params.shown import ExperimentRow
from dsn_saal.params.table_jobs import ResultTableJob
from dsn_saal.statistics import printed
from dsn_saal.statistics.effective_number import NEGLIGIBLE, alpha_of_ratio
from dsn_saal.statistics.runs import mean_and_sd
from dsn_saal.tables.cells import Cell, Source, mean_cell, split_cells
from dsn_saal.tables.footnotes import result_footnotes
from dsn_saal.tables.results import FAMILIES, convention_title, read_comparable
from dsn_saal.tables.table import Panel, Table

RECALL = "sensitivity.macro"


@dataclass(frozen=True)
class Variant:
    """One row: its summary and what its alpha, betas and weights did, a trajectory a run."""

    title: str
    summary: Json
    runs: Sequence[Trajectory]

    @property
    def counts(self) -> tuple[int, ...]:
        """Training images per class, in label order."""
        return training_counts(self.summary)


def make_table(job: ResultTableJob, *, summaries: Mapping[str, Path], training: Mapping[str, Path]) -> Table:
    """One row a variant, the paper's reading first.

    Args:
        job: variants in order, classes, number of runs, what the network was.
        summaries: experiment to its summary.json.
        training: experiment to the folder that train wrote.

    Raises:
        BadRequest: where a variant lacks a file, or a file a variant.
        CheckFailed: where files are damaged or do not belong together.
    """
    variants = read_variants(job.rows, summaries, training, runs=job.runs, classes=tuple(job.classes))
    reference, metrics = variants[0], _metrics(job, variants[0].summary)
    learned = ("alpha, start", "alpha, end", "betas, end", "mean weight, end", "largest / smallest weight, end")
    columns = ("variant", *learned, *metrics, *(f"Δ {head}" for head in metrics))
    lines: list[tuple[str | Cell, ...]] = [
        (
            variant.title,
            *_learned(variant),
            *(mean_cell(variant.summary, metric) for metric in metrics.values()),
            *(_difference(variant, reference, metric) for metric in metrics.values()),
        )
        for variant in variants
    ]
    rows, sources = split_cells(lines)
    edges = (1, 1 + len(learned), 1 + len(learned) + len(metrics), len(columns))
    titles = (
        "What was learnt: mean over runs, in brackets the smallest and the largest",
        "What the networks do: mean ± standard deviation over runs",
        f"Difference to {reference.title}, paired by run: mean ± standard deviation, runs in which it is higher",
    )
    return Table(
        id=job.id,
        title=f"{job.title} of {job.dataset_title}",
        columns=columns,
        rows=rows,
        footnotes=(_threshold(reference), *result_footnotes(job, [variant.summary for variant in variants])),
        origin=reference.summary["origin"],
        align="l" + "r" * (len(columns) - 1),
        panels=tuple(
            Panel(title, (0, *range(first, last))) for title, first, last in zip(titles, edges, edges[1:], strict=False)
        ),
        sources=sources,
    )


def read_variants(
    rows: Sequence[ExperimentRow],
    summaries: Mapping[str, Path],
    training: Mapping[str, Path],
    *,
    runs: int,
    classes: tuple[str, ...],
) -> list[Variant]:
    """The variants in order; see `make_table` for what is refused."""
    require_named("--training", training, [row.name for row in rows])
    read = read_comparable(rows, summaries, runs=runs, classes=classes)
    return [Variant(row.title, read[row.name], read_trajectories(training[row.name], read[row.name])) for row in rows]


def _metrics(job: ResultTableJob | ReportJob, summary: Json) -> dict[str, str]:
    """Column head to metric: macro recall, the paper's three, the sensitivity of the class that is looked for."""
    metrics = {"macro recall": RECALL}
    for family in ("accuracy", "f1", "g_mean"):
        convention = summary["primary"][family].partition(".")[2]
        metrics[f"{FAMILIES[family]} {convention_title(job, convention)}"] = summary["primary"][family]
    return metrics | {f"SEN {job.classes[job.positive]}": f"sensitivity.{job.positive}"}


def _learned(variant: Variant) -> list[Cell]:
    runs, name = variant.runs, variant.summary["experiment"]
    texts = {
        "alpha_start": _over_runs([run.alpha[0] for run in runs], printed.near_one),
        "alpha_end": _over_runs([run.alpha[-1] for run in runs], printed.near_one),
        "betas_end": _over_runs([beta for run in runs for beta in run.betas[-1]], printed.metric),
        "mean_weight_end": _over_runs([run.weights[-1].mean() for run in runs], printed.significant),
        "weight_ratio_end": _over_runs([run.ratio[-1] for run in runs], printed.metric),
    }
    return [Cell(text, Source("learned", name, quantity)) for quantity, text in texts.items()]


def _over_runs(values: Sequence[float], form: printed.Form) -> str:
    if not values:
        return printed.MISSING
    mean = form(sum(values) / len(values))
    low, high = form(min(values)), form(max(values))
    return mean if low == high else f"{mean} [{low}, {high}]"


def _difference(variant: Variant, reference: Variant, metric: str) -> str | Cell:
    found = differences(reference.summary, variant.summary, metric)
    if variant is reference or found is None:
        return printed.MISSING
    mean, sd = mean_and_sd(found, reference.summary["ddof"])
    spread = "" if sd is None else f" ± {printed.metric(sd)}"
    return Cell(
        f"{printed.signed(mean)}{spread} ({sum(value > 0 for value in found)} of {len(found)})",
        Source("difference", variant.summary["experiment"], metric, reference.summary["experiment"]),
    )


def _threshold(reference: Variant) -> str:
    counts = reference.counts
    alpha = alpha_of_ratio(1 + NEGLIGIBLE, counts)
    listed = printed.listed([printed.count(number) for number in counts])
    if alpha is None:
        return f"With {listed} training images a class no alpha makes the weights differ by {100 * NEGLIGIBLE:g} %."
    return (
        f"With {listed} training images a class the weights differ by less than {100 * NEGLIGIBLE:g} % for every alpha "
        f"below {printed.near_one(alpha)}; as alpha goes to 1 their ratio goes to "
        f"{printed.metric(max(counts) / min(counts))}. A smaller mean weight makes every step smaller."
    )
