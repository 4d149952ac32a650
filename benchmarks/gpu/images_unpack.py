"""Step three: predictions that came back go through the ordinary evaluation into a small table. Runs in the project."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from images_adaptation import adaptation
from images_format import FAILED, PREDICTIONS, SLICES, column, output_names, read_run, read_settings
from images_identity import differing, packed_identity
from images_report import told

from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.run import RunKey
from dsn_saal.evaluate.summary import header_of, probability_columns, run_metrics, summary_of
from dsn_saal.params.jobs import EvaluateJob, parse_job
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.storage.tables import read_table

SHARED = ("code", "torch", "torchvision", "precision", "initialisation")
"""What all runs of a table must have in common."""

Json = dict[str, Any]


def unpack(args: argparse.Namespace) -> None:
    """Write OUT.md and OUT.json."""
    settings = read_settings(args.pack)
    slices = read_table(args.pack / SLICES)
    test = slices.loc[slices["part"] == "test", ["row", "case", "label", "origin"]].reset_index(drop=True)
    found = {name: runs_of(args.runs, name, settings) for name in settings["order"]}
    found = {name: runs for name, runs in found.items() if runs}
    if not found:
        raise BadRequest("there is no finished run of this pack", where=args.runs, next_step="run the step train")
    shared = common([record for runs in found.values() for _, record in runs], args.runs)
    summaries = {name: summary(settings, name, runs, test) for name, runs in found.items()}
    content = {
        "dataset": settings["dataset_title"], "protocol": settings["protocol"], "image_size": settings["image_size"],
        "order": list(found), "parts": slices["part"].value_counts().to_dict(), "certificate": settings["certificate"],
        "class_titles": settings["class_titles"], "not_trained": not_trained(args.runs, settings, found),
        "note": args.note, "packed_at_commit": settings["commit"], "origin_files": settings["origin_files"], **shared,
        "experiments": summaries,
    }  # fmt: skip
    write_json(args.out.with_name(args.out.name + ".json"), content)
    text = told(content)
    write_text(args.out.with_name(args.out.name + ".md"), text)
    print(text)


def runs_of(root: Path, name: str, settings: Json) -> list[tuple[Path, Json]]:
    """Folders and records of an experiment's finished runs, by seed.

    Raises:
        CheckFailed: where a run was trained from another pack or with other settings.
    """
    runs = []
    for number in range(settings["runs"]):
        folder = root / RunKey(name, number).folder
        record = read_run(folder)
        if record is None:
            continue
        for name_of_value in differing(record, packed_identity(settings, RunKey(name, number))):
            raise CheckFailed(
                f"a run was not made from this pack: {name_of_value} differs",
                where=folder,
                next_step="train from this pack",
            )
        runs.append((folder, record))
    return runs


def common(records: list[Json], where: Path) -> Json:
    """What the runs share, and the devices, days and commands that they came from."""
    for key in SHARED:
        values = sorted({record[key] for record in records})
        if len(values) > 1:
            raise CheckFailed(
                f"runs of one table must share {key}",
                value=", ".join(values),
                where=where,
                next_step="train again what differs",
            )
    several = {key: sorted({record[key] for record in records}) for key in ("device", "date", "command")}
    return {key: records[0][key] for key in SHARED} | several


def summary(settings: Json, name: str, runs: list[tuple[Path, Json]], test: pd.DataFrame) -> Json:
    """The ordinary summary of an experiment, from the predictions of its runs."""
    job = parse_job(EvaluateJob, json.dumps(settings["experiments"][name]["evaluate"]))
    classes = ClassSet(job.classes, job.classes, job.positive)
    seed = settings["first_seed"]
    tables = {
        record["seed"] - seed: predictions(folder, record, job, classes, test)
        for folder, record in runs
        if not record["diverged"]
    }
    metrics = {number: run_metrics(table, classes) for number, table in tables.items()}
    summed = summary_of(job, metrics, tables, n_runs=len(runs))
    seconds = [record["seconds"] for _, record in runs]
    last = [record["train_accuracy"] for _, record in runs]
    return header_of(job, test) | summed | {
        "title": settings["experiments"][name]["title"], "recipe": settings["experiments"][name]["recipe"],
        "seeds": [record["seed"] for _, record in runs], "seconds": seconds, "train_accuracy": last,
        "weights_sha256": [record["weights_sha256"] for _, record in runs],
        "counts": runs[0][1]["counts"],
        "adaptation": adaptation([folder for folder, record in runs if not record["diverged"]], job.classes),
    }  # fmt: skip


def predictions(folder: Path, record: Json, job: EvaluateJob, classes: ClassSet, test: pd.DataFrame) -> pd.DataFrame:
    """A run's predictions as the evaluation has them: case, label and the probability of each class.

    Raises:
        CheckFailed: where they are not of the test slices.
    """
    table = read_table(folder / PREDICTIONS)
    if not table[["row", "label"]].astype("int64").equals(test[["row", "label"]].astype("int64")):
        raise CheckFailed("predictions are not of the test slices", where=folder, next_step="train again")
    outputs = output_names(record["n_outputs"])
    chosen = outputs[-1:] if job.evaluate.predict_from == "final" else outputs
    of_outputs = [table[[column(output, name) for name in classes.names]].to_numpy(np.float64) for output in chosen]
    values = np.mean(of_outputs, axis=0)
    return test.assign(**dict(zip(probability_columns(classes), values.T, strict=True)))


def not_trained(root: Path, settings: Json, found: Json) -> list[list[str | None]]:
    """Experiments of the pack without a finished run, each with what kept it from one, where that is known."""
    said: list[list[str | None]] = []
    for name in (name for name in settings["order"] if name not in found):
        keys = [RunKey(name, number) for number in range(settings["runs"])]
        records = [(key, root / key.folder / FAILED) for key in keys if (root / key.folder / FAILED).exists()]
        failed = [(key, json.loads(path.read_text(encoding="utf-8"))) for key, path in records]
        why = [record["failed"] for key, record in failed if not differing(record, packed_identity(settings, key))]
        said.append([name, *(why[:1] or [None])])
    return said
