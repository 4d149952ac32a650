"""`dsn-saal forensics`: is each reported number possible at all?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dsn_saal.cli.common import add_settings, read_job
from dsn_saal.params.audit_jobs import ForensicsJob, forensics_job

if TYPE_CHECKING:
    from dsn_saal.audit.findings import Finding

EXAMPLE = """examples:
  dsn-saal forensics
  dsn-saal forensics --reported other_paper.yaml --out findings.json

needs no data, no training and no GPU; a finding is not a failure: the exit code is 0"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal forensics`."""
    parser.add_argument("--reported", type=Path, help="file of reported numbers (default: that of params)")
    parser.add_argument("--out", type=Path, default=Path("results/audit/forensics.json"), metavar="FILE")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Look for what cannot be, print it and write it down."""
    from dsn_saal.audit.forensics import examine, forensics_json
    from dsn_saal.params.reported import read_reported
    from dsn_saal.storage.atomic import write_json

    reported = args.reported or Path(read_job(args, ForensicsJob, forensics_job).reported)
    numbers = read_reported(reported)
    with _told("confusion matrices") as tick:
        findings = examine(numbers, tick)
    write_json(args.out, forensics_json(findings, reported))
    _print(findings, reported, args.out)


@contextmanager
def _told(label: str) -> Iterator[Callable[[str], None]]:
    """A function that says in a terminal what is being done, for work whose end is not known beforehand."""
    if not sys.stderr.isatty():
        yield lambda words: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(label) as status:
        yield lambda words: status.update(Text(f"{label}: {words}"))  # names out of a file are no markup


def _print(findings: list[Finding], reported: Path, out: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    title = Text(f"What {reported} says of itself", style="table.title")
    table = Table("finding", "in plain words", title=title, show_lines=True)
    for finding in findings:
        if finding.kind != "CONSISTENT":
            table.add_row(Text(f"{finding.kind}\n{finding.id}", overflow="fold"), Text(finding.sentence))
    good = sum(finding.kind == "CONSISTENT" for finding in findings)
    console = Console()
    console.print(table)
    console.print(f"{len(findings) - good} findings; {good} further checks hold. All of them: {out}", markup=False)
