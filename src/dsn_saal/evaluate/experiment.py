"""All runs of one experiment: weights and test slices in, predictions and metrics out."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dsn_saal.data.inference import Progress, fix_arithmetic, read_logits, voted_logits
from dsn_saal.data.resident import ResidentImages
from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.pixels import PIXEL_FILES
from dsn_saal.domain.run import TEST_LOGITS
from dsn_saal.evaluate.design import Design, read_design
from dsn_saal.evaluate.predict import probabilities_of
from dsn_saal.evaluate.summary import header_of, probability_columns, run_metrics, summary_of, without_nan
from dsn_saal.evaluate.testpart import TestPart, read_test_part
from dsn_saal.evaluate.trained import TrainedRun, read_trained_runs, require_same_data
from dsn_saal.models import build_network
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
    design = read_design(images, split, block=job.block)
    tests = _TestParts(job, images, split, design)
    tests.of_run(0)  # what does not belong together is said before any run is read
    trained = read_trained_runs(weights, job.name, job.runs)
    require_same_data(trained, images=images / PIXEL_FILES[job.pixels], split=split)
    tables = _predict_runs(job, tests, trained, classes, progress)
    finished, metrics = {}, {}
    for run, table in zip(trained, tables, strict=True):
        header = header_of(job, tests.slices_of_run(run.key.run))
        if run.answer is None:
            body: Json = {"failed": run.failure(), "metrics": None}
        else:
            finished[run.key.run], metrics[run.key.run] = table, run_metrics(table, classes)
            body = {"metrics": without_nan(metrics[run.key.run])}
        _write_run(out, run, table, header | body)
    measured = summary_of(job, metrics, finished, n_runs=len(trained), design=design)
    summary = header_of(job, tests.slices_of_all()) | measured | {"network": network_size(job)}
    summary |= {"training": [run.origin() for run in trained]}
    write_json(out / "summary.json", summary)
    _remove_strays(out, {run.key.run_name for run in trained})
    return summary


class _TestParts:
    """The test part of every run: that of its draw, or the first draw's where all draws test the same slices."""

    def __init__(self, job: EvaluateJob, images: Path, split: Path, design: Design) -> None:
        self._design, self._slices = design, dict[int, pd.DataFrame]()

        @lru_cache(maxsize=1)  # images fill memory, the slices' names do not
        def read(draw: int) -> TestPart:
            size, n_classes = job.image_size, len(job.classes)
            part = read_test_part(images, split, image_size=size, n_classes=n_classes, draw=draw, pixels=job.pixels)
            self._slices[draw] = part.slices
            return part

        self._read = read

    def _draw(self, run: int) -> int:
        return run % self._design.draws if self._design.tests_apart else 0

    def of_run(self, run: int) -> TestPart:
        """Images and slices that a run is measured on."""
        return self._read(self._draw(run))

    def slices_of_run(self, run: int) -> pd.DataFrame:
        """The slices alone; `of_run` read them before."""
        return self._slices[self._draw(run)]

    def slices_of_all(self) -> pd.DataFrame:
        """Every slice that some run was measured on, once, by row."""
        return pd.concat(self._slices.values()).drop_duplicates("row").sort_values("row", ignore_index=True)


def network_size(job: EvaluateJob) -> Json | None:
    """Parameters of the network, how many of them are in side classifiers, and operations of its forward pass.

    None where the method has no network.
    """
    if job.model is None:
        return None
    with torch.device("meta"):
        network = build_network(**network_arguments(job))
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "side_parameters": sum(parameter.numel() for parameter in network.sides.parameters()),
        "forward_flops": count_flops(network, job.image_size).forward,
    }


def _predict_runs(
    job: EvaluateJob, tests: _TestParts, trained: list[TrainedRun], classes: ClassSet, progress: Progress
) -> list[pd.DataFrame]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = None if job.model is None else build_network(**network_arguments(job)).to(device).eval()

    @lru_cache(maxsize=1)
    def resident(test: TestPart) -> ResidentImages:
        return ResidentImages(test.images, device=device, normalise=job.network.normalise)

    tables = []
    for run in trained:
        test = tests.of_run(run.key.run)
        if run.answer is None:  # the same columns, and no row that could be counted
            columns = dict.fromkeys(probability_columns(classes), np.empty(0))
            tables.append(test.slices.iloc[:0].assign(**columns))
            continue
        if run.answer.name == TEST_LOGITS:
            logits = _kept_logits(run.answer, test)
        elif network is None:
            raise CheckFailed("a classical method has no weights", where=run.answer, next_step="train again")
        else:
            batch = job.evaluate.batch_size
            logits = voted_logits(network, run.weights, resident(test), batch_size=batch, progress=progress)
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
