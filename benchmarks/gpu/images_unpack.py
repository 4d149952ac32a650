"""Step three: predictions that came back go through the ordinary evaluation into a small table. Runs in the project."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from images_format import FAILED, PREDICTIONS, SLICES, column, output_names, read_run, read_settings
from images_identity import differing, packed_identity

from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.origin import PHANTOM_MARK
from dsn_saal.domain.run import RunKey
from dsn_saal.evaluate.summary import header_of, probability_columns, run_metrics, summary_of
from dsn_saal.params.jobs import EvaluateJob, parse_job
from dsn_saal.statistics import printed
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.storage.tables import read_table

SHARED = ("code", "torch", "torchvision", "precision", "initialisation")
"""What all runs of a table must have in common."""

HEADS = {"accuracy": "ACC", "f1": "F1", "auc": "AUC", "g_mean": "G-mean"}

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


def not_trained(root: Path, settings: Json, found: Json) -> dict[str, str | None]:
    """Experiments of the pack without a finished run, and what kept them from it, where it is known."""
    said: dict[str, str | None] = {}
    for name in (name for name in settings["order"] if name not in found):
        records = sorted((root / name).glob(f"*/{FAILED}"))
        said[name] = json.loads(records[0].read_text(encoding="utf-8"))["failed"] if records else None
    return said


def told(content: Json) -> str:
    """The table with everything that a reader must know beside it, from what OUT.json holds."""
    first = next(iter(content["experiments"].values()))
    mark = f" ({PHANTOM_MARK})" if first["origin"] == "phantom" else ""
    parts = content["parts"]
    lines = [
        f"# {content['dataset']}, trained from random initialisation{mark}", "",
        "**Random initialisation: comparable among these rows only.** No pretrained weights were used, so no number",
        "here may be set beside one that the paper reports.", "",
        f"* {', '.join(content['device'])}; torch {content['torch']}; {content['precision']}; "
        f"{', '.join(content['date'])}.",
        f"* {content['protocol']} split: {parts.get('train', 0)} train, {parts.get('test', 0)} test; the "
        f"{parts.get('validation', 0)} of the validation list are unused: the last epoch is tested, nothing is chosen.",
        f"* {content['image_size']} px; {regimens(content['experiments'])}.",
        f"* Packed at commit {content['packed_at_commit']}; code of the runs {content['code'][:16]}.",
        *(f"* `{command}`" for command in content["command"]), "", *table(content), "",
        *certificate(content["certificate"], content["class_titles"]),
    ]  # fmt: skip
    for name, why in content["not_trained"].items():
        lines += ["", f"Not trained: {name}: " + " ".join((why or "not tried yet").split()) + "."]
    return "\n".join(lines) + "\n"


def table(content: Json) -> list[str]:
    """Mean ± sd over runs; the interval is over test cases."""
    first = next(iter(content["experiments"].values()))
    names = {head: first["primary"][family] for family, head in HEADS.items()} | {"macro recall": "sensitivity.macro"}
    level = f"{100 * first['interval']['level']:g} %"
    heads = ["experiment", "runs", *names, f"ACC {level} over cases", "training ACC", "s/run"]
    rows = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for experiment in content["experiments"].values():
        metrics = experiment["metrics"]
        failed = f" ({experiment['n_failed']} diverged)" if experiment["n_failed"] else ""
        cells = [experiment["title"], f"{experiment['n_runs']}{failed}"]
        cells += [printed.mean_and_sd(metrics[name]["mean"], metrics[name]["sd"]) for name in names.values()]
        cells += [printed.interval(metrics[names["ACC"]]["interval"])]
        cells += [printed.metric(float(np.mean(experiment["train_accuracy"])))]
        cells += [printed.rate(float(np.median(experiment["seconds"])))]
        rows.append("| " + " | ".join(cells) + " |")
    conventions = ", ".join(f"{head} {name}" for head, name in names.items())
    return [*rows, "", f"Mean ± sd (n - {first['ddof']}) over runs; {conventions}."]


def regimens(experiments: Json) -> str:
    """The regimens in short; what differs between experiments is told for each."""
    said: dict[str, list[str]] = {}
    for name, experiment in experiments.items():
        regimen = experiment["recipe"]["regimen"]
        short = f"{regimen['epochs']} epochs, batch {regimen['batch_size']}, {regimen['optimizer']['kind']}, "
        short += f"rate {regimen['lr']:g} ({regimen['rate']['kind']}), weight decay {regimen['weight_decay']:g}, "
        short += f"width {experiment['recipe']['network']['width']:g}"
        said.setdefault(short, []).append(name)
    return next(iter(said)) if len(said) == 1 else "; ".join(f"{', '.join(n)}: {short}" for short, n in said.items())


def certificate(content: Json, titles: list[str]) -> list[str]:
    """What the certificate of the split says against it."""
    lines = [f"The split's certificate: {content['verdict']}."]
    for level, names in content["findings"].items():
        lines.append(f"* {level} level: {'; '.join(name.removeprefix(f'{level}: ') for name in names)}.")
    for conflict in content["label_conflicts"]:
        labels = " and ".join(titles[label] for label in conflict["labels"])
        lines.append(f"* **One picture with both labels**: {conflict['name']}, labelled {labels}.")
    untold = content["label_conflicts_total"] - len(content["label_conflicts"])
    return [*lines, f"* {untold} more pictures with several labels."] if untold else lines
