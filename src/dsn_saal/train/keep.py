"""Which runs keep their weights, and what the others leave in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dsn_saal.data import ResidentImages, read_images
from dsn_saal.data.inference import fix_arithmetic, voted_logits
from dsn_saal.models import build_network
from dsn_saal.params.jobs import TrainJob, network_arguments
from dsn_saal.train.inputs import test_rows
from dsn_saal.train.machine import Machine
from dsn_saal.train.results import WEIGHTS, FinishedRun


def runs_to_keep(keep: Literal["all", "median", "none"], finished: Mapping[str, FinishedRun]) -> set[str]:
    """Names of the runs that keep their weights; none that diverged.

    The median is by training loss, the lower middle of an even number: no result on the test part decides it.
    """
    trained = {name: run for name, run in finished.items() if not run.failed}
    if keep == "all":
        return set(trained)
    if keep == "none" or not trained:
        return set()
    by_loss = sorted(trained, key=lambda name: (trained[name].training_loss(), name))
    return {by_loss[(len(by_loss) - 1) // 2]}


Predict = Callable[[FinishedRun, int], tuple[NDArray[np.float64], NDArray[np.int64]]]
"""Logits ([epochs,] outputs, n, C) of a finished run, and the rows (n,), from its draw of the split."""


def predictor(job: TrainJob, machine: Machine, *, images: Path, split: Path, batch_size: int) -> Predict:
    """What a run says of its draw's test part, in the arithmetic of `dsn-saal evaluate`: it gives the same bits."""

    @lru_cache(maxsize=1)
    def test_part(draw: int) -> tuple[ResidentImages, NDArray[np.int64]]:
        rows = test_rows(split, draw)
        pixels = read_images(images, rows)
        return ResidentImages(pixels, device=machine.device, normalise=job.network.normalise), rows

    def predict(run: FinishedRun, draw: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        fix_arithmetic(job.train.threads)
        resident, rows = test_part(draw)
        network = build_network(**network_arguments(job)).to(machine.device).eval()
        weights = [run.folder / name for name in (*run.earlier, WEIGHTS)]
        return voted_logits(network, weights, resident, batch_size=batch_size), rows

    return predict
