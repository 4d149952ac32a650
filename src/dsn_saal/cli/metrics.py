"""`dsn-saal metrics`: the primary metrics of every experiment in one small file, for `dvc metrics diff`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dsn_saal.cli.common import named_path

EXAMPLE = """example:
  dsn-saal metrics --summary dsn_saal=results/evaluate/dsn_saal/summary.json \\
      --summary vgg16_bn_ce=results/evaluate/vgg16_bn_ce/summary.json --out results/metrics.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal metrics`."""
    parser.add_argument(
        "--summary",
        type=named_path,
        action="append",
        required=True,
        metavar="EXPERIMENT=FILE",
        help="one an experiment",
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON file")


def run(args: argparse.Namespace) -> None:
    """Collect the metrics."""
    from dsn_saal.evaluate.collect import collect_metrics

    collect_metrics(dict(args.summary), args.out)
