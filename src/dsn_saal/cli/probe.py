"""`dsn-saal probe NAME`: what trained networks look at, what they do elsewhere, and how they are built."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from dsn_saal.cli.common import add_settings, named_path, read_job, require_inputs
from dsn_saal.cli.progress import tracked
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.probe_jobs import CamJob, CrossJob, NetworkJob, cam_job, cross_job, network_job
from dsn_saal.params.root import Settings

EXAMPLE = """examples:
  dsn-saal probe cam --experiment dsn_saal --images covid19_diag=results/preprocess/covid19_diag \\
      --split covid19_diag=results/split/covid19_diag/case_wise.parquet --weights results/train/dsn_saal \\
      --out results/probe/cam/dsn_saal
  dsn-saal probe cross --experiment vgg16_bn_ce --images covid19_diag=results/preprocess/covid19_diag ... \\
      --split covid19_diag=results/split/covid19_diag/case_wise.parquet ... --weights results/train/vgg16_bn_ce \\
      --out results/probe/cross/vgg16_bn_ce.json
  dsn-saal probe network --out results/probe/network.json

cam     class activation maps of the test part: OUT/{maps.npy,slices.parquet,cam.json}
cross   the networks of one experiment on the test part of every data set of probe.cross_tests: OUT
network the network that Figure 2 draws: OUT

Where the last epochs of a run vote, cam and cross look at the network of the last one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal probe`."""
    parser.add_argument("name", choices=sorted(PROBES), help="which probe")
    parser.add_argument("--experiment", help="name in experiments of the params (cam, cross)")
    for option, text in (("--images", "folder that preprocess wrote"), ("--split", "split table (parquet)")):
        parser.add_argument(
            option, type=named_path, action="append", default=[], metavar="DATASET=PATH", help=f"{text} (cam, cross)"
        )
    parser.add_argument("--weights", type=Path, help="folder that train wrote for this experiment (cam, cross)")
    parser.add_argument("--out", type=Path, required=True, help="folder (cam) or JSON file")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Make the probe."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as training has it, and for the same reason
    PROBES[args.name](args)


def _cam(args: argparse.Namespace) -> None:
    require_inputs(args, "images", "split", "weights")
    if len(args.images) != 1 or len(args.split) != 1:
        raise BadRequest("maps are made of one data set", value=f"{len(args.images)} folders, {len(args.split)} splits")
    job = read_job(args, CamJob, lambda settings: cam_job(settings, _known(settings, args)))
    from dsn_saal.probe.cam import probe_cam

    report = probe_cam(
        job, images=args.images[0][1], split=args.split[0][1], weights=args.weights, out=args.out,
        progress=tracked(f"looking into {job.experiment.name}"),
    )  # fmt: skip
    if report["missing_because"]:
        print(f"{job.experiment.name}: no maps, {report['missing_because']}")
        return
    energy, last = report["energy"]["all"], report["sanity"]["steps"][-1]["mean"]
    shown = "undefined" if energy["mean"] is None else f"{energy['mean']:.3f} (an even map: {energy['even']:.3f})"
    print(
        f"{job.experiment.name}, run {report['run']['run']}: share of the maps' energy in the lungs {shown}; "
        f"rank correlation with the maps of random weights {'undefined' if last is None else f'{last:.3f}'}"
    )


def _cross(args: argparse.Namespace) -> None:
    require_inputs(args, "images", "split", "weights")
    job = read_job(args, CrossJob, lambda settings: cross_job(settings, _known(settings, args)))
    from dsn_saal.probe.cross import probe_cross

    report = probe_cross(
        job, images=dict(args.images), splits=dict(args.split), weights=args.weights, out=args.out,
        progress=tracked(f"testing {job.experiment.name} elsewhere"),
    )  # fmt: skip
    print(f"{job.experiment.name}: {len(report['runs'])} runs on {len(report['tests'])} data sets")


def _network(args: argparse.Namespace) -> None:
    job = read_job(args, NetworkJob, network_job)
    from dsn_saal.probe.network import probe_network

    description = probe_network(job, args.out)
    print(f"{description['parameters']} parameters, {description['side_parameters']} of them in side classifiers")


def _known(settings: Settings, args: argparse.Namespace) -> str:
    if args.experiment not in settings.experiments:
        raise BadRequest("no such experiment", value=args.experiment, where=args.params)
    return args.experiment


PROBES: dict[str, Callable[[argparse.Namespace], None]] = {"cam": _cam, "cross": _cross, "network": _network}
