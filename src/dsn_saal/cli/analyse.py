"""`dsn-saal analyse NAME`: stored predictions become one small file of numbers about how sure the results are."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dsn_saal.cli.common import add_settings, named_path, read_job, require_inputs
from dsn_saal.params.analyse_jobs import (
    ANALYSES,
    AnalysisJob,
    CalibrationJob,
    ComparisonsJob,
    DecisionJob,
    LevelsJob,
    PositionsJob,
    calibration_job,
    cases_job,
    comparisons_job,
    decision_job,
    levels_job,
    positions_job,
)

EXAMPLE = """examples:
  dsn-saal analyse cases --predictions vgg16_bn_ce=results/evaluate/vgg16_bn_ce \\
      --predictions dsn_saal=results/evaluate/dsn_saal --out results/analyse/cases.json
  dsn-saal analyse positions --predictions ... --index results/preprocess/covid19_diag/index.parquet \\
      --out results/analyse/positions.json

comparisons reads every experiment of the tables in analyse.families, levels those of report.table3, the others those of
analyse.experiments: DIR/run-NN/predictions.parquet, and for calibration DIR/run-NN/train_predictions.parquet.
A value that cannot be given is null in the file, with its reason beside it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal analyse`."""
    parser.add_argument("name", choices=sorted(ANALYSES), help="which analysis")
    parser.add_argument(
        "--predictions",
        type=named_path,
        action="append",
        default=[],
        metavar="EXPERIMENT=DIR",
        help="folder that evaluate wrote, of every experiment",
    )
    parser.add_argument("--index", type=Path, help="index of the preprocessed slices (positions)")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON", help="file to write")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Analyse."""
    from dsn_saal.storage.atomic import write_json

    require_inputs(args, "predictions")
    write_json(args.out, MAKERS[args.name](args))


def _comparisons(args: argparse.Namespace) -> Any:
    from dsn_saal.analyse.comparisons import analyse

    return analyse(read_job(args, ComparisonsJob, comparisons_job), predictions=dict(args.predictions))


def _levels(args: argparse.Namespace) -> Any:
    from dsn_saal.analyse.levels import analyse

    return analyse(read_job(args, LevelsJob, levels_job), predictions=dict(args.predictions))


def _calibration(args: argparse.Namespace) -> Any:
    from dsn_saal.analyse.calibration import analyse

    return analyse(read_job(args, CalibrationJob, calibration_job), predictions=dict(args.predictions))


def _decision(args: argparse.Namespace) -> Any:
    from dsn_saal.analyse.decision import analyse

    return analyse(read_job(args, DecisionJob, decision_job), predictions=dict(args.predictions))


def _positions(args: argparse.Namespace) -> Any:
    from dsn_saal.analyse.positions import analyse

    require_inputs(args, "index")
    job = read_job(args, PositionsJob, positions_job)
    return analyse(job, predictions=dict(args.predictions), index=args.index)


def _cases(args: argparse.Namespace) -> Any:
    from dsn_saal.analyse.cases import analyse

    return analyse(read_job(args, AnalysisJob, cases_job), predictions=dict(args.predictions))


MAKERS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "comparisons": _comparisons,
    "levels": _levels,
    "calibration": _calibration,
    "decision": _decision,
    "positions": _positions,
    "cases": _cases,
}
