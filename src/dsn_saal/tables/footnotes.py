"""Footnotes of the tables of experiments: every sentence from summaries and params, none typed with a number."""

from __future__ import annotations

from collections.abc import Sequence

from dsn_saal.evaluate.summary import Json
from dsn_saal.params.shown import ExperimentRow
from dsn_saal.params.table_jobs import ResultTableJob, ShareRow, SharesTableJob
from dsn_saal.statistics.printed import MISSING, listed, plural, share

SELECTED = {
    "last": "the last epoch is tested, none is selected",
    "best_validation": "the epoch with the least cross-entropy on held-out training cases is tested",
}
PREDICTED = {
    "final": "the final classifier's softmax",
    "mean_softmax": "the mean softmax of all classifiers",
}


def result_footnotes(job: ResultTableJob | SharesTableJob, summaries: Sequence[Json]) -> tuple[str, ...]:
    """Of what each ± is, over how many runs and cases, and which network and data these were."""
    first = summaries[0]
    notes = [
        _spread(summaries),
        _intervals(first),
        _data(first),
        _training(job, summaries),
        *_meta_sets(job, summaries),
    ]
    notes.append(_prediction(first))
    notes += diverged([_title(row) for row in job.rows], summaries)
    with_runs = [summary for summary in summaries if summary["finished"]]
    if any(metric["mean"] is None for summary in with_runs for metric in summary["metrics"].values()):
        notes.append(
            f"{MISSING}: undefined in at least one run, e.g. the precision of a class that is never predicted."
        )
    return tuple(notes)


def diverged(titles: Sequence[str], summaries: Sequence[Json]) -> list[str]:
    """A sentence for each experiment of which runs diverged: how many, and what its numbers then are of."""
    notes = []
    for title, summary in zip(titles, summaries, strict=True):
        runs, failed = summary["n_runs"], summary["n_failed"]
        rest = "its numbers are of those that finished" if failed < runs else "it has no numbers"
        if failed:
            notes.append(f"{failed} of {plural(runs, 'run')} diverged for {title}: {rest}.")
    return notes


def over_runs(summaries: Sequence[Json]) -> str:
    """The runs that a mean is over, in words."""
    runs = plural(summaries[0]["n_runs"], "run")
    return f"the runs that finished, of {runs}" if any(summary["n_failed"] for summary in summaries) else runs


def _title(row: ExperimentRow | ShareRow) -> str:
    return row.title if isinstance(row, ExperimentRow) else f"{row.method} at {100 * row.share:g} %"


def _spread(summaries: Sequence[Json]) -> str:
    runs, ddof = summaries[0]["n_runs"], summaries[0]["ddof"]
    if runs < 2:
        return f"{plural(runs, 'run')}: no spread over runs can be given."
    divisor = f"n − {ddof}" if ddof else "n"
    return (
        f"Mean ± standard deviation (divisor {divisor}) over {over_runs(summaries)} that differ in their seed; the "
        "split is the same. It is a spread over seeds, not a confidence interval."
    )


def _intervals(summary: Json) -> str:
    interval = summary["interval"]
    return (
        f"Intervals: percentiles of {plural(interval['draws'], 'draw')} of whole test cases within their class, "
        "metrics averaged over runs; they speak of other cases, not of other seeds or splits."
    )


def _data(summary: Json) -> str:
    slices, origin = summary["class_slices"], summary["origin"]
    floor = share(max(slices.values()), summary["n_slices"])
    return (
        f"Test part: {plural(summary['n_slices'], 'slice')} of {plural(summary['n_cases'], 'case')}, {origin} data; "
        f"metrics are per slice. Always naming the largest class would be right in {floor} of them."
    )


def _training(job: ResultTableJob | SharesTableJob, summaries: Sequence[Json]) -> str:
    width = "published channel numbers" if job.width == 1 else f"{job.width:g} of the published channel numbers"
    machines = sorted({machine(entry["record"]) for summary in summaries for entry in summary["training"]})
    return (
        f"Scale {job.scale}: {width}, {_initialisation(job, summaries)}; trained on {listed(machines)}; "
        f"{SELECTED[job.select_epoch]}."
    )


def _titles(job: ResultTableJob | SharesTableJob) -> list[str]:
    return [row.title for row in job.rows] if isinstance(job, ResultTableJob) else [row.method for row in job.rows]


def _initialisation(job: ResultTableJob | SharesTableJob, summaries: Sequence[Json]) -> str:
    """What the rows started from, with the rows by name where they differ."""
    rows: dict[str, list[str]] = {}
    for title, summary in zip(_titles(job), summaries, strict=True):
        for start in sorted({entry["record"]["initialisation"] for entry in summary["training"]}):
            rows.setdefault(start, []).append(title)
    if len(rows) == 1:
        return next(iter(rows))
    return ", ".join(f"{start} ({listed(list(dict.fromkeys(titles)))})" for start, titles in rows.items())


def _meta_sets(job: ResultTableJob | SharesTableJob, summaries: Sequence[Json]) -> list[str]:
    """For each method that keeps training cases apart to learn its weights: how many, and what it then learns from."""
    notes = {}
    for title, summary in zip(_titles(job), summaries, strict=True):
        held = [entry["record"]["meta_set"] for entry in summary["training"] if "meta_set" in entry["record"]]
        if held and title not in notes:
            aside = sorted({meta["slices_set_aside"] for meta in held})
            span = f"{aside[0]}" if len(aside) == 1 else f"{aside[0]} to {aside[-1]}"
            notes[title] = (
                f"{title} learns its weights from {plural(min(held[0]['counts'].values()), 'training slice')} of each "
                f"class, drawn anew for each run; the whole {held[0]['unit']}s that they are of, {span} slices, leave "
                "its training part."
            )
    return list(notes.values())


def machine(record: Json) -> str:
    """Device and arithmetic of a run, from its record."""
    return f"{record['device']} ({record['precision']})"


def _prediction(summary: Json) -> str:
    return (
        f"Predicted from {PREDICTED[summary['predict_from']]} by its largest probability, in float32. SEN, SPE and PRE "
        "are of one class against the rest."
    )
