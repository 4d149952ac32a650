"""Class activation maps of one experiment on its test part, how much of them lies in the lungs, and a check of both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsn_saal.data.inference import Progress, fix_arithmetic, predict_logits
from dsn_saal.data.resident import ResidentImages
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.evaluate.predict import softmax
from dsn_saal.evaluate.testpart import TestPart, read_test_part
from dsn_saal.evaluate.trained import read_trained_runs, require_same_data
from dsn_saal.models import Network, build_network, read_weights
from dsn_saal.params.jobs import network_arguments
from dsn_saal.params.learning import Evaluate
from dsn_saal.params.probe_jobs import CamJob
from dsn_saal.probe.chosen_run import Chosen, median_run
from dsn_saal.probe.energy import cell_shares, energy_shares
from dsn_saal.probe.gradcam import activation_maps, last_map
from dsn_saal.probe.randomise import randomised
from dsn_saal.statistics.case_means import mean_over_cases, rank_correlations
from dsn_saal.storage.arrays import open_array
from dsn_saal.storage.atomic import replacing, write_json
from dsn_saal.storage.tables import read_table, write_table

Json = dict[str, Any]
Maps = NDArray[np.float32]

COLUMNS = {
    "row": np.int32, "case": str, "label": np.int8, "predicted": np.int8, "probability": np.float64,
    "target": np.int8, "share": np.float64, "lung": np.float64,
}  # fmt: skip
"""Columns of slices.parquet: target is the class of the map, share its energy in the lungs, lung the lungs' area."""


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


def probe_cam(
    job: CamJob, *, images: Path, split: Path, weights: Path, out: Path, progress: Progress = lambda items, _: items
) -> Json:
    """Write maps.npy (n, g, g), slices.parquet and cam.json for the run that stands for the experiment.

    Args:
        job: the experiment, where maps are taken and how they are checked.
        images: folder that preprocess wrote.
        split: table of row, case, label, draw, part.
        weights: folder that train wrote.
        out: folder of the results.
        progress: passes steps on and shows how many of a total went by.

    Returns:
        What was written to cam.json; with `missing_because` and no map where no weights are kept.

    Raises:
        BadRequest: where an input is missing.
        CheckFailed: where inputs do not belong together or a trained run is missing or altered.
    """
    experiment = job.experiment
    fix_arithmetic(experiment.threads)
    test = read_test_part(images, split, image_size=experiment.image_size, n_classes=len(experiment.classes))
    trained = read_trained_runs(weights, experiment.name, experiment.runs)
    require_same_data(trained, images=images / "images.npy", split=split)
    chosen = median_run(weights, trained)
    report: Json = {
        "experiment": experiment.name, "origin": test.origin, "classes": list(experiment.classes), "tap": job.tap,
        "target": job.target, "level": experiment.evaluate.interval_level, "n_slices": len(test.slices),
    }  # fmt: skip
    if chosen.run is None or chosen.run.answer is None:
        empty = pd.DataFrame({name: np.empty(0, kind) for name, kind in COLUMNS.items()})
        return _write(out, np.empty((0, 0, 0), np.float32), empty, report | {"missing_because": chosen.because})
    network = _trained(job, chosen.run.answer)
    seen = _look(job, test, images, network)
    maps = _maps(job, network, seen, np.arange(len(seen.slices)), progress)
    slices = seen.slices.assign(
        share=energy_shares(maps, seen.masks), lung=seen.masks.mean(axis=(1, 2), dtype=np.float64)
    )
    report |= {"missing_because": None, "run": _named(chosen), "grid": maps.shape[1]}
    report |= {"energy": _energy(job, slices), "sanity": _sanity(job, network, seen, maps, progress)}
    return _write(out, maps, slices[list(COLUMNS)].astype(COLUMNS), report)


def _write(out: Path, maps: Maps, slices: pd.DataFrame, report: Json) -> Json:
    with replacing(out / "maps.npy") as part, part.open("wb") as stream:
        np.save(stream, maps, allow_pickle=False)
    write_table(out / "slices.parquet", slices)
    write_json(out / "cam.json", report)
    return report


def _named(chosen: Chosen) -> Json:
    run = chosen.run
    return {} if run is None else {"run": run.key.run, "because": chosen.because, "weights_sha256": run.weights_sha256}


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _trained(job: CamJob, weights: Path) -> Network:
    network = build_network(**network_arguments(job.experiment)).to(_device())
    read_weights(weights, network)
    network.eval()
    return network


def _look(job: CamJob, test: TestPart, folder: Path, network: Network) -> Seen:
    """What the network answers to the test part, with the class whose evidence is looked for."""
    experiment = job.experiment
    resident = ResidentImages(test.images, device=_device(), normalise=experiment.network.normalise)
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


