"""`dsn-saal report`: tables, figures and files of numbers become the printed paper."""

from __future__ import annotations

import argparse
from pathlib import Path

from dsn_saal.cli.common import add_settings, named_path, read_job
from dsn_saal.params.report_job import ReportJob, report_job

EXAMPLE = """example:
  dsn-saal report --table table2=results/tables/table2.json --table table3=results/tables/table3.json \\
      --table switchboard=results/tables/switchboard.json \\
      --figure figure3=results/figures/figure3.svg --figure figure4=results/figures/figure4.svg \\
      --flow results/ingest/covid19_diag/flow.json --mask-quality results/preprocess/covid19_diag/mask_quality.json \\
      --index results/preprocess/covid19_diag/index.parquet \\
      --certificate results/split/covid19_diag/case_wise.certificate.json \\
      --summary vgg16_bn_ce=results/evaluate/vgg16_bn_ce/summary.json \\
      --summary dsn_saal=results/evaluate/dsn_saal/summary.json \\
      --summary vgg16_bn_ce_permuted=results/evaluate/vgg16_bn_ce_permuted/summary.json \\
      --training dsn_saal=results/train/dsn_saal ... \\
      --cam dsn_saal=results/probe/cam/dsn_saal/cam.json ... \\
      --cross vgg16_bn_ce=results/probe/cross/vgg16_bn_ce.json \\
      --analysis comparisons=results/analyse/comparisons.json ... --out results/report/paper.pdf

--summary: every experiment of report.table3 and report.saal_ablation, and report.control and
           report.shortcut where they are set"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal report`."""
    for option, metavar, text in (
        ("--table", "NAME=JSON", "every table that the paper prints"),
        ("--figure", "NAME=SVG", "every figure that it prints"),
        ("--summary", "EXPERIMENT=JSON", "what evaluate measured"),
        ("--analysis", "NAME=JSON", "every analysis that dsn-saal analyse writes"),
        ("--training", "EXPERIMENT=DIR", "what train wrote, of each experiment of report.saal_ablation"),
        ("--cam", "EXPERIMENT=JSON", "cam.json of each experiment of probe.cam"),
        ("--cross", "EXPERIMENT=JSON", "what probe cross wrote of each experiment of probe.cross"),
    ):
        parser.add_argument(option, type=named_path, action="append", required=True, metavar=metavar, help=text)
    parser.add_argument("--flow", type=Path, required=True, help="what ingest read and left out")
    parser.add_argument("--mask-quality", type=Path, required=True, help="what preprocess found about the masks")
    parser.add_argument("--index", type=Path, required=True, help="index of the preprocessed slices")
    parser.add_argument("--certificate", type=Path, required=True, help="the split's certificate")
    parser.add_argument("--out", type=Path, required=True, help="the PDF")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Print the paper."""
    job = read_job(args, ReportJob, report_job)
    from dsn_saal.report.build import Sources, build_report

    sources = Sources(
        tables=dict(args.table),
        figures=dict(args.figure),
        summaries=dict(args.summary),
        training=dict(args.training),
        cams=dict(args.cam),
        crosses=dict(args.cross),
        analyses=dict(args.analysis),
        flow=args.flow,
        mask_quality=args.mask_quality,
        index=args.index,
        certificate=args.certificate,
    )
    build_report(job, sources, args.out)
