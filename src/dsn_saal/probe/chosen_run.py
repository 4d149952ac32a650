"""The one run of an experiment that a probe looks into: chosen by training loss, by no result on the test part.

A probe looks into one network: where the last epochs of a run vote, into that of the last.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsn_saal.evaluate.trained import TrainedRun, checked_file
from dsn_saal.storage.listing import read_listing


@dataclass(frozen=True)
class Chosen:
    """A run with its weights, and why it was taken; or no run, and why not."""

    run: TrainedRun | None
    because: str


def with_weights(runs: Sequence[TrainedRun]) -> list[TrainedRun]:
    """Those whose weights were kept."""
    return [run for run in runs if run.weights]


def no_weights_because(runs: Sequence[TrainedRun]) -> str:
    """Why no run can be looked into."""
    if all(run.answer is None for run in runs):
        return "every run diverged"
    return "no weights were kept (train.keep_weights)"


def median_run(folder: Path, runs: Sequence[TrainedRun]) -> Chosen:
    """Of the runs with weights the one whose last training loss is the median, the lower middle of an even number.

    Raises:
        CheckFailed: where a history is missing or altered.
    """
    kept = with_weights(runs)
    if not kept:
        return Chosen(None, no_weights_because(runs))
    listed = read_listing(folder)
    by_loss = sorted(kept, key=lambda run: (_training_loss(folder, run, listed), run.key.run))
    run = by_loss[(len(by_loss) - 1) // 2]
    if len(kept) == 1:
        return Chosen(run, "the only one whose weights were kept")
    return Chosen(run, f"its training loss is the median of {len(kept)} runs")


def _training_loss(folder: Path, run: TrainedRun, listed: dict[str, str]) -> float:
    text = checked_file(folder, f"{run.key.run_name}/history.csv", listed).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return float(rows[run.record.get("selected_epoch", len(rows)) - 1]["loss"])
