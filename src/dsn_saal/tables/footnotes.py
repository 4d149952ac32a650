"""Footnotes of the tables of experiments: every sentence from summaries and params, none typed with a number."""

from __future__ import annotations

from collections.abc import Sequence

from dsn_saal.evaluate.summaries import Json
from dsn_saal.params.public_table_jobs import PublicRow, PublicTableJob
from dsn_saal.params.shown import ExperimentRow
from dsn_saal.params.table_jobs import ResultTableJob, ShareRow, SharesTableJob
from dsn_saal.statistics.printed import MISSING, listed, plural, share
from dsn_saal.tables.votes import votes

SELECTED = {
    "last": "the last epoch is tested, none is selected",
    "best_validation": "the epoch with the least cross-entropy on held-out training cases is tested",
}
PREDICTED = {
    "final": "the final classifier's softmax",
    "mean_softmax": "the mean softmax of all classifiers",
}


Job = ResultTableJob | SharesTableJob | PublicTableJob
"""Tables whose rows are experiments."""


def result_footnotes(job: Job, summaries: Sequence[Json]) -> tuple[str, ...]:
    """Of what each ± is, over how many runs and cases, and which network and data these were."""
    first = summaries[0]
    notes = [
        _spread(job, summaries),
        *_intervals(job, summaries),
        _data(first),
        _training(job, summaries),
        *votes(_titles(job), summaries),
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
    if isinstance(row, PublicRow):
        return f"{row.title}, {row.split}"
    return row.title if isinstance(row, ExperimentRow) else f"{row.method} at {100 * row.share:g} %"


def _spread(job: Job, summaries: Sequence[Json]) -> str:
    runs, ddof = summaries[0]["n_runs"], summaries[0]["ddof"]
    if all(summary["n_runs"] < 2 for summary in summaries):
        return f"{plural(runs, 'run')}: no spread over runs can be given."
    divisor = f"n − {ddof}" if ddof else "n"
    kinds: dict[tuple[str, int, int], list[Json]] = {}
    for summary in summaries:
        kinds.setdefault((summary["varies"], summary["draws"], summary["n_runs"]), []).append(summary)
    told = [f"over {over_runs(alike)} {_differ(*kind)}" for kind, alike in kinds.items()]
    if len(told) > 1:
        of = [listed([_title(row) for row in _rows_of(job, alike)]) for alike in kinds.values()]
        of[-1] = "all other rows"
        told = [f"{words} ({titles})" for words, titles in zip(told, of, strict=True)]
    seeds = {kind[0] for kind in kinds} == {"nothing"}
    meaning = "a spread over seeds" if seeds else "a spread over what differs"
    return (
        f"Mean ± standard deviation (divisor {divisor}) {'; '.join(told)}. It is {meaning}, not a confidence interval."
    )


def _differ(varies: str, draws: int, runs: int) -> str:
    """In what the runs of an experiment differ."""
    if varies == "fold":
        each = runs // draws
        times = "one on each" if each == 1 else f"{each} on each"
        return f"that differ in their fold and their seed, {times} of {plural(draws, 'fold')}"
    if varies == "test_part":
        return f"that differ in their seed and in their split, of which {draws} were drawn; there are no folds"
    if varies == "training_part":
        return (
            "that differ in their seed and in the draw of their training part; the test part is the same, there are no "
            "folds"
        )
    return "that differ in their seed; the split is the same, there are no folds"


UNITS = {
    "case": ("cases", ""),
    "image": ("images", " No case is known: images of one patient count as independent, so they are too narrow."),
    "block": ("blocks of neighbouring images", " No case is known: neighbours by number stand for the images of one."),
}
"""What an interval draws, and what that means where it is no case; mixed units are told by their own words."""


def _intervals(job: Job, summaries: Sequence[Json]) -> list[str]:
    """What the intervals draw, a sentence for each kind of unit."""
    if all(metric["interval"] is None for summary in summaries for metric in summary["metrics"].values()):
        finished = any(summary["finished"] for summary in summaries)
        return ["No interval over test cases can be drawn: a class has a single one."] if finished else []
    kinds: dict[tuple[str, bool], list[Json]] = {}
    for summary in summaries:
        apart = summary["varies"] in ("fold", "test_part")
        kinds.setdefault((summary["interval"]["unit"], apart), []).append(summary)
    notes = []
    for (unit, apart), alike in kinds.items():
        units, caution = UNITS.get(unit, (f"units ({unit})", ""))
        rows = f" of {listed(list(dict.fromkeys(map(_where, _rows_of(job, alike)))))}" if len(kinds) > 1 else ""
        averaged = "metrics of all test parts together" if apart else "metrics averaged over runs"
        others = "not of other seeds" if apart else "not of other seeds or splits"
        notes.append(
            f"Intervals{rows}: percentiles of {plural(alike[0]['interval']['draws'], 'draw')} of whole test {units} "
            f"within their class, {averaged}; they speak of other {units}, {others}.{caution}"
        )
    return notes


def _rows_of(job: Job, wanted: Sequence[Json]) -> list[ExperimentRow | ShareRow]:
    names = {summary["experiment"] for summary in wanted}
    return [row for row in job.rows if row.name in names]


def _where(row: ExperimentRow | ShareRow) -> str:
    return row.split if isinstance(row, PublicRow) else _title(row)


def _data(summary: Json) -> str:
    slices, origin = summary["class_slices"], summary["origin"]
    floor = share(max(slices.values()), summary["n_slices"])
    cases = plural(summary["n_cases"], "case") if summary["n_cases"] else "unknown cases"
    part = {"fold": "Tested, each in one fold", "test_part": "Tested in some split"}.get(summary["varies"], "Test part")
    return (
        f"{part}: {plural(summary['n_slices'], 'slice')} of {cases}, {origin} data; "
        f"metrics are per slice. Always naming the largest class would be right in {floor} of them."
    )


def _training(job: Job, summaries: Sequence[Json]) -> str:
    width = "published channel numbers" if job.width == 1 else f"{job.width:g} of the published channel numbers"
    machines = sorted({machine(entry["record"]) for summary in summaries for entry in summary["training"]})
    return (
        f"Scale {job.scale}: {width}, {_initialisation(job, summaries)}; trained on {listed(machines)}; "
        f"{SELECTED[job.select_epoch]}."
    )


def _titles(job: Job) -> list[str]:
    return [row.method if isinstance(row, ShareRow) else row.title for row in job.rows]


def _initialisation(job: Job, summaries: Sequence[Json]) -> str:
    """What the rows started from, with the rows by name where they differ."""
    rows: dict[str, list[str]] = {}
    for title, summary in zip(_titles(job), summaries, strict=True):
        for start in sorted({entry["record"]["initialisation"] for entry in summary["training"]}):
            rows.setdefault(start, []).append(title)
    if len(rows) == 1:
        return next(iter(rows))
    return ", ".join(f"{start} ({listed(list(dict.fromkeys(titles)))})" for start, titles in rows.items())


def _meta_sets(job: Job, summaries: Sequence[Json]) -> list[str]:
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
