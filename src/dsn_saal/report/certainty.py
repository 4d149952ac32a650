"""Facts about how sure the numbers are: what the analyses say, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsn_saal.analyse.claims import READINGS
from dsn_saal.analyse.written import read_analysis
from dsn_saal.params.report_job import ReportJob
from dsn_saal.statistics.printed import between, interval, listed, mean_and_sd, metric, plain, plural, rate

Facts = dict[str, Any]


def certainty_facts(job: ReportJob, analyses: Mapping[str, Path]) -> Facts:
    """Sentences of the section on certainty.

    Args:
        job: the report's block.
        analyses: analysis to the file that `dsn-saal analyse` wrote, all of them.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where one is damaged or speaks of other classes.
    """
    held = {name: read_analysis(path, name, tuple(job.classes)) for name, path in analyses.items()}
    return {
        "sure_families": [_family(name, family) for name, family in held["comparisons"]["families"].items()],
        "sure_claims": first_claims(held["comparisons"]),
        "sure_levels": [_level(entry, held["levels"]) for entry in _ends(held["levels"]["experiments"])],
        "sure_cases": [_cases(entry) for entry in held["cases"]["experiments"]],
        "sure_calibration": [_calibration(entry) for entry in held["calibration"]["experiments"]],
        "sure_fitted_on": f"{held['calibration']['fitted_on_because']}.",
        "sure_bins": plural(len(held["calibration"]["bins"]) - 1, "bin"),
        "sure_least": plain(held["calibration"]["least_probability"]),
        "sure_decision": [_decision(entry, held["decision"]) for entry in held["decision"]["experiments"]],
        "sure_positions": _positions(held["positions"]),
    }


def _ends(entries: Sequence[Facts]) -> list[Facts]:
    """The first and the last: the baseline and what was proposed."""
    return [entries[0], entries[-1]] if len(entries) > 1 else list(entries)


def _family(name: str, family: Facts) -> str:
    title = f"Table {name.removeprefix('table')}"
    counts = Counter(one["reading"] for one in family["comparisons"])
    if not counts:
        return f"{title}: nothing is compared."
    parts = [f"{READINGS[reading]} ({counts[reading]})" for reading in READINGS if counts[reading]]
    return f"{title}, {plural(family['tests'], 'test')}: {listed(parts)}."


def first_claims(comparisons: Facts) -> list[str]:
    """What may be said of the first comparison of each table; of a pair that two tables share, in the first of them."""
    firsts = [family["comparisons"][0] for family in comparisons["families"].values() if family["comparisons"]]
    by_pair: dict[tuple[str, str, str], str] = {}
    for one in firsts:
        by_pair.setdefault((one["ours"], one["theirs"], one["metric"]), one["claim"])
    return list(by_pair.values())


def _level(entry: Facts, levels: Facts) -> str:
    if entry["missing_because"]:
        return f"{entry['missing_because']}."
    parts = []
    for level, words in (("slice", "by slice"), ("case_weighted", "with each case weighing one"), ("case", "by case")):
        found = entry["levels"][level]["metrics"][levels["primary"]["accuracy"]]
        parts.append(f"{mean_and_sd(found['mean'], found['sd'])} {interval(found['interval'])} {words}")
    return f"{entry['title']} has an accuracy of {listed(parts)}."


def _cases(entry: Facts) -> str:
    if entry["missing_because"]:
        return f"{entry['missing_because']}."
    counts, total = entry["counts"], len(entry["cases"])
    return (
        f"{entry['title']} names {counts['always_right']} of {plural(total, 'case')} rightly in every run, "
        f"{counts['never_right']} in none, and {counts['depends_on_the_run']} depending on the run."
    )


def _calibration(entry: Facts) -> str:
    if entry["before"] is None:
        return f"{entry['missing_because']}."
    before = entry["before"]["scores"]
    names = {"brier": "Brier score", "log_loss": "log-loss", "ece.macro": "mean class-wise calibration error"}
    if entry["after"] is None:
        listing = [f"{title} {_score(before[name])}" for name, title in names.items()]
        return f"{entry['title']}: {listed(listing)}; no temperature: {entry['after_missing_because']}."
    after = entry["after"]["scores"]
    listing = [
        f"{title} {_score(before[name])} before and {_score(after[name])} after" for name, title in names.items()
    ]
    values = [one["value"] for one in entry["temperatures"]]
    return f"{entry['title']}, scaled by a temperature of {between(values, metric)}: {'; '.join(listing)}."


def _score(found: Facts) -> str:
    return f"{metric(found['mean'])} {interval(found['interval'])}"


def _decision(entry: Facts, decision: Facts) -> str:
    if entry["case"] is None:
        return f"{entry['missing_because']}."
    useful = [
        threshold
        for threshold, value, everyone in zip(
            decision["thresholds"], entry["case"]["values"], decision["treat_all"]["case"], strict=True
        )
        if value is not None and value > max(everyone, decision["treat_none"]) + 1e-12
    ]
    asked = plural(len(decision["thresholds"]), "threshold")
    if not useful:
        return f"Acting on {entry['title']} gains nothing by case over acting on all or on none at any of {asked}."
    return (
        f"Acting on {entry['title']} gains something by case over acting on all and on none at {len(useful)} of "
        f"{asked}, between {rate(useful[0], 2)} and {rate(useful[-1], 2)}."
    )


def _positions(positions: Facts) -> list[str]:
    if positions["missing_because"]:
        return [f"Positions cannot be given: {positions['missing_because']}."]
    sentences = []
    for entry in positions["experiments"]:
        if entry["recall"] is None:
            sentences.append(f"{entry['missing_because']}.")
            continue
        values = [(value, place) for place, value in enumerate(entry["recall"]["all"]["values"]) if value is not None]
        (low, worst), (high, best) = min(values), max(values)
        counts = positions["slices"]["all"]
        sentences.append(
            f"{entry['title']} names {metric(high)} of the slices rightly in part {best + 1} of {len(counts)} counted "
            f"from the apex ({plural(counts[best], 'slice')}) and {metric(low)} in part {worst + 1} "
            f"({plural(counts[worst], 'slice')})."
        )
    if positions["unplaced"]:
        sentences.append(f"{plural(positions['unplaced'], 'slice')} had no position and are left out.")
    return sentences
