"""`dsn-saal figure NAME`: files of numbers become one figure as svg and png."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import cast

from dsn_saal.cli.common import Job, add_settings, known_dataset, named_path, read_job, require_inputs
from dsn_saal.params.figure_jobs import (
    ANALYSIS_FIGURES,
    FIGURES,
    AnalysisFigureJob,
    CamFigureJob,
    ConfusionFigureJob,
    ContactSheetJob,
    CurvesFigureJob,
    DiagnosesFigureJob,
    FlowFigureJob,
    MarginsFigureJob,
    NetworkFigureJob,
    RocFigureJob,
    SamplesFigureJob,
    TrajectoriesFigureJob,
    analysis_figure_job,
    contact_sheet_job,
    curves_figure_job,
    figure_job,
    margins_figure_job,
    roc_figure_job,
    samples_figure_job,
    trajectories_figure_job,
)
from dsn_saal.params.root import Settings

EXAMPLE = """examples:
  dsn-saal figure figure3 --images results/preprocess/covid19_diag --out results/figures/figure3
  dsn-saal figure figure4 --predictions dsn_saal=results/evaluate/dsn_saal \\
      --predictions vgg16_bn_ce=results/evaluate/vgg16_bn_ce --out results/figures/figure4
  dsn-saal figure contact_sheet --dataset covid_ct --images results/preprocess/covid_ct \\
      --out results/figures/contact_sheet_covid_ct

  dsn-saal figure saal_trajectories --summary dsn_saal=results/evaluate/dsn_saal/summary.json ... \\
      --training dsn_saal=results/train/dsn_saal ... --out results/figures/saal_trajectories

  dsn-saal figure margins --verdicts results/audit/verdicts.json --out results/figures/margins

figure3 and contact_sheet read IMAGES/{images.npy,masks.npy,index.parquet};
figure4 reads DIR/run-NN/predictions.parquet of every run; saal_trajectories DIR/run-NN/{run.json,history.csv};
figure1 is drawn by the workflow, which hands over the graph of its rules; figure2 reads what probe network wrote;
figure5 reads DIR/run-NN/predictions.parquet as figure4 does; figure6 and failures read both those and IMAGES;
figure7 reads IMAGES and DIR/{maps.npy,slices.parquet,cam.json} of every --cam;

