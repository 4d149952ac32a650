"""`dsn-saal train --plan`: a row an experiment, where the workflow keeps its files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.image_jobs import unlabelled_of
from dsn_saal.params.jobs import ClassicalJob, train_job
from dsn_saal.params.reading import read_settings
from dsn_saal.params.root import Settings

if TYPE_CHECKING:
    from dsn_saal.train.plan import Plan
    from dsn_saal.train.tracks import Places, Tracks

HEADS = ("runs", "images", "parameters", "GFLOP/image", "TFLOP", "hours", "weights MB", "peak MB")


def print_plans(args: argparse.Namespace) -> None:
    """Print the rows and their sum; the params file is read, --settings is not needed.

    Raises:
        BadRequest: where the experiment that was named is none.
    """
    from dsn_saal.train.plan import plan_experiment
    from dsn_saal.train.tracks import classical_tracks

    settings = read_settings(args.params)
    wanted = [args.experiment] if args.experiment else list(settings.experiments)
    unknown = [name for name in wanted if name not in settings.experiments]
    if unknown:
        raise BadRequest("there is no such experiment", value=unknown[0], next_step=", ".join(settings.experiments))
    print(f"{'experiment':32}" + "".join(f"{head:>13}" for head in HEADS))
    plans: list[Plan] = []
    tracks: list[tuple[Tracks, int]] = []
    for name in wanted:
        job, places = train_job(settings, name), _places(settings, name)
        if isinstance(job, ClassicalJob):
            tracks.append((classical_tracks(job, places, code=args.code), job.runs))
            print(f"{name:32}{_done(*tracks[-1]):>13}  classical: seconds, no weights{_foreign(tracks[-1][0])}")
            continue
        plan = plan_experiment(job, places, device=args.device, code=args.code, measure=True)
        plans.append(plan)
        tracks.append((plan.tracks, plan.runs))
        print(_row(plan) + _foreign(plan.tracks), flush=True)
    print(_sum(plans, tracks))
    print(_legend(settings, args.device))


def _places(settings: Settings, name: str) -> Places:
    from dsn_saal.train.tracks import Places

    experiment = settings.experiments[name]
    return Places(
        out=Path("results/train") / name,
        state=Path(".dsn_saal/train") / name,
        split=Path("results/split") / experiment.dataset / f"{experiment.protocol}.parquet",
        images=Path("results/preprocess") / experiment.dataset,
        unlabelled=tuple(Path("results/preprocess") / other for other in unlabelled_of(settings, name)),
    )


def _row(plan: Plan) -> str:
    cells = (
        _done(plan.tracks, plan.runs),
        _or_unknown(plan.images, "d"),
        f"{plan.parameters}",
        f"{plan.flops_per_image / 1e9:.2f}",
        _or_unknown(None if plan.flops is None else plan.flops / 1e12, ".1f"),
        _or_unknown(plan.hours, ".2f"),
        f"{plan.weight_bytes / 1e6:.1f}",
        f"{plan.peak_bytes / 1e6:.1f}",
    )
    return f"{plan.name:32}" + "".join(f"{cell:>13}" for cell in cells)


def _sum(plans: list[Plan], tracks: list[tuple[Tracks, int]]) -> str:
    """Of all rows; the peak where one experiment trains at a time and the weights of all others lie there."""
    weights = sum(plan.weight_bytes for plan in plans)
    more = max((plan.peak_bytes - plan.weight_bytes for plan in plans), default=0)
    cells = (
        f"{sum(found.done for found, _ in tracks)}/{sum(runs for _, runs in tracks)}",
        *("", "", ""),
        _at_least([None if plan.flops is None else plan.flops / 1e12 for plan in plans], ".1f"),
        _at_least([plan.hours for plan in plans], ".2f"),
        f"{weights / 1e6:.1f}",
        f"{(weights + more) / 1e6:.1f}",
    )
    return f"{'all':32}" + "".join(f"{cell:>13}" for cell in cells)


def _legend(settings: Settings, device: str) -> str:
    from dsn_saal.train.machine import model_of, prepare

    machine = prepare(device, precision=settings.train.precision, threads=settings.train.threads)
    return (
        f"runs: finished / all; images: of the split that lies here, whatever scale it was made at; TFLOP, hours: of "
        f"the runs still to do, on {model_of(machine.device)} ({machine.precision}); ?: not known before the split; "
        ">: more, by what is not known\n"
        f"weights MB: disk of the weights that stay (train.keep_weights: {settings.train.keep_weights}); peak MB: with "
        "the checkpoints, until the last run of the experiment is finished; of all: one experiment after another"
    )


def _done(tracks: Tracks, runs: int) -> str:
    return f"{tracks.done}/{runs}"


def _foreign(tracks: Tracks) -> str:
    """How many runs are there that do not count, and what differs in the first."""
    if not tracks.foreign:
        return ""
    return f"  {len(tracks.foreign)} there from other settings, will be trained again; changed: {tracks.foreign[0]}"


def _or_unknown(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)


def _at_least(values: list[float | None], form: str) -> str:
    known = sum(value for value in values if value is not None)
    return f"{'>' if None in values else ''}{known:{form}}"
