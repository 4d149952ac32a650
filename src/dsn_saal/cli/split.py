"""`dsn-saal split`: an index becomes a split with its certificate; --explain says what is in it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsn_saal.cli.common import add_settings, read_job, require_inputs
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.image_jobs import SplitJob, split_job
from dsn_saal.params.reading import read_settings
from dsn_saal.params.root import Settings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

EXAMPLE = """examples:
  dsn-saal split --dataset covid19_diag --protocol case_wise --index results/preprocess/covid19_diag/index.parquet \\
      --images results/preprocess/covid19_diag --out results/split/covid19_diag
  dsn-saal split --explain --dataset covid19_diag --protocol case_wise

writes OUT/PROTOCOL.parquet and OUT/PROTOCOL.certificate.json; --explain reads them where the workflow puts them and
writes nothing: cases and slices by class and part, the certificate, and whether the scanner tells the class"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal split`."""
    parser.add_argument("--dataset", help="data set of params.yaml (needed without --settings)")
    parser.add_argument("--protocol", required=True, help="protocol of params.yaml; names the files")
    parser.add_argument("--index", type=Path, help="index.parquet of the preprocess stage")
    parser.add_argument("--images", type=Path, help="folder of the preprocess stage: grids.npy")
    parser.add_argument("--out", type=Path, help="folder for the split and its certificate")
    parser.add_argument("--explain", action="store_true", help="write nothing, say what is in the split")
    parser.add_argument("--draw", type=int, default=0, metavar="N", help="draw that --explain shows (default: 0)")
    parser.add_argument("--json", action="store_true", help="with --explain: JSON instead of text")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Draw, certify, write; or explain."""
    if args.explain:
        _explain(args)
        return
    require_inputs(args, "index", "images", "out")
    from dsn_saal.split.certificate import certify
    from dsn_saal.split.make import draws_of, levels_of, slice_names, split_table
    from dsn_saal.split.table import part_counts
    from dsn_saal.storage.atomic import write_json
    from dsn_saal.storage.tables import read_table, write_table

    job = read_job(args, SplitJob, lambda settings: split_job(settings, *_known(settings, args)))
    index = read_table(args.index)
    parts = draws_of(index, job.protocol.model_dump(), job.base.model_dump() if job.base else None, job.classes)
    certificate = certify(
        levels_of(index),
        _near(args.images, index, job),
        parts,
        labels=index["label"].tolist(),
        names=slice_names(index),
    )
    split = split_table(index, parts)
    certificate["counts"] = part_counts(split, job.classes, draw=0)
    write_table(args.out / f"{args.protocol}.parquet", split)
    write_json(args.out / f"{args.protocol}.certificate.json", certificate)
    found = ", ".join(f"{level} {entry['verdict']}" for level, entry in certificate["levels"].items())
    conflicts = certificate["label_conflicts_total"]
    print(f"{len(parts)} draws; {certificate['verdict']} ({found}); label conflicts: {conflicts}")


def _known(settings: Settings, args: argparse.Namespace) -> tuple[str, str]:
    """Data set and protocol, both of which params.yaml must name."""
    for what, wanted, known in (
        ("data set", args.dataset, settings.datasets),
        ("protocol", args.protocol, settings.protocols),
    ):
        if wanted not in known:
            raise BadRequest(
                f"no such {what}" if wanted else f"--{what.replace(' ', '')} is missing",
                value=wanted,
                next_step=f"name one of: {', '.join(known)}",
            )
    return args.dataset, args.protocol


def _near(images: Path, index: pd.DataFrame, job: SplitJob) -> list[tuple[int, int, float]]:
    import numpy as np

    from dsn_saal.split.near_duplicates import near_pairs, perceptual_hash

    grids = read_grids(images, index)
    hashes = np.array([perceptual_hash(grid) for grid in grids], dtype=np.uint64)
    return near_pairs(grids, hashes, index["case"].tolist(), **job.certificate.model_dump())


def read_grids(folder: Path, index: pd.DataFrame) -> NDArray[np.int16]:
    """Grids of all slices of a preprocess folder; raises CheckFailed where they are not those of its index."""
    from dsn_saal.storage.arrays import open_array

    grids = open_array(folder / "grids.npy")
    if len(grids) != len(index):
        raise CheckFailed(
            "the grids do not belong to the index",
            value=f"{len(grids)} grids, {len(index)} slices",
            where=folder / "grids.npy",
            next_step="run dsn-saal preprocess again",
        )
    return grids


def _explain(args: argparse.Namespace) -> None:
    import json

    from dsn_saal.split.explain import explain, told
    from dsn_saal.split.table import read_split
    from dsn_saal.storage.tables import read_table

    settings = read_settings(args.params)
    dataset, protocol = _known(settings, args)
    index = args.index or Path("results/preprocess") / dataset / "index.parquet"
    stem = (args.out or Path("results/split") / dataset) / protocol
    certificate = stem.with_name(f"{protocol}.certificate.json")
    try:
        proven = json.loads(certificate.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest("there is no certificate", value=certificate, next_step="run dsn-saal split") from None
    split = read_split(stem.with_name(f"{protocol}.parquet"))
    found: dict[str, Any] = explain(
        read_table(index),
        split,
        proven,
        classes=tuple(settings.datasets[dataset].classes),
        draw=args.draw,
        accept=settings.datasets[dataset].accept,
    )
    print(json.dumps(found, indent=2) if args.json else told(found))
