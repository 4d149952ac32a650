"""What every analysis writes alike: its head, numbers that may be missing, intervals with their reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsn_saal.analyse.answers import Answers, Floats, TestSlices
from dsn_saal.analyse.written import Json
from dsn_saal.params.analyse_jobs import AnalysisJob
from dsn_saal.statistics.intervals import draw_cases
from dsn_saal.statistics.nested import percentile_interval, reflected_interval
from dsn_saal.statistics.runs import mean_and_sd


def head(analysis: str, job: AnalysisJob, slices: TestSlices) -> Json:
    """Which analysis this is, of which slices, with which draws."""
    titles = list(job.classes)
    per_class = {name: int((slices.strata == label).sum()) for label, name in enumerate(titles)}
    return {
        "analysis": analysis,
        "origin": slices.origin,
        "scale": job.scale,
        "dataset_title": job.dataset_title,
        "classes": titles,
        "positive": job.positive,
        "n_runs": job.runs,
        "n_slices": len(slices.table),
        "n_cases": len(slices.names),
        "class_cases": per_class,
        "interval": job.interval.model_dump() | {"unit": "case"},
    }


def of_experiment(answers: Answers) -> Json:
    """How an experiment's entry begins."""
    return {
        "experiment": answers.name,
        "title": answers.title,
        "finished": list(answers.runs),
        "n_failed": len(answers.failed),
        "missing_because": answers.missing,
    }


def drawn_cases(job: AnalysisJob, slices: TestSlices) -> Floats:
    """How often each case is drawn, (1 + draws, cases): the whole in the first row, then the draws."""
    times = draw_cases(slices.strata, job.interval.draws, job.interval.seed)
    return np.concatenate([np.ones((1, len(slices.names))), times])


def or_null(value: float | None) -> float | None:
    """A number as JSON holds it: null where it is undefined."""
    return None if value is None or not np.isfinite(value) else float(value)


def with_interval(values: Floats, draws: Floats, *, level: float, ddof: int = 1, reflected: bool = False) -> Json:
    """Mean and sd over runs (runs,) with an interval from (draws,), or nulls with their reason."""
    mean, sd = mean_and_sd([float(value) for value in values], ddof)
    found = reflected_interval(float(values.mean()), draws, level) if reflected else percentile_interval(draws, level)
    undefined = int(np.isnan(values).sum())
    because = f"undefined in {undefined} of {values.size} runs" if undefined else found.missing_because
    bounds = None if undefined else found.bounds
    shown = [or_null(value) for value in values]
    return {"mean": mean, "sd": sd, "values": shown, "interval": bounds, "missing_because": because}


def banded(values: Floats, level: float) -> Json:
    """A curve with its band from (1 + draws, T), the whole in the first row; null where it or a draw is undefined."""
    ends = [percentile_interval(column[1:], level) for column in values.T]
    return {
        "values": nulls(values[0]),
        "low": [None if end.bounds is None else end.bounds[0] for end in ends],
        "high": [None if end.bounds is None else end.bounds[1] for end in ends],
        "band_missing_because": [end.missing_because for end in ends],
    }


def nulls(values: Floats | Sequence[float]) -> list[float | None]:
    """A list for JSON, null where a value is undefined."""
    return [or_null(value) for value in values]
