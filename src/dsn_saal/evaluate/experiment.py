"""All runs of one experiment: weights and test slices in, predictions and metrics out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dsn_saal.data.inference import Progress, fix_arithmetic, predict_logits, read_logits
from dsn_saal.data.resident import ResidentImages
from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.pixels import PIXEL_FILES
from dsn_saal.domain.run import TEST_LOGITS
from dsn_saal.evaluate.predict import probabilities_of
from dsn_saal.evaluate.summary import header_of, probability_columns, run_metrics, summary_of, without_nan
from dsn_saal.evaluate.testpart import TestPart, read_test_part
from dsn_saal.evaluate.trained import TrainedRun, read_trained_runs, require_same_data
from dsn_saal.models import build_network, read_weights
from dsn_saal.models.flops import count_flops
from dsn_saal.params.jobs import EvaluateJob, network_arguments
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.listing import sha256_of
from dsn_saal.storage.tables import write_table

Json = dict[str, Any]


def evaluate_experiment(
    job: EvaluateJob,
    *,
    images: Path,
    split: Path,
    weights: Path,
    out: Path,
    progress: Progress = lambda items, _: items,
) -> Json:
    """Predict the test part with every run and measure it.

    Args:
        job: the experiment, its network, the conventions and the number of runs.
        images: folder that preprocess wrote.
        split: table of row, case, label, draw, part.
        weights: folder that train wrote.
        out: folder of the results; it belongs to this job, what else lies in it is removed.
        progress: passes batches on and shows how many of a total went by.

    Returns:
        What was written to summary.json.

    Raises:
        BadRequest: where an input is missing.
        CheckFailed: where inputs do not belong together or a trained run is missing or altered.
    """
    fix_arithmetic(job.threads)
    classes = ClassSet(job.classes, job.classes, job.positive)
    test = read_test_part(images, split, image_size=job.image_size, n_classes=len(classes), pixels=job.pixels)
    trained = read_trained_runs(weights, job.name, job.runs)
    require_same_data(trained, images=images / PIXEL_FILES[job.pixels], split=split)
    tables = _predict_runs(job, test, trained, classes, progress)
    header = header_of(job, test.slices)
    finished, metrics = {}, {}
    for run, table in zip(trained, tables, strict=True):
        if run.answer is None:
            body: Json = {"failed": run.failure(), "metrics": None}
        else:
            finished[run.key.run], metrics[run.key.run] = table, run_metrics(table, classes)
            body = {"metrics": without_nan(metrics[run.key.run])}
        _write_run(out, run, table, header | body)
    summary = header | summary_of(job, metrics, finished, n_runs=len(trained)) | {"network": network_size(job)}
    summary |= {"training": [run.origin() for run in trained]}
    write_json(out / "summary.json", summary)
    _remove_strays(out, {run.key.run_name for run in trained})
    return summary


def network_size(job: EvaluateJob) -> Json:
    """Parameters of the network, how many of them are in side classifiers, and operations of its forward pass."""
    with torch.device("meta"):
        network = build_network(**network_arguments(job))
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "side_parameters": sum(parameter.numel() for parameter in network.sides.parameters()),
        "forward_flops": count_flops(network, job.image_size).forward,
    }


def _predict_runs(
    job: EvaluateJob, test: TestPart, trained: list[TrainedRun], classes: ClassSet, progress: Progress
) -> list[pd.DataFrame]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    resident = ResidentImages(test.images, device=device, normalise=job.network.normalise)
    network = build_network(**network_arguments(job)).to(device).eval()
    tables = []
    for run in trained:
        if run.answer is None:  # the same columns, and no row that could be counted
            columns = dict.fromkeys(probability_columns(classes), np.empty(0))
            tables.append(test.slices.iloc[:0].assign(**columns))
            continue
        if run.answer.name == TEST_LOGITS:
            logits = _kept_logits(run.answer, test)
        else:
            read_weights(run.answer, network)
            logits = predict_logits(network, resident, batch_size=job.evaluate.batch_size, progress=progress)
        probabilities = probabilities_of(logits, job.evaluate.predict_from)
        tables.append(test.slices.assign(**dict(zip(probability_columns(classes), probabilities.T, strict=True))))
    return tables


def _kept_logits(path: Path, test: TestPart) -> NDArray[np.float64]:
    logits, rows = read_logits(path)
    if not np.array_equal(rows, test.slices["row"].to_numpy()):
        raise CheckFailed(
            "a run kept the logits of other slices than the test part's",
            value=f"{len(rows)} slices, not the {len(test.slices)} of the split",
            where=path,
            next_step="train again",
        )
    return logits


def _write_run(out: Path, run: TrainedRun, table: pd.DataFrame, body: Json) -> None:
    predictions = out / run.key.run_name / "predictions.parquet"
    write_table(predictions, table)
    digest = {"predictions_sha256": sha256_of(predictions)}
    write_json(predictions.with_name("metrics.json"), body | digest | {"training": run.origin()})


def _remove_strays(out: Path, wanted: set[str]) -> None:
    """Take away runs that params no longer name: a later stage must not find them."""
    for entry in out.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            if entry.name not in wanted:
                shutil.rmtree(entry)
        elif entry.name != "summary.json":
            entry.unlink()