def _maps(job: CamJob, network: Network, seen: Seen, positions: NDArray[np.integer], progress: Progress) -> Maps:
    layer, batches = last_map(network, job.tap), seen.batches(positions, job.experiment.evaluate.batch_size)
    made = [activation_maps(network, layer, *batch).cpu().numpy() for batch in progress(batches, len(batches))]
    return np.concatenate(made).astype(np.float32)


def _energy(job: CamJob, slices: pd.DataFrame) -> Json:
    """Mean share of energy in the lungs, by class of the slice and of all, beside that of an even map."""
    parts = {name: slices[slices["label"] == label] for label, name in enumerate(job.experiment.classes)}
    return {name: _mean_share(job, part) for name, part in {**parts, "all": slices}.items()}


def _mean_share(job: CamJob, slices: pd.DataFrame) -> Json:
    shares, defined = slices["share"].to_numpy(), slices["share"].notna()
    mean, interval = mean_over_cases(shares, _numbers(slices), **_bootstrap(job.experiment.evaluate))
    even = None if not defined.any() else float(slices.loc[defined, "lung"].mean())
    return {
        "mean": mean, "interval": interval, "slices": len(slices), "cases": int(slices["case"].nunique()),
        "blank_maps": int((~defined).sum()), "even": even,
    }  # fmt: skip


def _bootstrap(evaluate: Evaluate) -> Json:
    return {"level": evaluate.interval_level, "draws": evaluate.bootstrap_draws, "seed": evaluate.bootstrap_seed}


def _numbers(slices: pd.DataFrame) -> NDArray[np.integer]:
    return pd.factorize(slices["case"], sort=True)[0]


def sanity_positions(slices: pd.DataFrame, per_class: int) -> NDArray[np.int64]:
    """Positions of the slices that are checked: of each class's first cases by id the slice with most lung.

    Args:
        slices: case, label, lung_share, row; a position is the place in this table.
        per_class: cases of each class, fewer where there are not so many.
    """
    placed = slices.assign(place=np.arange(len(slices)))
    ordered = placed.sort_values(["label", "case", "lung_share", "row"], ascending=[True, True, False, True])
    firsts = ordered.drop_duplicates(["label", "case"]).groupby("label").head(per_class)
    return firsts["place"].to_numpy(np.int64)


def _sanity(job: CamJob, network: Network, seen: Seen, maps: Maps, progress: Progress) -> Json:
    """How alike the maps stay as layer after layer, from the top, loses what it learned."""
    positions = sanity_positions(seen.slices, job.sanity_slices)
    images = [batch for batch, _ in seen.batches(positions, job.experiment.evaluate.batch_size)]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    drawn: list[list[NDArray[np.float64]]] = []
    layers: list[str] = []
    for draw in progress(range(job.sanity_draws), job.sanity_draws):
        network.load_state_dict(state)
        generator = torch.Generator().manual_seed(job.sanity_seed + draw)
        fresh = build_network(**network_arguments(job.experiment), weights="none", generator=generator)
        layers, drawn = [], [*drawn, []]
        for layer in randomised(network, fresh, images):
            layers.append(layer)
            again = _maps(job, network, seen, positions, lambda items, _: items)
            drawn[-1].append(rank_correlations(_flat(maps[positions]), _flat(again)))
    network.load_state_dict(state)
    numbers = _numbers(seen.slices.iloc[positions])
    steps = [
        {"layer": layer} | _alike(job, [of_draw[place] for of_draw in drawn], numbers)
        for place, layer in enumerate(layers)
    ]
    lungs = _flat(cell_shares(seen.masks[positions], maps.shape[1]))
    outline = _alike(job, [rank_correlations(_flat(maps[positions]), lungs)], numbers)
    return {"slices": len(positions), "draws": job.sanity_draws, "steps": steps, "with_mask": outline}


def _flat(maps: NDArray[np.floating]) -> NDArray[np.floating]:
    return maps.reshape(len(maps), -1)


def _alike(job: CamJob, correlations: Sequence[NDArray[np.float64]], cases: NDArray[np.integer]) -> Json:
    """Mean rank correlation over slices, each a mean over the draws in which it is defined, with its interval."""
    stacked = np.stack(correlations)
    defined = ~np.isnan(stacked)
    sums, counts = np.where(defined, stacked, 0).sum(axis=0), defined.sum(axis=0)
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    mean, interval = mean_over_cases(means, cases, **_bootstrap(job.experiment.evaluate))
    return {"mean": mean, "interval": interval, "undefined": int((~defined).sum()), "of": int(defined.size)}
