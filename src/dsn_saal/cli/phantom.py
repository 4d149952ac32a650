"""`dsn-saal phantom`: write the phantoms that stand in for a data set, in that set's own layout."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dsn_saal.cli.common import add_settings, read_job
from dsn_saal.cli.progress import tracked
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.image_jobs import PhantomJob, phantom_job
from dsn_saal.params.root import Settings

EXAMPLE = """example:
  dsn-saal phantom --dataset covid19_diag --out data/raw/phantom/covid19_diag

CT series lie below dicom/, the stand-in for a public set below set/, true lungs of CT below truth/.
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
    from dsn_saal.phantom.cohort import plan_cohort, seed_of_set
    from dsn_saal.phantom.layouts.registry import LAYOUTS
    from dsn_saal.phantom.write import write_cohort, write_set

    def cut(settings: Settings) -> PhantomJob:
        if args.dataset not in settings.phantom.cohorts or args.dataset not in settings.datasets:
            raise BadRequest(
                "no cohort of phantoms stands in for this data set",
                value=args.dataset,
                where=f"{args.params}: datasets, phantom.cohorts",
                next_step=f"choose one of: {', '.join(settings.phantom.cohorts)}",
            )
        return phantom_job(settings, args.dataset)

    if args.workers < 1:
        raise BadRequest("--workers must be at least 1", value=args.workers)
    job = read_job(args, PhantomJob, cut)
    cohort = job.cohort
    plans = plan_cohort(
        seed=seed_of_set(job.seed, job.reader),
        mild_share=job.mild_share,
        cases=cohort.cases,
        slices=cohort.slices,
        slices_per_case=cohort.slices_per_case,
        folders=job.folders,
        drawn_as=job.drawn_as,
    )
    if job.reader in LAYOUTS:
        files = LAYOUTS[job.reader](plans, workers=args.workers, progress=tracked("drawing phantoms"))
        print(f"{len(plans)} cases, {write_set(files, args.out)} files in the layout of {job.reader}")
        return
    slices = write_cohort(plans, args.out, workers=args.workers, progress=tracked("writing phantoms"))
    print(f"{len(plans)} cases, {slices} slices")
