"""`dsn-saal table NAME`: files of numbers become one table as csv, tex, md and json."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dsn_saal.cli.common import add_settings, named_path, read_job, require_inputs
from dsn_saal.params.public_table_jobs import PUBLIC_TABLES, PublicTableJob, public_table_job
from dsn_saal.params.table_jobs import (
    ANALYSIS_TABLES,
    AUDIT_TABLES,
    RESULT_TABLES,
    TABLES,
    AnalysisTableJob,
    AuditTableJob,
    CertificatesTableJob,
    CohortTableJob,
    CompositionsTableJob,
    CrossTableJob,
    DatasetsTableJob,
    ResultTableJob,
    SharesTableJob,
    SwitchboardTableJob,
    ablation_table_job,
    analysis_table_job,
    audit_table_job,
    certificates_table_job,
    cohort_table_job,
    compositions_table_job,
    cross_table_job,
    datasets_table_job,
    result_table_job,
    shares_table_job,
    switchboard_table_job,
)

if TYPE_CHECKING:
    from dsn_saal.tables.table import Table

EXAMPLE = """examples:
  dsn-saal table table2 --index results/preprocess/covid19_diag/index.parquet \\
      --split results/split/covid19_diag/case_wise.parquet \\
      --certificate results/split/covid19_diag/case_wise.certificate.json --out results/tables/table2
  dsn-saal table table3 --summary dsn_saal=results/evaluate/dsn_saal/summary.json \\
      --summary vgg16_bn_ce=results/evaluate/vgg16_bn_ce/summary.json ... --out results/tables/table3
  dsn-saal table verdicts --audit results/audit/verdicts.json --out results/tables/verdicts
  dsn-saal table switchboard --out results/tables/switchboard

table4, table5 and table6 take a --summary of each of their experiments, as table3 does, saal_ablation a --training of
each as well; datasets and certificates take a --flow of every data set; datasets also a --mask-quality of each,
certificates a --proof DATASET/SPLIT=FILE of each. table1 takes the --reported file, a --flow of every data set and a
--proof of its first split; table7a, table7b, table8 and table9 take it with a --summary of each of their experiments
and a --proof SPLIT=FILE of each of their splits

certificates a --proof DATASET/SPLIT=FILE of each; comparisons and levels an --analysis

writes OUT.csv, OUT.tex, OUT.md, OUT.json; the table of a data set is that of report.dataset"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal table`."""
    parser.add_argument("name", choices=sorted(TABLES), help="which table")
    parser.add_argument("--index", type=Path, help="index of the preprocessed slices (table2)")
    parser.add_argument("--split", type=Path, help="split table (table2)")
    parser.add_argument("--certificate", type=Path, help="the split's certificate (table2)")
    parser.add_argument("--analysis", type=Path, help="what dsn-saal analyse wrote (comparisons, levels)")
    parser.add_argument(
        "--summary",
        type=named_path,
        action="append",
        default=[],
        metavar="EXPERIMENT=FILE",
        help="one a row (table3 to table9, saal_ablation)",
    )
    parser.add_argument(
        "--training",
        type=named_path,
        action="append",
        default=[],
        metavar="EXPERIMENT=DIR",
        help="folder that train wrote, one a row (saal_ablation)",
    )
    parser.add_argument("--audit", type=Path, help="forensics.json or verdicts.json (forensics, verdicts)")
    parser.add_argument("--reported", type=Path, help="file of reported numbers (table1, table7a to table9)")
    for option, metavar, text in (
        ("--flow", "DATASET=FILE", "flow.json of each data set (table1, datasets, certificates)"),
        ("--mask-quality", "DATASET=FILE", "mask_quality.json of each data set (datasets)"),
        ("--proof", "DATASET/SPLIT=FILE", "certificate of each split (table1, table7a to table9, certificates)"),
        ("--probe", "EXPERIMENT=FILE", "what probe cross wrote of each experiment (cross)"),
    ):
        parser.add_argument(option, type=named_path, action="append", default=[], metavar=metavar, help=text)
    parser.add_argument("--out", type=Path, required=True, metavar="STEM", help="path without suffix")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Write the table."""
    from dsn_saal.tables.table import write_table_files

    write_table_files(MAKERS[args.name](args), args.out)


def _cohort(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.cohort import make_table

    require_inputs(args, "index", "split", "certificate")
    job = read_job(args, CohortTableJob, cohort_table_job)
    return make_table(job, index=args.index, split=args.split, certificate=args.certificate)


def _results(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.results import make_table

    require_inputs(args, "summary")
    job = read_job(args, ResultTableJob, lambda settings: result_table_job(settings, args.name))
    return make_table(job, summaries=dict(args.summary))


def _shares(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.shares import make_table

    require_inputs(args, "summary")
    return make_table(read_job(args, SharesTableJob, shares_table_job), summaries=dict(args.summary))


def _ablation(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.ablation import make_table

    require_inputs(args, "summary", "training")
    job = read_job(args, ResultTableJob, ablation_table_job)
    return make_table(job, summaries=dict(args.summary), training=dict(args.training))


def _audit(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.audit import make_table

    require_inputs(args, "audit")
    job = read_job(args, AuditTableJob, lambda settings: audit_table_job(settings, args.name))
    return make_table(job, audit=args.audit)


def _datasets(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.datasets import make_table

    require_inputs(args, "flow", "mask_quality")
    job = read_job(args, DatasetsTableJob, datasets_table_job)
    return make_table(job, flows=dict(args.flow), mask_qualities=dict(args.mask_quality))


def _certificates(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.certificates import make_table

    require_inputs(args, "flow", "proof")
    job = read_job(args, CertificatesTableJob, certificates_table_job)
    return make_table(job, certificates=dict(args.proof), flows=dict(args.flow))


def _cross(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.cross import make_table

    require_inputs(args, "probe")
    return make_table(read_job(args, CrossTableJob, cross_table_job), probes=dict(args.probe))


def _compositions(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.compositions import make_table

    require_inputs(args, "reported", "flow", "proof")
    job = read_job(args, CompositionsTableJob, compositions_table_job)
    return make_table(job, reported=args.reported, flows=dict(args.flow), certificates=dict(args.proof))


def _public(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.public import make_table

    require_inputs(args, "reported", "summary", "proof")
    job = read_job(args, PublicTableJob, lambda settings: public_table_job(settings, args.name))
    return make_table(job, reported=args.reported, summaries=dict(args.summary), certificates=dict(args.proof))


def _analysis(args: argparse.Namespace) -> Table:
    from dsn_saal.tables import comparisons, levels

    require_inputs(args, "analysis")
    job = read_job(args, AnalysisTableJob, lambda settings: analysis_table_job(settings, args.name))
    make = comparisons.make_table if args.name == "comparisons" else levels.make_table
    return make(job, analysis=args.analysis)


def _switchboard(args: argparse.Namespace) -> Table:
    from dsn_saal.tables.switchboard import make_table

    return make_table(read_job(args, SwitchboardTableJob, switchboard_table_job))


MAKERS: dict[str, Callable[[argparse.Namespace], Table]] = {
    "table2": _cohort,
    **dict.fromkeys(RESULT_TABLES, _results),
    "table6": _shares,
    "table1": _compositions,
    **dict.fromkeys(PUBLIC_TABLES, _public),
    "saal_ablation": _ablation,
    "cross": _cross,
    **dict.fromkeys(AUDIT_TABLES, _audit),
    **dict.fromkeys(ANALYSIS_TABLES, _analysis),
    "datasets": _datasets,
    "certificates": _certificates,
    "switchboard": _switchboard,
}
