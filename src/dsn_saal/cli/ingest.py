"""`dsn-saal ingest`: read a DICOM tree into the manifest."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from dsn_saal.cli.common import add_settings, read_job
from dsn_saal.cli.progress import tracked
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.jobs import IngestJob, ingest_job
from dsn_saal.params.root import Settings

EXAMPLE = """example:
  dsn-saal ingest --dataset covid19_diag --source data/raw/phantom/covid19_diag/dicom --out results/ingest/covid19_diag

The manifest holds keyed hashes in place of identifiers; paths below the source are written as they are."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal ingest`."""
    add_settings(parser)
    parser.add_argument(
        "--dataset", metavar="NAME", required=True, help="data set of params.yaml that names the class folders"
    )
    parser.add_argument(
        "--source", metavar="DIR", type=Path, required=True, help="folder of the DICOM series; only read"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of the results")
    parser.add_argument(
        "--workers", metavar="N", type=int, default=os.cpu_count() or 1, help="processes (default: CPUs)"
    )
    parser.add_argument("--unlabelled", action="store_true", help="take in files outside the class folders, label -1")
    parser.add_argument(
        "--follow-links", action="store_true", help="read links to files outside the source (a cache of type symlink)"
    )


def run(args: argparse.Namespace) -> None:
    """Read the tree, write the manifest, say what was found."""
    from dsn_saal.ingest.dicom.study import SeriesRule
    from dsn_saal.ingest.identity import key_path
    from dsn_saal.ingest.dicom.reader import CLINICAL, DicomReader
    from dsn_saal.ingest.stage import ingest_tree

    def cut(settings: Settings) -> IngestJob:
        return ingest_job(settings, args.dataset)

    if args.workers < 1:
        raise BadRequest("--workers must be at least 1", value=args.workers)
    job = read_job(args, IngestJob, cut)
    own_key = job.ingest.key_file is None and not key_path(None).exists()
    reader = DicomReader(
        root=args.source,
        folders=job.folders,
        case_id=job.ingest.case_id,
        key_file=job.ingest.key_file,
        air_hu=job.ingest.air_hu,
        derived=job.ingest.derived,
        paths="plain" if job.published else job.ingest.paths,
        series=SeriesRule(**job.ingest.series.model_dump()),
        unlabelled=args.unlabelled,
    )
    counts = ingest_tree(
        reader, args.out, workers=args.workers, progress=tracked("reading DICOM"), follow_links=args.follow_links
    )
    if CLINICAL in counts["origins"]:
        made = "made just now; keep it, hashes change without it" if own_key else "outside the repository"
        print(
            f"clinical case ids are hashed with the secret in {key_path(job.ingest.key_file)} ({made})", file=sys.stderr
        )
    left_out = ", ".join(f"{count} {reason}" for reason, count in counts["excluded"].items()) or "none"
    print(
        f"{counts['files']} files: {counts['slices']} slices, {counts['series']} series, {counts['cases']} cases; "
        f"left out: {left_out}"
    )
