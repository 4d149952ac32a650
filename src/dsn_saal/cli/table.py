"""`dsn-saal table NAME`: files of numbers become one table as csv, tex, md and json."""

from __future__ import annotations

import argparse
from pathlib import Path

from dsn_saal.cli.common import add_settings, named_path, read_job, require_inputs
from dsn_saal.params.paper_jobs import TABLES, table_job

EXAMPLE = """examples:
  dsn-saal table table2 --index results/preprocess/covid19_diag/index.parquet \\
      --split results/split/covid19_diag/case_70_30.parquet \\
      --certificate results/split/covid19_diag/case_70_30.certificate.json --out results/tables/table2
  dsn-saal table table3 --summary dsn_saal=results/evaluate/dsn_saal/summary.json \\
      --summary vgg16_bn_ce=results/evaluate/vgg16_bn_ce/summary.json --out results/tables/table3
  dsn-saal table switchboard --out results/tables/switchboard

writes OUT.csv, OUT.tex, OUT.md, OUT.json; the table of a data set is that of report.dataset"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal table`."""
    parser.add_argument("name", choices=sorted(TABLES), help="which table")
    parser.add_argument("--index", type=Path, help="index of the preprocessed slices (table2)")
    parser.add_argument("--split", type=Path, help="split table (table2)")
    parser.add_argument("--certificate", type=Path, help="the split's certificate (table2)")
    parser.add_argument(
        "--summary", type=named_path, action="append", default=[], metavar="EXPERIMENT=FILE", help="one a row (table3)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="STEM", help="path without suffix")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Write the table."""
    job = read_job(args, TABLES[args.name], lambda settings: table_job(settings, args.name))
    from dsn_saal.tables import cohort, results, switchboard
    from dsn_saal.tables.table import write_table_files

    if args.name == "table2":
        require_inputs(args, "index", "split", "certificate")
        table = cohort.make_table(job, index=args.index, split=args.split, certificate=args.certificate)
    elif args.name == "table3":
        require_inputs(args, "summary")
        table = results.make_table(job, summaries=dict(args.summary))
    else:
        table = switchboard.make_table(job)
    write_table_files(table, args.out)
