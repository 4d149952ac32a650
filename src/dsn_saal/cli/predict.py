"""`dsn-saal predict`: let every run of one experiment answer for the training part of its own split."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dsn_saal.cli.common import add_settings, read_job
from dsn_saal.cli.progress import tracked
from dsn_saal.params.jobs import PredictJob, predict_job

EXAMPLE = """example:
  dsn-saal predict --experiment dsn_saal --images results/preprocess/covid19_diag \\
      --split results/split/covid19_diag/case_wise.parquet --weights results/train/dsn_saal \\
      --out results/evaluate/dsn_saal

reads  IMAGES/{images.npy,index.parquet}, the split, WEIGHTS/SHA256SUMS, WEIGHTS/run-NN/{weights.safetensors,run.json}
       and weights_epoch_NNN.safetensors of earlier epochs that vote, whose probabilities are averaged with the last's
writes OUT/run-NN/train_predictions.parquet of every run, without rows where it diverged or kept no weights: what a
       temperature is fitted on. These are answers for cases that the run has seen, and no result."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal predict`."""
    parser.add_argument("--experiment", required=True, help="name in experiments of the params")
    parser.add_argument("--images", type=Path, required=True, help="folder that preprocess wrote")
    parser.add_argument("--split", type=Path, required=True, help="split table (parquet)")
    parser.add_argument("--weights", type=Path, required=True, help="folder that train wrote for this experiment")
    parser.add_argument("--out", type=Path, required=True, help="folder of the experiment's evaluation")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Predict the training part with all runs."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as training has it, and for the same reason
    job = read_job(args, PredictJob, lambda settings: predict_job(settings, args.experiment))
    from dsn_saal.evaluate.fitted import predict_training_part

    answered = predict_training_part(
        job,
        images=args.images,
        split=args.split,
        weights=args.weights,
        out=args.out,
        progress=tracked(f"predicting the training part of {job.name}"),
    )
    print(f"{job.name}: {answered} of {job.runs} runs answered for their training part")
