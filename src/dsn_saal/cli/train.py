"""`dsn-saal train`: every run of one experiment."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dsn_saal.cli.common import add_settings, read_job
from dsn_saal.params.jobs import TrainJob, train_job

EXAMPLE = """example:
  dsn-saal train --experiment dsn_saal --images results/preprocess/covid19_diag \\
      --split results/split/covid19_diag/case_wise.parquet \\
      --certificate results/split/covid19_diag/case_wise.certificate.json \\
      --out results/train/dsn_saal --state .dsn_saal/train/dsn_saal --code by-hand

reads  IMAGES/images.npy, the split and its certificate
writes OUT/run-NN/{weights.safetensors,history.csv,run.json} for every run, OUT/SHA256SUMS; the rest of OUT is removed
Interrupt it at any time: started again it goes on, to the same bytes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal train`."""
    parser.add_argument("--experiment", required=True, help="name in experiments of the params")
    parser.add_argument("--images", type=Path, required=True, help="folder that preprocess wrote")
    parser.add_argument("--split", type=Path, required=True, help="split table (parquet)")
    parser.add_argument("--certificate", type=Path, required=True, help="certificate of the split")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; it belongs to this job")
    parser.add_argument("--state", type=Path, required=True, help="folder for what a later start goes on from")
    parser.add_argument("--code", required=True, help="digest of the code that runs: other code, another run")
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    parser.add_argument(
        "--checkpoint-seconds", type=float, default=60.0, help="seconds between checkpoints (default: 60)"
    )
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Train all runs."""
    job = read_job(args, TrainJob, lambda settings: train_job(settings, args.experiment))
    # Read once, when torch loads its OpenMP: threads that wait asleep. Spinning ones take the cores from each other
    # as soon as anything else runs (measured: four times slower), and gain little where nothing does.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from dsn_saal.train.experiment import train_experiment

    train_experiment(
        job,
        images=args.images,
        split=args.split,
        certificate=args.certificate,
        out=args.out,
        state=args.state,
        code=args.code,
        device=args.device,
        checkpoint_seconds=args.checkpoint_seconds,
    )
