"""Families of comparisons: paired by run and by case, corrected for the number of tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dsn_saal.analyse.answers import Answers, Floats, read_answers
from dsn_saal.analyse.claims import claim, reading
from dsn_saal.analyse.shared import drawn_cases, head, or_null, with_interval
from dsn_saal.analyse.written import ONE_SPLIT, Json
from dsn_saal.params.analyse_jobs import ComparisonsJob, Pair
from dsn_saal.statistics.clusters import resampled_metrics
from dsn_saal.statistics.paired import holm, probability_of_improvement, sign_flip, two_sided_share

Drawn = dict[int, dict[str, Floats]]
"""By run: each metric on the whole and on every draw of cases, (1 + draws,)."""

TITLES = {"accuracy": "accuracy", "f1": "F1", "g_mean": "G-mean", "auc": "AUC"}


def analyse(job: ComparisonsJob, *, predictions: Mapping[str, Path]) -> Json:
    """Every comparison of every family.

    Args:
        job: families of pairs, metrics, runs and draws.
        predictions: experiment to the folder that evaluate wrote.

    Returns:
        JSON; see `answers.read_answers` for what is refused.
    """
    slices, answers = read_answers(job, predictions)
    times, positive = drawn_cases(job, slices), list(job.classes).index(job.positive)
    wanted = set(job.metrics.values())
    drawn: dict[str, Drawn] = {}
    for name, held in answers.items():
        drawn[name] = {}
        for run, counts in held.counts(slices).items():
            every = resampled_metrics(counts, times, positive=positive, classes=tuple(job.classes))
            drawn[name][run] = {metric: every[metric] for metric in wanted}
    families = {
        name: _family(job, [(pair, metric) for pair in pairs for metric in job.metrics], answers, drawn)
        for name, pairs in job.families.items()
    }
    return head("comparisons", job, slices) | {
        "metrics": job.metrics,
        "families": families,
        "note": ONE_SPLIT,
        "titles": {name: held.title for name, held in answers.items()},
    }


def _family(
    job: ComparisonsJob, tests: list[tuple[Pair, str]], answers: Mapping[str, Answers], drawn: Mapping[str, Drawn]
) -> Json:
    """One family: its tests, then Holm over all of them, then what may be said of each."""
    results = [
        _compared(job, answers[pair.ours], answers[pair.theirs], metric, drawn) | {"metric": metric}
        for pair, metric in tests
    ]
    alpha = 1 - job.interval.level
    adjusted = zip(holm([one["p_seeds"] for one in results]), holm([one["p_cases"] for one in results]), strict=True)
    for one, (seeds, cases) in zip(results, adjusted, strict=True):
        smallest = min(1.0, one["smallest_p_seeds"] * len(results))
        one |= {"alpha": alpha, "p_seeds_holm": seeds, "p_cases_holm": cases, "smallest_p_seeds_holm": smallest}
        one["reading"] = reading(one, alpha)
        one["claim"] = claim(
            one,
            ours=answers[one["ours"]].title,
            theirs=answers[one["theirs"]].title,
            metric_title=TITLES[one["metric"]],
            tests=len(results),
            level=job.interval.level,
        )
    return {"tests": len(results), "comparisons": results}


def _compared(job: ComparisonsJob, ours: Answers, theirs: Answers, family: str, drawn: Mapping[str, Drawn]) -> Json:
    """One test: differences by run of the runs that finished in both, and over draws of cases of their mean."""
    metric = job.metrics[family]
    both = sorted(ours.runs.keys() & theirs.runs.keys())
    found: Json = {"ours": ours.name, "theirs": theirs.name, "runs": both}
    if not both:
        because = ours.missing or theirs.missing or "no run finished in both"
        test = sign_flip([], exact_up_to=job.exact_up_to)
        empty: Json = {"mean": None, "sd": None, "values": [], "interval": None, "missing_because": because}
        found |= {"difference": empty, "missing_because": because, "p_cases": None}
        return found | {"p_seeds": None, "smallest_p_seeds": test.smallest, "exact": True, "p_improvement": None}
    first, second = (np.array([drawn[one.name][run][metric] for run in both]) for one in (ours, theirs))
    gains = first - second
    test = sign_flip(gains[:, 0].tolist(), exact_up_to=job.exact_up_to, draws=job.sign_flips, seed=job.interval.seed)
    mean_gain = gains.mean(axis=0)[1:]
    difference = with_interval(gains[:, 0], mean_gain, level=job.interval.level, ddof=job.std_ddof)
    return found | {
        "difference": difference,
        "missing_because": difference["missing_because"],
        "p_seeds": or_null(test.p),
        "smallest_p_seeds": test.smallest,
        "exact": test.exact,
        "p_cases": or_null(two_sided_share(mean_gain)),
        "p_improvement": or_null(probability_of_improvement(first[:, 0].tolist(), second[:, 0].tolist())),
    }
