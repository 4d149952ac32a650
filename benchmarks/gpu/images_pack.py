"""Step one: what a GPU machine needs to train on real images, in a small folder. Runs in the project's environment."""

from __future__ import annotations

import argparse
import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from images_format import IMAGES, INITIALISATION, SETTINGS, SLICES

from dsn_saal.data import read_images
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.jobs import ClassicalJob, evaluate_job, train_job
from dsn_saal.params.methods import Supervised
from dsn_saal.params.reading import resolve
from dsn_saal.params.root import Settings
from dsn_saal.split.table import parts_of, read_split
from dsn_saal.storage.atomic import replacing, write_json
from dsn_saal.storage.listing import sha256_of
from dsn_saal.storage.tables import read_table, write_table
from dsn_saal.train.assemble import recipe_of
from dsn_saal.train.inputs import require_certificate


def pack(args: argparse.Namespace) -> None:
    """Write the folder and say what is in it."""
    settings = settings_for(args)
    images, split = args.results / "preprocess" / args.dataset, args.results / "split" / args.dataset
    certificate = split / f"{args.protocol}.certificate.json"
    require_certificate(certificate, settings.datasets[args.dataset].accept)
    table = read_split(split / f"{args.protocol}.parquet")
    if table["draw"].nunique() != 1:
        raise BadRequest("a pack holds one draw of a split", value=f"{table['draw'].nunique()} draws", where=split)
    parts = parts_of(table, 0)
    known = read_table(images / "index.parquet", ["row", "case", "label", "origin", "file_sha256", "pixel_sha256"])
    slices = parts[parts["part"] != "unused"].merge(known, on=["row", "case", "label"], validate="one_to_one")
    pixels = read_images(images / "images.npy", slices["row"].to_numpy())
    if pixels.shape[1] != settings.preprocess.image_size:
        raise CheckFailed(
            "images do not have the size that the params say",
            value=pixels.shape[1:],
            where=images,
            next_step=f"preprocess with scale: {settings.scale}, or pack with another --scale",
        )
    with replacing(args.out / IMAGES) as part, part.open("wb") as stream:
        np.savez_compressed(stream, images=pixels)
    write_table(args.out / SLICES, slices)
    content = described(args, settings) | {
        "certificate": findings_of(certificate),
        "origin_files": {
            "images.npy": sha256_of(images / "images.npy"),
            "index.parquet": sha256_of(images / "index.parquet"),
            f"{args.protocol}.parquet": sha256_of(split / f"{args.protocol}.parquet"),
        },
        "files": {name: sha256_of(args.out / name) for name in (IMAGES, SLICES)},
    }
    write_json(args.out / SETTINGS, content)
    megabytes = sum((args.out / name).stat().st_size for name in (IMAGES, SLICES, SETTINGS)) / 1e6
    if megabytes > args.largest_mb:
        raise CheckFailed(
            "the pack is larger than allowed", value=f"{megabytes:.1f} MB", next_step="raise --largest-mb, or pack less"
        )
    counts = ", ".join(f"{count} {part}" for part, count in slices["part"].value_counts().items())
    print(f"{args.out}: {counts}; {pixels.shape[1]} px; {len(content['experiments'])} experiments; {megabytes:.1f} MB")


def settings_for(args: argparse.Namespace) -> Settings:
    """Params with the chosen scale, the experiments moved to this data set and nothing pretrained."""
    try:
        raw = yaml.safe_load(args.params.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadRequest("params cannot be read", value=type(error).__name__, where=args.params) from None
    raw["scale"] = args.scale or raw["scale"]
    settings = resolve(raw, where=str(args.params))
    for kind, wanted, there in (
        ("data set", [args.dataset], settings.datasets),
        ("protocol", [args.protocol], settings.protocols),
        ("experiment", args.experiments, settings.experiments),
        ("regimen", [args.regimen] if args.regimen else [], settings.regimens),
    ):
        for name in wanted:
            if name not in there:
                raise BadRequest(f"no such {kind}", value=name, where=args.params, next_step=", ".join(there))
    moved = {"dataset": args.dataset, "protocol": args.protocol}
    chosen = {name: settings.experiments[name].model_copy(update=moved) for name in args.experiments}
    network = settings.network.model_copy(update={"weights": "none"})
    return settings.model_copy(update={"experiments": chosen, "network": network})


def described(args: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Everything but images and hashes: plain values that train takes as they are."""
    classes = settings.datasets[args.dataset].class_set
    return {
        "dataset": args.dataset,
        "dataset_title": settings.datasets[args.dataset].title,
        "protocol": args.protocol,
        "scale": settings.scale,
        "image_size": settings.preprocess.image_size,
        "classes": list(classes.names),
        "class_titles": list(classes.titles),
        "normalise": settings.network.normalise,
        "initialisation": INITIALISATION,
        "precision": settings.train.precision,
        "runs": settings.train.runs,
        "first_seed": settings.train.first_seed,
        "prediction_batch": settings.evaluate.batch_size,
        "commit": commit(),
        "order": args.experiments,
        "experiments": {name: of_experiment(args, settings, name) for name in args.experiments},
    }


def of_experiment(args: argparse.Namespace, settings: Settings, name: str) -> dict[str, Any]:
    """Recipe of an experiment, and its block of the evaluation."""
    job = train_job(settings, name)
    if isinstance(job, ClassicalJob):
        raise BadRequest("only supervised methods are trained from a pack", value="classical", where=name)
    if job.train.runs != settings.train.runs:
        raise BadRequest("a pack holds one split, no folds", value=settings.experiments[name].protocol, where=name)
    if not isinstance(job.method, Supervised):
        raise BadRequest("only supervised methods are trained from a pack", value=job.method.kind, where=name)
    if job.train.select_epoch != "last":
        raise BadRequest("a pack holds no validation part", value=job.train.select_epoch, where="train.select_epoch")
    regimen = settings.regimens[args.regimen] if args.regimen else job.regimen
    if regimen.vote_epochs > 1:
        raise BadRequest(
            "a pack's run answers by its last epoch alone", value=regimen.vote_epochs, where=f"vote_epochs, {name}",
            next_step="set it to 1 for this regimen, or choose another with --regimen",
        )  # fmt: skip
    if args.batch_size:
        regimen = type(regimen).model_validate({**regimen.model_dump(), "batch_size": args.batch_size})
    recipe = recipe_of(job.model_copy(update={"regimen": regimen}))
    return {
        "title": settings.experiments[name].title,
        "labels": job.labels,
        "recipe": asdict(recipe),
        "evaluate": json.loads(evaluate_job(settings, name).to_json()),
    }


def findings_of(certificate: Path) -> dict[str, Any]:
    """What the certificate says against the split: verdicts, names of what was found, pictures with several labels."""
    content = json.loads(certificate.read_text(encoding="utf-8"))
    violated = {level: entry for level, entry in content["levels"].items() if entry["verdict"] == "VIOLATED"}
    return {
        "verdict": content["verdict"],
        "levels": {level: entry["verdict"] for level, entry in content["levels"].items()},
        "findings": {level: [finding["name"] for finding in entry["findings"]] for level, entry in violated.items()},
        "label_conflicts": content["label_conflicts"],
        "label_conflicts_total": content["label_conflicts_total"],
    }


def commit() -> str:
    """Commit of this checkout, with a mark where it was changed."""
    answer = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude", "*"],
        cwd=Path(__file__).parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer.stdout.strip() or "unknown"
