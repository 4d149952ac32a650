"""Class activation maps of one experiment on its test part, how much of them lies in the lungs, and a check of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from dsn_saal.data.inference import Progress, fix_arithmetic
from dsn_saal.evaluate.testpart import read_test_part
from dsn_saal.evaluate.trained import read_trained_runs, require_same_data
from dsn_saal.models import Network, build_network, read_weights
from dsn_saal.params.jobs import network_arguments
from dsn_saal.params.probe_jobs import CamJob
from dsn_saal.probe.chosen_run import Chosen, median_run
from dsn_saal.probe.energy import energy_shares
from dsn_saal.probe.sanity import check_maps
from dsn_saal.probe.seen import Json, Maps, bootstrap_of, case_numbers, device, look, maps_of
from dsn_saal.statistics.case_means import mean_over_cases
from dsn_saal.storage.atomic import replacing, write_json
from dsn_saal.storage.tables import write_table

COLUMNS = {
    "row": np.int32, "case": str, "label": np.int8, "predicted": np.int8, "probability": np.float64,
    "target": np.int8, "share": np.float64, "lung": np.float64,
}  # fmt: skip
"""Columns of slices.parquet: target is the class of the map, share its energy in the lungs, lung the lungs' area."""


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
    seen = look(job, test, images, network)
    maps = maps_of(job, network, seen, np.arange(len(seen.slices)), progress)
    slices = seen.slices.assign(
        share=energy_shares(maps, seen.masks), lung=seen.masks.mean(axis=(1, 2), dtype=np.float64)
    )
    report |= {"missing_because": None, "run": _named(chosen), "grid": maps.shape[1]}
    report |= {"energy": _energy(job, slices), "sanity": check_maps(job, network, seen, maps, progress)}
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


def _trained(job: CamJob, weights: Path) -> Network:
    network = build_network(**network_arguments(job.experiment)).to(device())
    read_weights(weights, network)
    network.eval()
    return network


def _energy(job: CamJob, slices: pd.DataFrame) -> Json:
    """Mean share of energy in the lungs, by class of the slice and of all, beside that of an even map."""
    parts = {name: slices[slices["label"] == label] for label, name in enumerate(job.experiment.classes)}
    return {name: _mean_share(job, part) for name, part in {**parts, "all": slices}.items()}


def _mean_share(job: CamJob, slices: pd.DataFrame) -> Json:
    shares, defined = slices["share"].to_numpy(), slices["share"].notna()
    mean, interval = mean_over_cases(shares, case_numbers(slices), **bootstrap_of(job.experiment.evaluate))
    even = None if not defined.any() else float(slices.loc[defined, "lung"].mean())
    return {
        "mean": mean, "interval": interval, "slices": len(slices), "cases": int(slices["case"].nunique()),
        "blank_maps": int((~defined).sum()), "even": even,
    }  # fmt: skip
