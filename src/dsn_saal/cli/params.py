"""`dsn-saal params`: every open choice of the paper with what was chosen."""

from __future__ import annotations

import argparse
from pathlib import Path

from dsn_saal.params.open_choices import switchboard
from dsn_saal.params.reading import read_settings

EXAMPLE = "example:\n  dsn-saal params --params params.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal params`."""
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")


def run(args: argparse.Namespace) -> None:
    """Validate the file, then print the definition switchboard."""
    for row in switchboard(read_settings(args.params)):
        print(f"{row.key} = {row.chosen}")
        print(f"    {row.meaning}")
        print(f"    the paper says: {row.paper}. recommended: {row.recommended}. alternatives: {row.alternatives}")
