"""Recall by where in the lungs a slice lies, from apex to base."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.analyse.answers import Answers, Floats, TestSlices, read_answers
from dsn_saal.analyse.shared import banded, drawn_cases, head, of_experiment
from dsn_saal.analyse.written import Json
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.params.analyse_jobs import PositionsJob
from dsn_saal.statistics.confusion import ratio
from dsn_saal.storage.tables import read_table


def analyse(job: PositionsJob, *, predictions: Mapping[str, Path], index: Path) -> Json:
    """Share of slices named rightly in each part of the lungs, by class and of all.

    Args:
        job: experiments, bins, classes, runs and draws.
        predictions: experiment to the folder that evaluate wrote.
        index: index of the preprocessed slices, for their heights.

    Returns:
        JSON; see `answers.read_answers` for what is refused.

    Raises:
        CheckFailed: where the index lacks a slice of the predictions.
    """
    slices, answers = read_answers(job, predictions)
    heights = read_table(index, ["row", "case", "series", "z_mm"])
    place = relative_positions(heights).reindex(slices.table["row"])
    if place.index.duplicated().any() or not set(slices.table["row"]) <= set(heights["row"]):
        raise CheckFailed(
            "the index does not hold the slices of the predictions", where=index, next_step="run evaluate again"
        )
    values = place.to_numpy(np.float64)
    known = np.isfinite(values)
    bins = np.where(known, np.minimum((np.where(known, values, 0) * job.bins).astype(int), job.bins - 1), -1)
    because = None if known.any() else "no slice has a height: the files of this data set carry none"
    times = drawn_cases(job, slices)
    return head("positions", job, slices) | {
        "edges": np.linspace(0, 1, job.bins + 1).tolist(),
        "direction": "0 is the slice nearest the head of those that were read of a series, 1 the one nearest the feet",
        "unplaced": int((~known).sum()),
        "missing_because": because,
        "slices": {key: _counts(bins[flags], job.bins) for key, flags in _groups(job, slices).items()},
        "cases": {key: _cases(bins, slices, flags, job.bins) for key, flags in _groups(job, slices).items()},
        "experiments": [
            of_experiment(held) | {"recall": None if because else _recall(job, slices, held, bins, times)}
            for held in answers.values()
        ],
    }


def relative_positions(heights: pd.DataFrame) -> pd.Series:
    """Position of each slice in its series by row: 0 nearest the head, 1 nearest the feet.

    NaN where a height is unknown, or all slices of the series lie at one height: a single slice has no position.

    Args:
        heights: row, case, series, z_mm, which grows towards the head.
    """
    by_series = heights.groupby(["case", "series"], sort=False)["z_mm"]
    top, bottom = by_series.transform("max"), by_series.transform("min")
    extent = (top - bottom).where(top > bottom)
    return pd.Series(((top - heights["z_mm"]) / extent).to_numpy(), index=heights["row"].to_numpy())


def _groups(job: PositionsJob, slices: TestSlices) -> dict[str, NDArray[np.bool_]]:
    by_class = {name: slices.labels == label for label, name in enumerate(job.classes)}
    return by_class | {"all": np.ones(slices.labels.size, bool)}


def _counts(bins: NDArray[np.integer], n_bins: int) -> list[int]:
    return np.bincount(bins[bins >= 0], minlength=n_bins).tolist()


def _cases(bins: NDArray[np.integer], slices: TestSlices, flags: NDArray[np.bool_], n_bins: int) -> list[int]:
    return [int(np.unique(slices.cases[flags & (bins == place)]).size) for place in range(n_bins)]


def _recall(
    job: PositionsJob, slices: TestSlices, held: Answers, bins: NDArray[np.integer], times: Floats
) -> Json | None:
    """Mean over runs of the share of slices named rightly, a curve over the bins for each class and for all."""
    if not held.runs:
        return None
    right = np.mean([run.argmax(axis=1) == slices.labels for run in held.runs.values()], axis=0)
    shape, curves = (len(slices.names), job.bins), {}
    for key, flags in _groups(job, slices).items():
        chosen = flags & (bins >= 0)
        place = slices.cases[chosen] * job.bins + bins[chosen]
        hits = np.bincount(place, right[chosen], minlength=shape[0] * shape[1]).reshape(shape)
        total = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)
        curves[key] = banded(ratio(times @ hits, times @ total), job.interval.level)
    return curves
