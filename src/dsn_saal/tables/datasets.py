"""The data sets as they were read: files, slices, cases, masks; a row a set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.origin import Origin
from dsn_saal.params.table_jobs import DatasetsTableJob
from dsn_saal.statistics.printed import MISSING, count, listed, metric
from dsn_saal.tables.table import Table

COLUMNS = (
    "data set", "images", "files", "left out", "slices", "cases", "without lungs", "hull IoU mean", "hull IoU min",
)  # fmt: skip
IMAGES: dict[str, str] = {"phantom": "phantoms", "clinical": "clinical"}


def make_table(job: DatasetsTableJob, *, flows: Mapping[str, Path], mask_qualities: Mapping[str, Path]) -> Table:
    """Lay the data sets' counts side by side.

    Args:
        job: titles of the data sets in order.
        flows: flow.json of ingest, by data set.
        mask_qualities: mask_quality.json of preprocess, by data set.

    Raises:
        BadRequest: where a file is missing or was not named.
        CheckFailed: where one is damaged.
    """
    read = {name: (read_named(flows, name), read_named(mask_qualities, name)) for name in job.datasets}
    origins = {name: origin_of(flow) for name, (flow, _) in read.items()}
    rows = tuple(_row(title, origins[name], *read[name]) for name, title in job.datasets.items())
    return Table(
        id="datasets",
        title="Data sets as they were read",
        columns=COLUMNS,
        rows=rows,
        footnotes=_footnotes(job, origins, read),
        origin=one_origin(set(origins.values())),
        align="ll" + "r" * (len(COLUMNS) - 2),
    )


def origin_of(flow: Mapping[str, Any]) -> str:
    """Where the images that a flow.json counts come from: one phantom among them is enough."""
    return "phantom" if "phantom" in flow["origins"] else "clinical"


def one_origin(origins: set[str]) -> Origin | None:
    """The origin that all rows share, None where they are mixed and each row says its own."""
    if origins == {"phantom"}:
        return "phantom"
    return "clinical" if origins == {"clinical"} else None


def _row(title: str, origin: str, flow: dict[str, Any], quality: dict[str, Any]) -> tuple[str, ...]:
    overlap = quality["hull_iou"]
    return (
        title,
        IMAGES[origin],
        *(count(flow[key]) for key in ("files", "excluded_total", "slices")),
        count(flow["cases"]) if flow["cases"] else MISSING,
        count(quality["empty"]),
        *((metric(overlap["mean"]), metric(overlap["min"])) if overlap else (MISSING, MISSING)),
    )


def _footnotes(job: DatasetsTableJob, origins: dict[str, str], read: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    stand_ins = [job.datasets[name] for name, origin in origins.items() if origin == "phantom"]
    if stand_ins:
        notes.append(f"Phantoms in the layout of {listed(stand_ins)}: drawn by the program, none of the set's images.")
    for name, (flow, _) in read.items():
        if flow["excluded"]:
            reasons = [f"{reason} {count(number)}" for reason, number in flow["excluded"].items()]
            notes.append(f"{job.datasets[name]}, left out by reason: {listed(reasons)}.")
    notes.append(f"{MISSING} in cases: the set names no patients. {MISSING} in hull IoU: no true lungs are known.")
    return tuple(notes)


def read_named(files: Mapping[str, Path], name: str) -> dict[str, Any]:
    """The JSON file named for `name`; raises BadRequest where there is none and CheckFailed where it is damaged."""
    if name not in files:
        raise BadRequest("no file was named for it", value=name, next_step=f"name it as {name}=FILE")
    try:
        return json.loads(files[name].read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest("there is no such file", value=files[name], next_step="run its stage") from None
    except ValueError as error:
        raise CheckFailed("a file is damaged", value=str(error), where=files[name], next_step="run its stage") from None
