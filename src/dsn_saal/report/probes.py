"""Facts about what the networks look at: the shortcut probe, the maps and their check, the other data sets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.report_job import ReportJob
from dsn_saal.params.shown import ExperimentRow
from dsn_saal.report.facts import read_json
from dsn_saal.statistics.printed import MISSING, between, interval, listed, mean_and_sd, metric, plain, plural
from dsn_saal.statistics.runs import interval_of_mean

Facts = dict[str, Any]
RECALL = "sensitivity.macro"


def probe_facts(
    job: ReportJob, summaries: Mapping[str, Facts], *, cams: Mapping[str, Path], crosses: Mapping[str, Path]
) -> Facts:
    """Sentences of the section on what the networks look at.

    Args:
        job: the report's block.
        summaries: the shortcut's among them, by experiment.
        cams: experiment to its cam.json, of every experiment of probe.cam.
        crosses: experiment to its JSON, of every experiment of probe.cross.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where a file is damaged or of another experiment.
    """
    read = [_read(row, cams, "maps") for row in job.cams]
    crossed = [_read(row, crosses, "cross test") for row in job.crosses]
    return {
        "diagnosed_title": job.diagnosed.title,
        "failures_per_cell": plain(job.failures_per_cell),
        **_shortcut(job, summaries),
        "cam_tap": {"after_relu": "after its activation", "after_conv": "before its normalisation"}[job.cam_tap],
        "cam_class": {"predicted": "the predicted class", "label": "the true class"}[job.cam_class],
        "cam_methods": [_method(job, row, held) for row, held in zip(job.cams, read, strict=True)],
        "cam_sanity": " ".join(_sanity(row, held) for row, held in zip(job.cams, read, strict=True)),
        "cam_warning": any(_resembles(held) for held in read),
        "cross_methods": [_cross(row, held) for row, held in zip(job.crosses, crossed, strict=True)],
    }


def _read(row: ExperimentRow, files: Mapping[str, Path], what: str) -> Facts:
    if row.name not in files:
        raise BadRequest(f"the {what} of an experiment are missing", value=row.name, next_step="name their file")
    held: Facts = read_json(files[row.name], f"{what} of {row.name}")
    if held.get("experiment") != row.name:
        raise CheckFailed(
            f"these are not the {what} of {row.name}", value=held.get("experiment"), where=files[row.name],
            next_step="name the file of the same experiment",
        )  # fmt: skip
    return held


def _shortcut(job: ReportJob, summaries: Mapping[str, Facts]) -> Facts:
    """What a network reaches that sees everything but the lungs, against chance."""
    if job.shortcut is None:
        return {"has_shortcut": False}
    summary = summaries[job.shortcut.name]
    recall, chance = summary["metrics"][RECALL], 1 / len(job.classes)
    values = [math.nan if value is None else value for value in recall["values"]]
    bounds = interval_of_mean(values, summary["interval"]["level"])
    return {
        "has_shortcut": True,
        "shortcut_title": job.shortcut.title,
        "shortcut_recall": mean_and_sd(recall["mean"], recall["sd"]),
        "shortcut_interval": interval(bounds),
        "shortcut_case_interval": interval(recall["interval"]),
        "shortcut_chance": metric(chance),
        "shortcut_warning": bounds is not None and bounds[0] > chance,
        "shortcut_sentence": shortcut_reading(bounds, recall["interval"], chance),
    }


def shortcut_reading(runs: Sequence[float] | None, cases: Sequence[float] | None, chance: float) -> str:
    """What the interval over runs says against chance, and whether other test cases could undo it."""
    if runs is None:
        return "No interval over runs can be given."
    undone = cases is not None and cases[0] <= chance <= cases[1]
    if runs[0] > chance:
        told = "SHORTCUT WARNING: the interval over runs lies above it, so what surrounds the lungs tells classes apart"
        return f"{told}; the interval over cases does contain it." if undone else f"{told}."
    if runs[1] < chance:
        told = "The interval over runs lies below it: what was learnt outside the lungs does not hold for other cases"
        return f"{told}; the interval over cases contains it." if undone else f"{told}."
    return "The interval over runs contains that value: what surrounds the lungs tells nothing, as it should be."


def _method(job: ReportJob, row: ExperimentRow, held: Facts) -> Facts:
    """A method's share of energy in the lungs: of all slices and by class, with what an even map would have."""
    if held["missing_because"]:
        return {"words": f"{row.title}: no maps, {held['missing_because']}."}
    everything = held["energy"]["all"]
    classes = [f"{title} {_share(held['energy'][name])}" for name, title in job.classes.items()]
    blank = (
        f" {plural(everything['blank_maps'], 'map')} stayed zero and count in no mean."
        if everything["blank_maps"]
        else ""
    )
    return {
        "words": f"{row.title}, run {held['run']['run']} ({held['run']['because']}), on a grid of {held['grid']} × "
        f"{held['grid']} cells: {_share(everything)}; an even map would have {metric(everything['even'])}, "
        f"{even_reading(everything)}. By class: {listed(classes)}.{blank}"
    }


def _share(entry: Facts) -> str:
    return f"{metric(entry['mean'])} {interval(entry['interval'])}"


def even_reading(entry: Facts) -> str:
    """How the share compares with that of a map that favours no place."""
    bounds, even = entry["interval"], entry["even"]
    if bounds is None or even is None:
        return "and the cases are too few to compare"
    if bounds[0] > even:
        return "so the maps favour the lungs"
    return "so the maps avoid the lungs" if bounds[1] < even else "so the maps do not favour the lungs"


def _sanity(row: ExperimentRow, held: Facts) -> str:
    if held["missing_because"]:
        return ""
    first, last = held["sanity"]["steps"][0], held["sanity"]["steps"][-1]
    return (
        f"{row.title}: {_rho(first)} with the last layer drawn anew, {_rho(last)} with every layer "
        f"({plural(held['sanity']['slices'], 'slice')}, {plural(held['sanity']['draws'], 'draw')})."
    )


def _rho(step: Facts) -> str:
    return f"{signed_or_missing(step['mean'])} {_signed_interval(step['interval'])}"


def signed_or_missing(value: float | None) -> str:
    """A correlation with a true minus."""
    return MISSING if value is None else metric(value).replace("-", "−")


def _signed_interval(bounds: Sequence[float] | None) -> str:
    return interval(bounds).replace("-", "−")


def _resembles(held: Facts) -> bool:
    """Whether the maps of random weights still resemble the learned ones."""
    if held["missing_because"]:
        return False
    bounds = held["sanity"]["steps"][-1]["interval"]
    return bounds is not None and bounds[0] > 0


def _cross(row: ExperimentRow, held: Facts) -> Facts:
    """Area under the curve at home and abroad."""
    if held["missing_because"]:
        return {"words": f"{row.title} was not tested elsewhere: {held['missing_because']}."}
    areas = {name: cell["metrics"]["auc"] for name, cell in held["tests"].items()}
    home = areas.pop(held["own"])
    abroad = [area["mean"] for area in areas.values() if area["mean"] is not None]
    elsewhere = (
        f"{between(abroad, metric)} on {plural(len(abroad), 'other data set')}" if abroad else "unknown elsewhere"
    )
    own = f"{row.title} of {held['tests'][held['own']]['title']}"
    return {"words": f"{own} ranks with an area of {mean_and_sd(home['mean'], home['sd'])} at home and of {elsewhere}."}
