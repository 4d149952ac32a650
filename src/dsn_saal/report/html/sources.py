"""Every file that the page is made from, read and refused where it does not belong."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.named import require_named
from dsn_saal.evaluate.summaries import read_summary
from dsn_saal.params.html_job import HtmlJob
from dsn_saal.report.facts import read_json
from dsn_saal.storage.listing import sha256_of
from dsn_saal.storage.tables import read_table

Json = dict[str, Any]

INDEX_COLUMNS = ["file_sha256", "manufacturer", "decoder"]


@dataclass(frozen=True)
class Sources:
    """Files and folders by name.

    Attributes:
        tables: table to its JSON.
        figures: figure to its SVG.
        evaluated: experiment to the folder that evaluate wrote.
        ingested: data set to the folder that ingest wrote.
        preprocessed: data set to the folder that preprocess wrote.
        proofs: (data set, split) to its certificate.
        findings: name to any other JSON that is shown as it is.
    """

    tables: Mapping[str, Path]
    figures: Mapping[str, Path]
    evaluated: Mapping[str, Path]
    ingested: Mapping[str, Path]
    preprocessed: Mapping[str, Path]
    proofs: Mapping[tuple[str, str], Path]
    findings: Mapping[str, Path]

    def require(self, job: HtmlJob) -> None:
        """Refuse files that the job does not name, and a job whose files are missing.

        Raises:
            BadRequest: naming the option and what it must hold.
        """
        splits = [f"{name}/{protocol}" for name, held in job.datasets.items() for protocol in held.protocols]
        wanted: dict[str, tuple[Collection[str], Collection[str]]] = {
            "--table": (self.tables, job.tables),
            "--figure": (self.figures, job.figures),
            "--evaluated": (self.evaluated, job.experiments),
            "--ingested": (self.ingested, job.datasets),
            "--preprocessed": (self.preprocessed, job.datasets),
            "--proof": ([*map("/".join, self.proofs)], splits),
        }
        for option, (given, needed) in wanted.items():
            require_named(option, given, needed)

    @cached_property
    def summaries(self) -> dict[str, Json]:
        """summary.json of every experiment."""
        return {name: read_summary(folder / "summary.json", name) for name, folder in self.evaluated.items()}

    @cached_property
    def summary_sha256(self) -> dict[str, str]:
        """Digest of every summary.json."""
        return {name: sha256_of(folder / "summary.json") for name, folder in self.evaluated.items()}

    def predictions_sha256(self, experiment: str, run: int) -> str | None:
        """Digest of a run's predictions as evaluate wrote it down; None where the run diverged.

        Raises:
            CheckFailed: where the predictions that lie there are others.
        """
        folder = self.evaluated[experiment] / f"run-{run:02d}"
        held = read_json(folder / "metrics.json", f"metrics.json of {experiment}")
        if held["metrics"] is None:
            return None
        found = sha256_of(folder / "predictions.parquet")
        if found != held["predictions_sha256"]:
            raise CheckFailed(
                "predictions are not those that were measured", value=found, where=folder, next_step="evaluate again"
            )
        return found

    @cached_property
    def flows(self) -> dict[str, Json]:
        """flow.json of every data set."""
        return {name: read_json(folder / "flow.json", f"flow of {name}") for name, folder in self.ingested.items()}

    @cached_property
    def exclusions(self) -> dict[str, list[Json]]:
        """Every file that was left out, with its reason, by data set."""
        held = {}
        for name, folder in self.ingested.items():
            try:
                with (folder / "exclusions.csv").open(encoding="utf-8", newline="") as lines:
                    held[name] = list(csv.DictReader(lines))
            except FileNotFoundError:
                raise BadRequest(
                    "there is no list of exclusions", value=folder, next_step=f"ingest {name} first"
                ) from None
        return held

    @cached_property
    def mask_qualities(self) -> dict[str, Json]:
        """mask_quality.json of every data set."""
        return {
            name: read_json(folder / "mask_quality.json", f"mask quality of {name}")
            for name, folder in self.preprocessed.items()
        }

    @cached_property
    def indices(self) -> dict[str, pd.DataFrame]:
        """INDEX_COLUMNS of the preprocessed slices of every data set."""
        return {name: read_table(folder / "index.parquet", INDEX_COLUMNS) for name, folder in self.preprocessed.items()}

    @cached_property
    def certificates(self) -> dict[tuple[str, str], Json]:
        """Certificate of every split."""
        return {key: read_json(path, f"certificate of {'/'.join(key)}") for key, path in self.proofs.items()}
