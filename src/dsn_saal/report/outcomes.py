"""Facts about results: what the summaries of the experiments say, in words that claim no more than they hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dsn_saal.evaluate.summaries import differences
from dsn_saal.params.report_job import ReportJob
from dsn_saal.statistics.printed import count, interval, listed, mean_and_sd, metric, plural, share, signed
from dsn_saal.statistics.runs import interval_of_mean
from dsn_saal.statistics.runs import mean_and_sd as over_runs
from dsn_saal.tables import footnotes
from dsn_saal.tables.results import FAMILIES, convention_title
from dsn_saal.tables.votes import votes

Facts = dict[str, Any]
RECALL = "sensitivity.macro"


def result_facts(job: ReportJob, summaries: Mapping[str, Facts]) -> Facts:
    """Rows, comparison, control and runs.

    Args:
        job: the report's block.
        summaries: of every row and of the control, by experiment; comparable.
    """
    first = summaries[job.rows[0].name]
    return {
        "experiment_titles": listed([row.title for row in job.rows]),
        "cases_test": count(first["n_cases"]),
        "slices_test": count(first["n_slices"]),
        "level": f"{100 * first['interval']['level']:g} %",
        **{f"{family}_name": _name(job, first, family) for family in FAMILIES},
        "rows": [_row(row.title, summaries[row.name]) for row in job.rows],
        "spread_sentence": _spread([summaries[row.name] for row in job.rows]),
        "diverged_sentence": _diverged(job, summaries),
        "floor_sentence": _floor(job, first),
        **_comparison(job, summaries),
        **_control(job, summaries),
        **_machines(job, summaries),
    }


def _name(job: ReportJob, summary: Facts, family: str) -> str:
    convention = summary["primary"][family].partition(".")[2]
    return f"{FAMILIES[family]} ({convention_title(job, convention)})"


def _metric(summary: Facts, name: str) -> Facts:
    return summary["metrics"][summary["primary"].get(name, name)]


def _printed(summary: Facts, name: str) -> str:
    held = _metric(summary, name)
    return mean_and_sd(held["mean"], held["sd"])


def _row(title: str, summary: Facts) -> Facts:
    return {
        "title": title,
        **{family: _printed(summary, family) for family in FAMILIES},
        "recall": _printed(summary, RECALL),
        "accuracy_interval": interval(_metric(summary, "accuracy")["interval"]),
        "recall_interval": interval(_metric(summary, RECALL)["interval"]),
    }


def _spread(summaries: Sequence[Facts]) -> str:
    first = summaries[0]
    if first["n_runs"] < 2:
        return "A single run has no spread."
    divisor = f"n − {first['ddof']}" if first["ddof"] else "n"
    return f"What follows ± is the standard deviation over {footnotes.over_runs(summaries)} (divisor {divisor})."


def _diverged(job: ReportJob, summaries: Mapping[str, Facts]) -> str:
    """How many runs diverged, a sentence an experiment; nothing where all finished."""
    shown = [*job.rows, *([job.control] if job.control else [])]
    return " ".join(footnotes.diverged([row.title for row in shown], [summaries[row.name] for row in shown]))


def _floor(job: ReportJob, summary: Facts) -> str:
    largest = max(summary["class_slices"], key=lambda name: (summary["class_slices"][name], name))
    floor = share(summary["class_slices"][largest], summary["n_slices"])
    return f"The largest class of the test part is {job.classes[largest]}; always naming it would be right in {floor}."


def _comparison(job: ReportJob, summaries: Mapping[str, Facts]) -> Facts:
    """The last row against the first, run by run with the same seed."""
    baseline, proposed = summaries[job.rows[0].name], summaries[job.rows[-1].name]
    families = [family for family in ("accuracy", "f1", "g_mean") if _differences(baseline, proposed, family)]
    if len(job.rows) < 2 or not families:
        return {"has_comparison": False}
    return {
        "has_comparison": True,
        "baseline_title": job.rows[0].title,
        "proposed_title": job.rows[-1].title,
        "comparison_words": listed([_difference(baseline, proposed, family) for family in families]),
    }


def _differences(baseline: Facts, proposed: Facts, family: str) -> list[float] | None:
    return differences(baseline, proposed, baseline["primary"][family])


def _difference(baseline: Facts, proposed: Facts, family: str) -> str:
    changes = _differences(baseline, proposed, family) or []
    mean, sd = over_runs(changes, baseline["ddof"])
    spread = f" ± {metric(sd)}" if sd is not None else ""
    both = " that finished in both" if baseline["n_failed"] or proposed["n_failed"] else ""
    higher = f"{sum(value > 0 for value in changes)} of {plural(len(changes), 'run')}{both}"
    return f"{signed(mean)}{spread} in {FAMILIES[family]} (higher in {higher})"


def _control(job: ReportJob, summaries: Mapping[str, Facts]) -> Facts:
    if job.control is None:
        return {"has_control": False}
    summary = summaries[job.control.name]
    recall, chance = _metric(summary, RECALL), 1 / len(job.classes)
    # Labels are dealt anew in each run: the runs are the draws. An interval over test cases would hold one deal fixed
    # and call its luck a leak.
    bounds = interval_of_mean(
        [math.nan if value is None else value for value in recall["values"]], summary["interval"]["level"]
    )
    return {
        "has_control": True,
        "control_title": job.control.title,
        "control_recall": mean_and_sd(recall["mean"], recall["sd"]),
        "control_interval": interval(bounds),
        "chance": metric(chance),
        "control_sentence": _control_reading(bounds, chance),
    }


def _control_reading(bounds: Sequence[float] | None, chance: float) -> str:
    if bounds is None:
        return "No interval can be given."
    if bounds[0] > chance:
        return "The interval lies above it: something other than the labels tells the classes apart, look for a leak."
    if bounds[1] < chance:
        return "The interval lies below it, which chance alone seldom does: look at the classes of the test part."
    return "The interval contains that value: without true labels nothing is learnt, as it should be."


def _machines(job: ReportJob, summaries: Mapping[str, Facts]) -> Facts:
    titles = {row.name: row.title for row in (*job.rows, *([job.control] if job.control else []))}
    records = {name: [entry["record"] for entry in summaries[name]["training"]] for name in titles}
    every = [record for runs in records.values() for record in runs]
    machines = sorted({f"{record['device']} in {record['precision']}" for record in every})
    libraries = sorted({f"torch {record['torch']}, torchvision {record['torchvision']}" for record in every})
    return {
        "machine_sentence": f"Trained on {listed(machines)}.",
        "vote_sentence": " ".join(votes([row.title for row in job.rows], [summaries[row.name] for row in job.rows])),
        "libraries": "; ".join(libraries),
        "code": listed(sorted({record["code"][:16] for record in every})),
        "determinism": "; ".join(sorted({record["determinism"] for record in every})),
        "runs_table": [
            {
                "experiment": titles[name],
                "seed": str(entry["record"]["seed"]),
                "device": entry["record"]["device"],
                "precision": entry["record"]["precision"],
                "identity": entry["record"]["identity"][:16],
                "weights": _weights(entry),
            }
            for name in titles
            for entry in summaries[name]["training"]
        ],
    }


def _weights(entry: Facts) -> str:
    digest = entry["weights_sha256"]
    return f"diverged in epoch {entry['record']['epoch']}" if digest is None else digest[:16]
