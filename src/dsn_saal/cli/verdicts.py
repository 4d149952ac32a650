"""`dsn-saal verdicts`: what was reported beside what was measured."""

from __future__ import annotations

import argparse
from pathlib import Path

from dsn_saal.cli.common import add_settings, named_path, read_job, require_inputs
from dsn_saal.params.audit_jobs import VerdictsJob, verdicts_job

EXAMPLE = """example:
  dsn-saal verdicts --forensics results/audit/forensics.json \\
      --summary dsn_saal=results/evaluate/dsn_saal/summary.json ... --out results/audit/verdicts.json

takes a --summary of each experiment that params audit name"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal verdicts`."""
    parser.add_argument("--forensics", type=Path, help="what dsn-saal forensics wrote")
    parser.add_argument(
        "--summary",
        type=named_path,
        action="append",
        default=[],
        metavar="EXPERIMENT=FILE",
        help="what evaluate measured",
    )
    parser.add_argument("--reported", type=Path, help="file of reported numbers (default: that of params)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Compare and write the verdicts down."""
    from dsn_saal.audit.forensics import read_forensics
    from dsn_saal.audit.verdicts import read_measured, verdicts_json
    from dsn_saal.params.reported import read_reported
    from dsn_saal.storage.atomic import write_json

    require_inputs(args, "forensics", "summary")
    job = read_job(args, VerdictsJob, verdicts_job)
    if args.reported is not None:
        job = job.model_copy(update={"reported": args.reported.as_posix()})
    measured = read_measured(
        job,
        forensics=read_forensics(args.forensics),
        reported=read_reported(Path(job.reported)),
        summaries=dict(args.summary),
    )
    write_json(args.out, verdicts_json(measured))
