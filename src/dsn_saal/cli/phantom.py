"""`dsn-saal phantom`: write the phantom cohort as DICOM series with their true lungs."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dsn_saal.cli.common import add_settings, read_job
from dsn_saal.cli.progress import tracked
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.jobs import PhantomJob, phantom_job
from dsn_saal.params.root import Settings

EXAMPLE = """example:
  dsn-saal phantom --dataset covid19_diag --out data/raw/phantom/covid19_diag

The folder belongs to this command: what it did not write there it removes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal phantom`."""
    add_settings(parser)
    parser.add_argument(
        "--dataset", metavar="NAME", required=True, help="data set of params.yaml that names the class folders"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of the cohort")
    parser.add_argument(
        "--workers", metavar="N", type=int, default=os.cpu_count() or 1, help="processes (default: CPUs)"
    )


def run(args: argparse.Namespace) -> None:
    """Plan the cohort, write it, say how much."""
    from dsn_saal.phantom.cohort import plan_cohort
    from dsn_saal.phantom.write import write_cohort

    def cut(settings: Settings) -> PhantomJob:
        if args.dataset not in settings.datasets:
            raise BadRequest(
                "there is no such data set",
                value=args.dataset,
                where=f"{args.params}: datasets",
                next_step=f"choose one of: {', '.join(settings.datasets)}",
            )
        return phantom_job(settings, args.dataset)

    if args.workers < 1:
        raise BadRequest("--workers must be at least 1", value=args.workers)
    job = read_job(args, PhantomJob, cut)
    settings = job.phantom
    plans = plan_cohort(
        seed=settings.seed,
        mild_share=settings.mild_share,
        cases=settings.cases,
        slices=settings.slices,
        slices_per_case=settings.slices_per_case,
        folders=job.folders,
    )
    slices = write_cohort(plans, args.out, workers=args.workers, progress=tracked("writing phantoms"))
    print(f"{len(plans)} cases, {slices} slices")
