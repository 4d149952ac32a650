"""Networks that learned from one data set, tested on another: the positive class against the rest everywhere.

A run answers by the network of its last epoch, whether its last epochs vote or not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dsn_saal.data.inference import Progress, fix_arithmetic, predict_logits
from dsn_saal.data.resident import ResidentImages, read_images
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.named import require_named
from dsn_saal.domain.origin import common_origin
from dsn_saal.evaluate.predict import probabilities_of
from dsn_saal.evaluate.trained import TrainedRun, read_trained_runs, require_same_data
from dsn_saal.models import Network, build_network, read_weights
from dsn_saal.params.jobs import network_arguments
from dsn_saal.params.learning import Evaluate
from dsn_saal.params.probe_jobs import CrossJob, CrossTest
from dsn_saal.probe.chosen_run import no_weights_because, with_weights
from dsn_saal.split.table import parts_of, read_split, shared_test
from dsn_saal.statistics.case_means import FEWEST_CASES
from dsn_saal.statistics.confusion import class_rates
from dsn_saal.statistics.intervals import bootstrap_intervals, case_confusions
from dsn_saal.statistics.ranking import auc
from dsn_saal.statistics.runs import mean_and_sd
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.tables import read_table

Json = dict[str, Any]
Floats = NDArray[np.float64]


class Tested(NamedTuple):
    """What one run is tested on: row, case, label, origin of each slice."""

    run: TrainedRun
    slices: pd.DataFrame


def probe_cross(
    job: CrossJob,
    *,
    images: Mapping[str, Path],
    splits: Mapping[str, Path],
    weights: Path,
    out: Path,
    progress: Progress = lambda items, _: items,
) -> Json:
    """Test every run whose weights are kept on every data set of the job.

    A run meets the test part of its own draw on the data set that it learned from, and on any other every slice that
    some draw tests.

    Args:
        job: the experiment, the data set it learned from and those it is tested on.
        images: data set to the folder that preprocess wrote.
        splits: data set to the table of its split.
        weights: folder that train wrote.
        out: the JSON file.
        progress: passes data sets on and shows how many of a total went by.

    Returns:
        What was written; a cell without numbers says why.

    Raises:
        BadRequest: where a data set lacks its folder or its split, or an input is missing.
        CheckFailed: where inputs do not belong together.
    """
    for option, given in (("--images", images), ("--split", splits)):
        require_named(option, given, job.tests)
    experiment = job.experiment
    fix_arithmetic(experiment.threads)
    trained = read_trained_runs(weights, experiment.name, experiment.runs)
    require_same_data(trained, images=images[job.own] / "images.npy", split=splits[job.own])
    runs = with_weights(trained)
    report: Json = {
        "experiment": experiment.name, "title": job.title, "own": job.own, "positive": experiment.positive,
        "runs": [run.key.run for run in runs], "of_runs": len(trained), "ddof": experiment.evaluate.std_ddof,
        "level": experiment.evaluate.interval_level,
        "missing_because": None if runs else no_weights_because(trained), "tests": {},
    }  # fmt: skip
    for name in progress(list(job.tests), len(job.tests)):
        tested = [Tested(run, _slices(images[name], splits[name], _draw(job, name, run))) for run in runs]
        report["tests"][name] = _cell(job, name, tested, images[name])
    write_json(out, report)
    return report


def _draw(job: CrossJob, dataset: str, run: TrainedRun) -> int | None:
    return int(run.record.get("draw", 0)) if dataset == job.own else None


def _slices(images: Path, split: Path, draw: int | None) -> pd.DataFrame:
    """The test slices of one draw, or those of any draw; a slice without a known case is a case of its own."""
    table = read_split(split)
    one = draw is not None or shared_test(table)
    parts = parts_of(table, draw or 0) if one else table.sort_values("row").drop_duplicates(["row", "part"])
    wanted = parts.loc[parts["part"] == "test", ["row", "case", "label"]]
    index = read_table(images / "index.parquet", ["row", "case", "label", "origin"])
    slices = wanted.merge(index, on=["row", "case", "label"], how="left", validate="one_to_one")
    if slices["origin"].isna().any() or slices.empty:
        raise CheckFailed(
            "split and index do not belong together", where=f"{split} and {images}", next_step="run split again"
        )
    unknown = slices["case"] == ""
    return slices.assign(case=slices["case"].where(~unknown, "row " + slices["row"].astype(str)))


def _cell(job: CrossJob, name: str, tested: Sequence[Tested], images: Path) -> Json:
    """Numbers of one data set over the runs."""
    test = job.tests[name]
    cell: Json = {"title": test.title, "cut_out": test.cut_out, "own": name == job.own}
    if not tested:
        return cell | {"metrics": None}
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = build_network(**network_arguments(job.experiment)).to(device)
    network.eval()
    answers = [_answer(job, test, network, one, images, device) for one in tested]
    first = tested[0].slices
    positive = first["label"] == test.classes.index(test.positive)
    return cell | {
        "origin": common_origin(first["origin"]),
        "slices": len(first),
        "positives": int(positive.sum()),
        "cases": int(first["case"].nunique()),
        "metrics": _metrics(job.experiment.evaluate, [one.slices["case"] for one in tested], answers),
    }


class Answer(NamedTuple):
    """Of one run: which slices are positive, the probability of the positive class, and whether it was named."""

    positive: NDArray[np.bool_]
    probability: Floats
    named: NDArray[np.bool_]


def _answer(
    job: CrossJob, test: CrossTest, network: Network, one: Tested, images: Path, device: torch.device
) -> Answer:
    experiment = job.experiment
    if one.run.answer is None:
        raise ValueError("a run without weights answers nothing")
    pixels = read_images(images / "images.npy", one.slices["row"].to_numpy())
    if pixels.shape[1] != experiment.image_size:
        raise CheckFailed("images do not have the size that the params say", value=pixels.shape[1:], where=images)
    resident = ResidentImages(pixels, device=device, normalise=experiment.network.normalise)
    read_weights(one.run.answer, network)
    logits = predict_logits(network, resident, batch_size=experiment.evaluate.batch_size)
    probabilities = probabilities_of(logits, experiment.evaluate.predict_from)
    wanted = experiment.classes.index(experiment.positive)
    labels = one.slices["label"].to_numpy()
    return Answer(
        labels == test.classes.index(test.positive), probabilities[:, wanted], probabilities.argmax(axis=1) == wanted
    )


def _metrics(evaluate: Evaluate, cases: Sequence[pd.Series[str]], answers: Sequence[Answer]) -> Json:
    """AUC, balanced accuracy, sensitivity and specificity: mean and sd over runs, and an interval over cases."""
    numbers = [pd.factorize(names, sort=True)[0] for names in cases]
    confusions = [
        case_confusions(answer.positive.astype(int), answer.named.astype(int), number, 2)
        for answer, number in zip(answers, numbers, strict=True)
    ]
    rates = [class_rates(confusion.sum(axis=0)) for confusion in confusions]
    values = {
        "auc": [auc(answer.positive, answer.probability) for answer in answers],
        "balanced_accuracy": [float(rate["sensitivity"].mean()) for rate in rates],
        "sensitivity": [float(rate["sensitivity"][1]) for rate in rates],
        "specificity": [float(rate["sensitivity"][0]) for rate in rates],
    }
    interval = None
    if all(names.equals(cases[0]) for names in cases):  # of folds each run has cases of its own
        first = np.unique(numbers[0], return_index=True)[1]
        strata = answers[0].positive[first].astype(int)
        if np.bincount(strata, minlength=2).min() >= FEWEST_CASES:
            interval = bootstrap_intervals(
                np.stack(confusions), strata, positive=1, level=evaluate.interval_level,
                draws=evaluate.bootstrap_draws, seed=evaluate.bootstrap_seed,
            )["accuracy.balanced"]  # fmt: skip
    over = {name: dict(zip(("mean", "sd"), mean_and_sd(held, evaluate.std_ddof), strict=True)) for name, held in
            values.items()}  # fmt: skip
    shown = {name: [None if math.isnan(value) else value for value in held] for name, held in values.items()}
    return {name: over[name] | {"values": shown[name]} for name in values} | {"balanced_accuracy_interval": interval}
