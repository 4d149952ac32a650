"""Whether maps depend on what was trained: they are set beside those of the same network with weights drawn anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dsn_saal.data.inference import Progress
from dsn_saal.models import Network, build_network
from dsn_saal.params.jobs import network_arguments
from dsn_saal.params.probe_jobs import CamJob
from dsn_saal.probe.energy import cell_shares
from dsn_saal.probe.randomise import randomised
from dsn_saal.probe.seen import Json, Maps, Seen, bootstrap_of, case_numbers, maps_of
from dsn_saal.statistics.case_means import mean_over_cases, rank_correlations


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


def check_maps(job: CamJob, network: Network, seen: Seen, maps: Maps, progress: Progress) -> Json:
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
            again = maps_of(job, network, seen, positions, lambda items, _: items)
            drawn[-1].append(rank_correlations(_flat(maps[positions]), _flat(again)))
    network.load_state_dict(state)
    numbers = case_numbers(seen.slices.iloc[positions])
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
    mean, interval = mean_over_cases(means, cases, **bootstrap_of(job.experiment.evaluate))
    return {"mean": mean, "interval": interval, "undefined": int((~defined).sum()), "of": int(defined.size)}
