"""`dsn-saal evaluate`: predict the test part with every run of one experiment, and measure it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dsn_saal.cli.common import add_settings, read_job
from dsn_saal.cli.progress import tracked
from dsn_saal.params.jobs import EvaluateJob, evaluate_job

EXAMPLE = """example:
  dsn-saal evaluate --experiment dsn_saal --images results/preprocess/covid19_diag \\
      --split results/split/covid19_diag/case_wise.parquet --weights results/train/dsn_saal \\
      --out results/evaluate/dsn_saal

reads  IMAGES/{images.npy,index.parquet}, the split, WEIGHTS/SHA256SUMS, WEIGHTS/run-NN/{weights.safetensors,run.json}
       and weights_epoch_NNN.safetensors of earlier epochs that vote, whose probabilities are averaged with the last's
       (test_logits.safetensors where a run kept no weights, failed.json where it diverged: its predictions are empty)
writes OUT/run-NN/{predictions.parquet,metrics.json} for every run, OUT/summary.json; the rest of OUT is removed"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal evaluate`."""
    parser.add_argument("--experiment", required=True, help="name in experiments of the params")
    parser.add_argument("--images", type=Path, required=True, help="folder that preprocess wrote")
    parser.add_argument("--split", type=Path, required=True, help="split table (parquet)")
    parser.add_argument("--weights", type=Path, required=True, help="folder that train wrote for this experiment")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; it belongs to this job")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Evaluate all runs."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as training has it, and for the same reason
    job = read_job(args, EvaluateJob, lambda settings: evaluate_job(settings, args.experiment))
    from dsn_saal.evaluate.experiment import evaluate_experiment

    summary = evaluate_experiment(
        job,
        images=args.images,
        split=args.split,
        weights=args.weights,
        out=args.out,
        progress=tracked(f"predicting {job.name}"),
    )
    headline = [summary["metrics"][name] for name in (summary["primary"]["accuracy"], "sensitivity.macro")]
    accuracy, recall = ("undefined" if metric["mean"] is None else f"{metric['mean']:.3f}" for metric in headline)
    diverged = f" ({summary['n_failed']} of them diverged)" if summary["n_failed"] else ""
    cases = f"{summary['n_cases']} cases" if summary["n_cases"] else "unknown cases"
    print(
        f"{job.name}: {summary['n_runs']} runs{diverged}, {summary['n_slices']} slices of {cases}; "
        f"accuracy {accuracy}, macro recall {recall}"
    )
