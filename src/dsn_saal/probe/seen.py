"""The test part as a network sees it, and the maps of its slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsn_saal.data.inference import Progress, predict_logits
from dsn_saal.data.resident import ResidentImages
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.evaluate.predict import softmax
from dsn_saal.evaluate.testpart import TestPart
from dsn_saal.models import Network
from dsn_saal.params.learning import Evaluate
from dsn_saal.params.probe_jobs import CamJob
from dsn_saal.probe.gradcam import activation_maps, last_map
from dsn_saal.storage.arrays import open_array
from dsn_saal.storage.tables import read_table

Json = dict[str, Any]
Maps = NDArray[np.float32]


class Seen(NamedTuple):
    """The test part on the device, its slices with COLUMNS up to target, and its masks (n, S, S)."""

    images: ResidentImages
    slices: pd.DataFrame
    masks: NDArray[np.bool_]

    def batches(self, positions: NDArray[np.integer], size: int) -> list[tuple[Tensor, Tensor]]:
        """Images and classes of these slices, `size` at a time."""
        device = self.images.pixels.device
        targets = torch.tensor(self.slices["target"].to_numpy(np.int64), device=device)
        parts = torch.from_numpy(positions.astype(np.int64)).to(device).split(size)
        return [(self.images.batch(part), targets[part]) for part in parts]


def device() -> torch.device:
    """Where networks run here."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def look(job: CamJob, test: TestPart, folder: Path, network: Network) -> Seen:
    """What the network answers to the test part, with the class whose evidence is looked for."""
    experiment = job.experiment
    resident = ResidentImages(test.images, device=device(), normalise=experiment.network.normalise)
    logits = predict_logits(network, resident, batch_size=experiment.evaluate.batch_size)
    probabilities = softmax(logits[-1])
    predicted = probabilities.argmax(axis=1)
    slices = test.slices.assign(predicted=predicted, probability=probabilities.max(axis=1))
    slices = slices.assign(target=predicted if job.target == "predicted" else slices["label"])
    masks = open_array(folder / "masks.npy")
    rows, side = slices["row"].to_numpy(), experiment.image_size
    if len(masks) <= rows.max() or masks.shape[1] != -(-side * side // 8):
        raise CheckFailed("masks and images do not belong together", where=folder, next_step="run preprocess again")
    unpacked = np.unpackbits(masks[rows], axis=1, count=side * side).reshape(-1, side, side)
    area = read_table(folder / "index.parquet", ["row", "lung_share"]).set_index("row")["lung_share"]
    return Seen(resident, slices.assign(lung_share=area.loc[rows].to_numpy()), unpacked.astype(bool))


def maps_of(job: CamJob, network: Network, seen: Seen, positions: NDArray[np.integer], progress: Progress) -> Maps:
    """Maps (m, g, g) of the slices at these positions."""
    layer, batches = last_map(network, job.tap), seen.batches(positions, job.experiment.evaluate.batch_size)
    made = [activation_maps(network, layer, *batch).cpu().numpy() for batch in progress(batches, len(batches))]
    return np.concatenate(made).astype(np.float32)


def bootstrap_of(evaluate: Evaluate) -> Json:
    """Level, draws and seed of every interval over cases."""
    return {"level": evaluate.interval_level, "draws": evaluate.bootstrap_draws, "seed": evaluate.bootstrap_seed}


def case_numbers(slices: pd.DataFrame) -> NDArray[np.integer]:
    """Number of the case of each slice, from 0 without gaps."""
    return pd.factorize(slices["case"], sort=True)[0]
