"""What the runs of an experiment answer for the training part of their own split.

Never a result: it is what a temperature may be fitted on without looking at a test case.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from dsn_saal.data import carve
from dsn_saal.data.inference import Progress, fix_arithmetic, voted_logits
from dsn_saal.data.resident import ResidentImages, read_images
from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.evaluate.predict import probabilities_of
from dsn_saal.evaluate.summary import probability_columns
from dsn_saal.evaluate.trained import TrainedRun, read_trained_runs, require_same_data
from dsn_saal.models import build_network
from dsn_saal.params.jobs import PredictJob, network_arguments
from dsn_saal.split.table import draw_of, parts_of, read_split
from dsn_saal.storage.tables import read_table, write_table

FITTED = "train_predictions.parquet"
"""File of a run, beside its predictions of the test part."""


def predict_training_part(
    job: PredictJob,
    *,
    images: Path,
    split: Path,
    weights: Path,
    out: Path,
    progress: Progress = lambda items, _: items,
) -> int:
    """Write run-NN/train_predictions.parquet of every run: row, case, label, origin, part, probabilities.

    `part` is "validation" for slices that a run held out to select its epoch, "train" for the others. A run that
    diverged, or whose weights were not kept, has no rows.

    Args:
        job: the experiment and its network.
        images: folder that preprocess wrote.
        split: table of row, case, label, draw, part.
        weights: folder that train wrote.
        out: folder of the experiment's results.
        progress: passes batches on and shows how many of a total went by.

    Returns:
        How many runs answered.

    Raises:
        BadRequest: where an input is missing.
        CheckFailed: where inputs do not belong together or a trained run is missing or altered.
    """
    fix_arithmetic(job.threads)
    classes = ClassSet(job.classes, job.classes, job.classes[0])
    trained = read_trained_runs(weights, job.name, job.runs)
    require_same_data(trained, images=images / "images.npy", split=split)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = build_network(**network_arguments(job)).to(device).eval()
    table, answered = read_split(split), 0
    for run in trained:
        slices = _training_slices(table, run, images)
        if not run.weights:
            columns = dict.fromkeys(probability_columns(classes), np.empty(0))
            write_table(out / run.key.run_name / FITTED, slices.iloc[:0].assign(**columns))
            continue
        pixels = read_images(images / "images.npy", slices["row"].to_numpy())
        resident = ResidentImages(pixels, device=device, normalise=job.network.normalise)
        logits = voted_logits(network, run.weights, resident, batch_size=job.batch_size, progress=progress)
        probabilities = probabilities_of(logits, job.predict_from)
        columns = dict(zip(probability_columns(classes), probabilities.T, strict=True))
        write_table(out / run.key.run_name / FITTED, slices.assign(**columns))
        answered += 1
    return answered


def _training_slices(table: pd.DataFrame, run: TrainedRun, images: Path) -> pd.DataFrame:
    """Row, case, label, origin and part of the training slices of a run's draw, by row."""
    parts = parts_of(table, draw_of(table, run.key.run))
    chosen = parts.loc[parts["part"] == "train", ["row", "case", "label"]].reset_index(drop=True)
    index = read_table(images / "index.parquet", ["row", "origin"])
    slices = chosen.merge(index, on="row", how="left", validate="one_to_one")
    held = run.record.get("validation")
    part = np.full(len(slices), "train", dtype=object)
    if held is not None:
        part[_held_out(slices, run, held)] = "validation"
    return slices.assign(part=part)


def _held_out(slices: pd.DataFrame, run: TrainedRun, held: dict) -> np.ndarray:
    """Positions of the validation part, carved again as training did; refused unless its record counts the same."""
    settings = run.record["settings"]
    carved = carve(
        slices["label"].tolist(),
        tuple(slices["case"]),
        settings["classes"],
        share=settings["train"]["validation_share"],
        generator=validation_generator(run.record["seed"]),
    )
    positions = carved.validation.numpy()
    labels = slices["label"].to_numpy()[positions]
    counts = {name: int((labels == label).sum()) for label, name in enumerate(settings["classes"])}
    if settings["labels"] == "as_given" and counts != held["counts"]:
        raise CheckFailed(
            "the validation part of a run cannot be drawn again: it had other slices",
            value=f"{counts}, not {held['counts']}",
            where=run.key.run_name,
            next_step=f"train {run.key.experiment} again",
        )
    return positions


def validation_generator(seed: int) -> torch.Generator:
    """The stream that training draws a run's validation part from."""
    drawn = hashlib.sha256(f"validation {seed}".encode()).digest()[:8]
    return torch.Generator().manual_seed(int.from_bytes(drawn, "little") >> 1)
