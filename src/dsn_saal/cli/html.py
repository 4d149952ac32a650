"""`dsn-saal html`: tables, figures and files of numbers become one page that is read on a screen."""

from __future__ import annotations

import argparse
from pathlib import Path

from dsn_saal.cli.common import add_settings, named_path, read_job
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.html_job import HtmlJob, html_job

EXAMPLE = """example:
  dsn-saal html --table table3=results/tables/table3.json ... --figure figure4=results/figures/figure4.svg ... \\
      --evaluated dsn_saal=results/evaluate/dsn_saal ... --ingested covid19_diag=results/ingest/covid19_diag ... \\
      --preprocessed covid19_diag=results/preprocess/covid19_diag ... \\
      --proof covid19_diag/case_wise=results/split/covid19_diag/case_wise.certificate.json ... \\
      --out results/report/report.html

every table, figure, experiment, data set and split of the params; the file opens in any browser and asks the network
for nothing"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal html`."""
    for option, metavar, text in (
        ("--table", "NAME=JSON", "every table"),
        ("--figure", "NAME=SVG", "every figure"),
        ("--evaluated", "EXPERIMENT=DIR", "what evaluate wrote, of every experiment"),
        ("--ingested", "DATASET=DIR", "what ingest wrote, of every data set"),
        ("--preprocessed", "DATASET=DIR", "what preprocess wrote, of every data set"),
        ("--proof", "DATASET/SPLIT=FILE", "certificate of every split"),
    ):
        parser.add_argument(option, type=named_path, action="append", required=True, metavar=metavar, help=text)
    parser.add_argument(
        "--finding",
        type=named_path,
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="any other file of numbers, shown as it is",
    )
    parser.add_argument("--out", type=Path, required=True, help="the page")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Write the page."""
    job = read_job(args, HtmlJob, html_job)
    from dsn_saal.report.html.build import build_page
    from dsn_saal.report.html.sources import Sources

    sources = Sources(
        tables=dict(args.table),
        figures=dict(args.figure),
        evaluated=dict(args.evaluated),
        ingested=dict(args.ingested),
        preprocessed=dict(args.preprocessed),
        proofs={_split(name): path for name, path in args.proof},
        findings=dict(args.finding),
    )
    build_page(job, sources, args.out)


def _split(name: str) -> tuple[str, str]:
    dataset, separator, protocol = name.partition("/")
    if not separator:
        raise BadRequest("a split is named DATASET/SPLIT", value=name, where="--proof")
    return dataset, protocol
