"""The primary metrics of every experiment in one small file that `dvc metrics diff` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dsn_saal.evaluate.summaries import Json, read_summary
from dsn_saal.storage.atomic import write_json


def collect_metrics(summaries: Mapping[str, Path], out: Path) -> None:
    """Write mean and sd of the headline metrics per experiment.

    Args:
        summaries: experiment name to its summary.json.
        out: JSON file: experiment, metric, mean and sd; null where missing.
    """
    write_json(out, {name: headline(read_summary(path, name)) for name, path in summaries.items()})


def headline(summary: Json) -> Json:
    """Mean and sd of the primary metrics and of macro recall, with the numbers of runs and of those that diverged."""
    wanted = summary["primary"] | {"macro_recall": "sensitivity.macro"}
    values = {
        short: {"mean": summary["metrics"][name]["mean"], "sd": summary["metrics"][name]["sd"]}
        for short, name in wanted.items()
    }
    return {"n_runs": summary["n_runs"], "n_failed": summary["n_failed"], "origin": summary["origin"], **values}