figure4 reads DIR/run-NN/predictions.parquet of every run; saal_trajectories and training_curves
DIR/run-NN/{run.json,history.csv}; calibration, decision_curve and positions an --analysis that dsn-saal analyse wrote;
writes OUT.svg and OUT.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal figure`."""
    parser.add_argument("name", choices=sorted([*FIGURES, "contact_sheet"]), help="which figure")
    parser.add_argument("--dataset", help="data set of params.yaml (contact_sheet without --settings)")
    parser.add_argument("--verdicts", type=Path, help="what dsn-saal verdicts wrote (margins)")
    parser.add_argument("--images", type=Path, help="folder that preprocess wrote (figure3)")
    parser.add_argument(
        "--predictions",
        type=named_path,
        action="append",
        default=[],
        metavar="EXPERIMENT=DIR",
        help="folder that evaluate wrote, one a curve (figure4)",
    )
    parser.add_argument(
        "--analysis", type=Path, help="what dsn-saal analyse wrote (calibration, decision_curve, positions)"
    )
    for option, metavar, text in (
        (
            "--summary",
            "EXPERIMENT=FILE",
            "what evaluate measured, one an experiment (saal_trajectories, training_curves)",
        ),
        (
            "--training",
            "EXPERIMENT=DIR",
            "folder that train wrote, one an experiment (saal_trajectories, training_curves)",
        ),
    ):
        parser.add_argument(option, type=named_path, action="append", default=[], metavar=metavar, help=text)
    parser.add_argument(
        "--cam",
        type=named_path,
        action="append",
        default=[],
        metavar="EXPERIMENT=DIR",
        help="folder that probe cam wrote, one a row (figure7)",
    )
    parser.add_argument("--graph", metavar="JSON", help="the rules and who reads whom (figure1)")
    parser.add_argument("--network", type=Path, help="what probe network wrote (figure2)")
    parser.add_argument("--out", type=Path, required=True, metavar="STEM", help="path without suffix")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Draw the figure."""
    DRAWERS[args.name](args)


def _samples(args: argparse.Namespace) -> None:
    from dsn_saal.figures.samples import draw_figure

    require_inputs(args, "images")
    draw_figure(read_job(args, SamplesFigureJob, samples_figure_job), images=args.images, out=args.out)


def _contact_sheet(args: argparse.Namespace) -> None:
    from dsn_saal.figures.contact_sheet import draw_figure

    require_inputs(args, "images")

    def cut(settings: Settings) -> ContactSheetJob:
        return contact_sheet_job(settings, known_dataset(settings, args))

    draw_figure(read_job(args, ContactSheetJob, cut), images=args.images, out=args.out)


def _roc(args: argparse.Namespace) -> None:
    from dsn_saal.figures.roc import draw_figure

    require_inputs(args, "predictions")
    draw_figure(read_job(args, RocFigureJob, roc_figure_job), predictions=dict(args.predictions), out=args.out)


def _trajectories(args: argparse.Namespace) -> None:
    from dsn_saal.figures.trajectories import draw_figure

    require_inputs(args, "summary", "training")
    job = read_job(args, TrajectoriesFigureJob, trajectories_figure_job)
    draw_figure(job, summaries=dict(args.summary), training=dict(args.training), out=args.out)


def _flow(args: argparse.Namespace) -> None:
    from dsn_saal.figures.flow import draw_figure

    require_inputs(args, "graph")
    draw_figure(read_job(args, FlowFigureJob, _cut(args, FlowFigureJob)), graph=args.graph, out=args.out)


def _network(args: argparse.Namespace) -> None:
    from dsn_saal.figures.network import draw_figure

    require_inputs(args, "network")
    draw_figure(read_job(args, NetworkFigureJob, _cut(args, NetworkFigureJob)), network=args.network, out=args.out)


def _confusion(args: argparse.Namespace) -> None:
    from dsn_saal.figures.confusion import draw_figure

    require_inputs(args, "predictions")
    job = read_job(args, ConfusionFigureJob, _cut(args, ConfusionFigureJob))
    draw_figure(job, predictions=dict(args.predictions), out=args.out)


def _diagnoses(args: argparse.Namespace) -> None:
    from dsn_saal.figures.diagnoses import draw_diagnoses, draw_failures

    require_inputs(args, "images", "predictions")
    job = read_job(args, DiagnosesFigureJob, _cut(args, DiagnosesFigureJob))
    draw = draw_failures if args.name == "failures" else draw_diagnoses
    draw(job, images=args.images, predictions=dict(args.predictions), out=args.out)


def _cam(args: argparse.Namespace) -> None:
    from dsn_saal.figures.cams import draw_figure

    require_inputs(args, "images", "cam")
    job = read_job(args, CamFigureJob, _cut(args, CamFigureJob))
    draw_figure(job, images=args.images, cams=dict(args.cam), out=args.out)


def _cut(args: argparse.Namespace, model: type[Job]) -> Callable[[Settings], Job]:
    """The figure's block out of the settings; the model says of which kind it is."""
    return lambda settings: cast("Job", figure_job(settings, args.name))


def _margins(args: argparse.Namespace) -> None:
    from dsn_saal.figures.margins import draw_figure

    require_inputs(args, "verdicts")
    draw_figure(read_job(args, MarginsFigureJob, margins_figure_job), verdicts=args.verdicts, out=args.out)


def _analysis(args: argparse.Namespace) -> None:
    from dsn_saal.figures import calibration, decision_curve, positions

    require_inputs(args, "analysis")
    rooms = {"calibration": calibration, "decision_curve": decision_curve, "positions": positions}
    job = read_job(args, AnalysisFigureJob, analysis_figure_job)
    rooms[args.name].draw_figure(job, analysis=args.analysis, out=args.out)


def _curves(args: argparse.Namespace) -> None:
    from dsn_saal.figures.training_curves import draw_figure

    require_inputs(args, "summary", "training")
    job = read_job(args, CurvesFigureJob, curves_figure_job)
    draw_figure(job, summaries=dict(args.summary), training=dict(args.training), out=args.out)


DRAWERS: dict[str, Callable[[argparse.Namespace], None]] = {
    "figure1": _flow,
    "figure2": _network,
    "figure3": _samples,
    "figure4": _roc,
    "figure5": _confusion,
    "figure6": _diagnoses,
    "figure7": _cam,
    "failures": _diagnoses,
    "saal_trajectories": _trajectories,
    "margins": _margins,
    **dict.fromkeys(ANALYSIS_FIGURES, _analysis),
    "training_curves": _curves,
    "contact_sheet": _contact_sheet,
}
