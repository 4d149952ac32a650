"""`dsn-saal preprocess`: window, lungs, resize."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dsn_saal.cli.common import add_settings, known_dataset, read_job
from dsn_saal.cli.progress import tracked
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.image_jobs import PreprocessJob, preprocess_job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dsn_saal.params.data import Preprocess
    from dsn_saal.preprocess.slices import Recipe
    from dsn_saal.preprocess.stage import ReadSlice

EXAMPLE = """example:
  dsn-saal preprocess --dataset covid19_diag --source data/raw/phantom/covid19_diag/dicom \\
      --manifest results/ingest/covid19_diag/manifest.parquet --out results/preprocess/covid19_diag"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal preprocess`."""
    add_settings(parser)
    parser.add_argument("--dataset", metavar="NAME", help="data set of params.yaml (needed without --settings)")
    parser.add_argument("--source", metavar="DIR", type=Path, required=True, help="folder that was ingested; only read")
    parser.add_argument("--manifest", metavar="FILE", type=Path, required=True, help="manifest that ingest wrote")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of the results")
    parser.add_argument(
        "--workers", metavar="N", type=int, default=os.cpu_count() or 1, help="processes (default: CPUs)"
    )


def run(args: argparse.Namespace) -> None:
    """Preprocess every slice, say how many have lungs."""
    from dsn_saal.preprocess.stage import preprocess_manifest
    from dsn_saal.storage.tables import read_table

    if args.workers < 1:
        raise BadRequest("--workers must be at least 1", value=args.workers)
    if not args.source.exists():
        raise BadRequest("the source does not exist", value=args.source, next_step="name what was ingested")
    job = read_job(args, PreprocessJob, lambda settings: preprocess_job(settings, known_dataset(settings, args)))
    source = args.source if args.source.is_dir() else args.source.parent  # a DICOMDIR lies in the folder it speaks of
    manifest = read_table(args.manifest)
    summary = preprocess_manifest(
        manifest,
        source,
        args.out,
        read_slice=_reading(job, source, manifest["path"]),
        recipe=recipe_of(job.preprocess, cut_out=job.lungs == "hull"),
        on_empty=job.preprocess.lung.on_empty,
        workers=args.workers,
        progress=tracked("preprocessing"),
    )
    overlap = summary["hull_iou"]
    quality = f"; hull IoU mean {overlap['mean']:.4f}, min {overlap['min']:.4f}" if overlap else ""
    print(f"{summary['slices']} slices, {summary['empty']} without lungs, {summary['kept']} kept{quality}")


def _reading(job: PreprocessJob, source: Path, paths: Iterable[str]) -> ReadSlice:
    """How a slice is read from its path as the manifest holds it."""
    from functools import partial

    if not job.in_hu:
        from dsn_saal.ingest.sets.picture import read_picture

        return partial(read_picture, source)
    from dsn_saal.ingest.dicom.reader import read_hu
    from dsn_saal.ingest.identity import clinical_key, key_path
    from dsn_saal.ingest.places import HASHED, located, reading_places

    hashed = [path for path in paths if path.startswith(HASHED)]
    read = partial(read_hu, source, job.air_hu)
    if not hashed:
        return read
    return partial(reading_places, read, located(source, hashed, clinical_key(key_path(job.key_file), make=False)))


def recipe_of(preprocess: Preprocess, *, cut_out: bool) -> Recipe:
    """Plain values for the room from the section of params."""
    import numpy as np

    from dsn_saal.preprocess.lung import LungRecipe
    from dsn_saal.preprocess.slices import Recipe
    from dsn_saal.preprocess.window import apply_window

    window, lung = preprocess.window.model_dump(), preprocess.lung
    dense, gas, bone = map(int, apply_window(np.array([lung.dense_hu, lung.gas_hu, lung.bone_hu], np.int16), **window))
    same_names = lung.model_dump(exclude={"dense_hu", "gas_hu", "bone_hu", "on_empty"})
    return Recipe(
        **window,
        lung=LungRecipe(**same_names, dense_grey=dense, gas_grey=gas, bone_grey=bone),
        interpolation=preprocess.resize.interpolation,
        side=preprocess.image_size,
        cut_out=cut_out,
    )
