"""Runs that were never trained, as training would leave them."""

import torch

from dsn_saal.models import build_network, write_weights
from dsn_saal.params.jobs import network_arguments
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.storage.listing import write_listing


def network_of(job, seed=0):
    return build_network(**network_arguments(job), generator=torch.Generator().manual_seed(seed)).eval()


def make_runs(folder, job, cohort, losses=(0.5, 0.1, 0.3), failed=(), kept=None, draws=None):
    """Runs with weights of their own, and histories that end with these losses; `kept` names those with weights."""
    for run, loss in enumerate(losses):
        place, record = folder / f"run-{run:02d}", cohort.record(run) | {"run": run, "selected_epoch": 2}
        if draws:
            record["draw"] = draws[run]
        write_text(place / "history.csv", f"epoch,loss\n1,9.0\n2,{loss}\n")
        if run in failed:
            write_json(place / "failed.json", record | {"epoch": 1, "step": 1, "term": "ce"})
            continue
        if kept is None or run in kept:
            write_weights(place / "weights.safetensors", network_of(job, run))
        else:
            write_text(place / "test_logits.safetensors", "kept in place of the weights")
        write_json(place / "run.json", record)
    write_listing(folder)
    return folder
