"""Facts about alpha and beta: what training did to them, whether classes were re-balanced, what changes helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsn_saal.evaluate.summaries import differences
from dsn_saal.params.report_job import ReportJob
from dsn_saal.statistics.effective_number import NEGLIGIBLE, alpha_of_ratio
from dsn_saal.statistics.printed import between, count, listed, metric, near_one, plural, signed, significant
from dsn_saal.statistics.runs import mean_and_sd
from dsn_saal.tables.ablation import RECALL, Variant, read_variants

Facts = dict[str, Any]


def study_facts(job: ReportJob, summaries: Mapping[str, Path], training: Mapping[str, Path]) -> Facts:
    """Sentences of the section on alpha and beta.

    Args:
        job: the report's block.
        summaries: experiment to its summary.json, the variants' among them.
        training: experiment to the folder that train wrote, the variants' only.

    Raises:
        BadRequest: where a variant lacks a file.
        CheckFailed: where files are damaged or do not belong together.
    """
    rows = job.saal_ablation
    read = read_variants(
        rows,
        {row.name: summaries[row.name] for row in rows},
        training,
        runs=job.train.runs,
        classes=tuple(job.classes),
    )
    reading = read[0]
    variants = [variant for variant in read if variant.runs]  # the table says which diverged
    if not reading.runs:
        return {"has_study": False, "study_missing": f"Every run of {reading.title} diverged: nothing to follow."}
    return {
        "has_study": True,
        "study_missing": "",
        "study_reading": reading.title,
        "study_needed": _needed(reading),
        "study_learned": _learned(reading),
        "study_scale": _scale(reading),
        "study_balance": _balance(variants),
        "study_variants": [_variant(variant, reading) for variant in variants[1:]],
        "study_verdict": _verdict(variants),
    }


def _percent() -> str:
    return f"{100 * NEGLIGIBLE:g} %"


def _needed(reading: Variant) -> str:
    counts = reading.counts
    alpha = alpha_of_ratio(1 + NEGLIGIBLE, counts)
    images = f"With {listed([count(number) for number in counts])} training images a class"
    if alpha is None:
        return f"{images} no alpha makes the class weights differ by {_percent()}."
    return (
        f"{images} the class weights differ by less than {_percent()} wherever alpha is below {near_one(alpha)}: there "
        f"the loss has no preference for a class. As alpha goes to its limit, the largest weight goes to "
        f"{metric(max(counts) / min(counts))} times the smallest."
    )


def _learned(reading: Variant) -> str:
    runs = reading.runs
    ratio = between([run.ratio[-1] for run in runs], metric)
    return (
        f"In {reading.title} alpha started at {between([run.alpha[0] for run in runs], near_one)} and ended at "
        f"{between([run.alpha[-1] for run in runs], near_one)}, the betas started at "
        f"{between([beta for run in runs for beta in run.betas[0]], metric)} and ended at "
        f"{between([beta for run in runs for beta in run.betas[-1]], metric)}. At the end the largest class weight was "
        f"{ratio} times the smallest."
    )


def _scale(reading: Variant) -> str:
    """The hidden learning-rate decay."""
    first, last = ([run.weights[place].mean() for run in reading.runs] for place in (0, -1))
    shrunk = [before / after for before, after in zip(first, last, strict=True)]
    return (
        f"What alpha changed most was the size of the loss: the mean class weight went from "
        f"{between(first, significant)} to {between(last, significant)}, which divides every step of the network by "
        f"{between(shrunk, significant)} on top of the schedule."
    )


def _balance(variants: Sequence[Variant]) -> str:
    balanced = [variant.title for variant in variants if all(run.ratio[-1] > 1 + NEGLIGIBLE for run in variant.runs)]
    if not balanced:
        return f"In no variant did the weights of all runs end more than {_percent()} apart."
    if len(balanced) == len(variants):
        return f"In every variant the weights of all runs ended more than {_percent()} apart."
    return f"The weights of all runs ended more than {_percent()} apart only in: {'; '.join(balanced)}."


def _variant(variant: Variant, reading: Variant) -> Facts:
    runs = variant.runs
    return {
        "title": variant.title,
        "alpha": between([run.alpha[-1] for run in runs], near_one),
        "ratio": between([run.ratio[-1] for run in runs], metric),
        "weight": between([run.weights[-1].mean() for run in runs], significant),
        "change": _change(variant, reading),
    }


def _change(variant: Variant, reading: Variant) -> str:
    found = differences(reading.summary, variant.summary, RECALL)
    if found is None:
        return "macro recall is undefined in a run"
    mean, sd = mean_and_sd(found, reading.summary["ddof"])
    spread = "" if sd is None else f" ± {metric(sd)}"
    higher = sum(value > 0 for value in found)
    return f"macro recall changed by {signed(mean)}{spread} (higher in {higher} of {plural(len(found), 'run')})"


def _verdict(variants: Sequence[Variant]) -> str:
    """Which changes moved macro recall the same way in every run: all that a handful of runs can say."""
    found = {variant.title: differences(variants[0].summary, variant.summary, RECALL) for variant in variants[1:]}
    up = [title for title, values in found.items() if values and all(value > 0 for value in values)]
    down = [title for title, values in found.items() if values and all(value < 0 for value in values)]
    parts = [f"higher in every run with: {'; '.join(up)}"] if up else []
    parts += [f"lower in every run with: {'; '.join(down)}"] if down else []
    if not parts:
        return "Against it, no change moved macro recall the same way in every run."
    return f"Against it, macro recall was {' – and '.join(parts)}. Nothing else moved it the same way in every run."
