"""`dsn-saal train`: every run of one experiment."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dsn_saal.cli.common import add_settings, named_path, require_inputs
from dsn_saal.params.jobs import ClassicalJob, parse_train_job, train_job
from dsn_saal.params.reading import read_settings

EXAMPLE = """example:
  dsn-saal train --experiment dsn_saal --images results/preprocess/covid19_diag \\
      --split results/split/covid19_diag/case_wise.parquet \\
      --certificate results/split/covid19_diag/case_wise.certificate.json \\
      --out results/train/dsn_saal --state .dsn_saal/train/dsn_saal --code by-hand

reads  IMAGES/images.npy, the split and its certificate
writes OUT/run-NN/{weights.safetensors,history.csv,run.json} for every run, OUT/SHA256SUMS; the rest of OUT is removed.
       A run that train.keep_weights does not name leaves test_logits.safetensors in place of its weights; one that
       diverged leaves failed.json and history.csv, and the others go on. Contrastive phases leave pretraining.csv too.
       Where the last epochs vote, weights_epoch_NNN.safetensors of each but the last lie beside weights.safetensors.
       A run of a classical method leaves test_logits.safetensors and run.json: it has neither weights nor epochs.
Interrupt it at any time: started again it goes on, to the same bytes.

  dsn-saal train --plan            every experiment of params.yaml: runs done and to do, operations, hours here, disk"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal train`."""
    parser.add_argument("--plan", action="store_true", help="train nothing, print what training would cost")
    parser.add_argument("--experiment", help="name in experiments of the params (with --plan: only this one)")
    parser.add_argument("--images", type=Path, help="folder that preprocess wrote")
    parser.add_argument("--split", type=Path, help="split table (parquet)")
    parser.add_argument("--certificate", type=Path, help="certificate of the split")
    parser.add_argument(
        "--unlabelled",
        action="append",
        type=named_path,
        default=[],
        metavar="NAME=FOLDER",
        help="a data set that the method learns from without labels: folder that preprocess wrote; once for each",
    )
    parser.add_argument(
        "--unlabelled-certificate",
        action="append",
        type=named_path,
        default=[],
        metavar="NAME=FILE",
        help="what dsn-saal certify says of it; once for each",
    )
    parser.add_argument("--out", type=Path, help="folder to write; it belongs to this job")
    parser.add_argument("--state", type=Path, help="folder for what a later start goes on from")
    parser.add_argument(
        "--code", help="digest of the code that runs: other code, another run (with --plan: not compared without it)"
    )
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    parser.add_argument(
        "--checkpoint-seconds", type=float, default=60.0, help="seconds between checkpoints (default: 60)"
    )
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Train all runs, or print what they would cost."""
    # Read once, when torch loads its OpenMP: threads that wait asleep. Spinning ones take the cores from each other
    # as soon as anything else runs (measured: four times slower), and gain little where nothing does.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if args.plan:
        from dsn_saal.cli.plan import print_plans

        print_plans(args)
        return
    require_inputs(args, "experiment", "images", "split", "certificate", "out", "state", "code")
    job = (
        parse_train_job(args.settings)
        if args.settings is not None
        else train_job(read_settings(args.params), args.experiment)
    )
    if isinstance(job, ClassicalJob):
        from dsn_saal.train.classical import train_classical

        train_classical(
            job, images=args.images, split=args.split, certificate=args.certificate, out=args.out, code=args.code
        )
        return
    from dsn_saal.train.experiment import train_experiment
    from dsn_saal.train.unlabelled import Unlabelled

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
        unlabelled=Unlabelled(dict(args.unlabelled), dict(args.unlabelled_certificate)),
    )
