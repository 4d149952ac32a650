"""Finished runs: a few files whose record, written last, seals the others."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsn_saal.data.inference import write_logits
from dsn_saal.domain.run import TEST_LOGITS, earlier_weights
from dsn_saal.models import Network, write_weights
from dsn_saal.storage.atomic import replacing, write_json, write_text
from dsn_saal.storage.listing import sha256_of

WEIGHTS, HISTORY, RECORD, FAILED = "weights.safetensors", "history.csv", "run.json", "failed.json"
"""Files of a finished run. One that diverged has a history and `failed.json` alone."""

PRETRAINING = "pretraining.csv"
"""The epochs before those of the history, where the method has some; a run that diverged in them has no history."""

SEALED = {RECORD: ({WEIGHTS, HISTORY}, {TEST_LOGITS, HISTORY}, {TEST_LOGITS}), FAILED: ({HISTORY}, set[str]())}
"""What each kind of record may speak for, besides the epochs of pretraining and, with the weights, those of earlier
epochs that vote; a classical method has no epochs."""

History = Sequence[Mapping[str, float]]
"""A row an epoch."""


@dataclass(frozen=True)
class FinishedRun:
    """A whole, unaltered run.

    Attributes:
        folder: where it lies.
        record: what training wrote down about it.
        failed: whether it diverged.
    """

    folder: Path
    record: dict[str, Any]
    failed: bool

    @property
    def has_weights(self) -> bool:
        """Whether its weights were kept so far."""
        return WEIGHTS in self.record["files"]

    @property
    def earlier(self) -> list[str]:
        """Names of the weights of earlier epochs that vote, by epoch, whether they were kept or not."""
        return earlier_weights(self.record)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its files, the record last: until then a copy does not count as whole."""
        return (*sorted(self.record["files"]), FAILED if self.failed else RECORD)

    def training_loss(self) -> float:
        """Mean training loss of the epoch whose weights these are."""
        with (self.folder / HISTORY).open(encoding="utf-8", newline="") as stream:
            return float(list(csv.DictReader(stream))[self.record["selected_epoch"] - 1]["loss"])


def write_run(folder: Path, network: Network, histories: Mapping[str, History], record: Mapping[str, Any]) -> None:
    """Write weights and histories, then the record with the SHA-256 of all.

    Args:
        folder: of the run; the weights of earlier epochs that vote lie there.
        network: trained.
        histories: HISTORY and, where there was some, PRETRAINING to the rows of each.
        record: what is written down about the run.
    """
    write_weights(folder / WEIGHTS, network)
    _seal(folder, RECORD, record, *earlier_weights(record), WEIGHTS, *_write_histories(folder, histories))


def write_failed_run(folder: Path, histories: Mapping[str, History], record: Mapping[str, Any]) -> None:
    """Write what is left of a run that diverged: its histories to the epoch in which it did, then the record."""
    _seal(folder, FAILED, record, *_write_histories(folder, histories))


def write_answers(
    folder: Path, logits: NDArray[np.float64], rows: NDArray[np.int64], record: Mapping[str, Any]
) -> None:
    """Write a run of a method without weights: log-probabilities (1, n, C) on the test part, then the record."""
    write_logits(folder / TEST_LOGITS, logits, rows)
    _seal(folder, RECORD, record, TEST_LOGITS)


def drop_weights(run: FinishedRun, folder: Path, logits: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
    """Write the run to `folder`, which may be its own, logits ([epochs,] outputs, n, C) in place of weights."""
    write_logits(folder / TEST_LOGITS, logits, rows)
    histories = [name for name in (HISTORY, PRETRAINING) if name in run.record["files"]]
    for name in histories if run.folder != folder else ():
        with replacing(folder / name) as copy:
            shutil.copyfile(run.folder / name, copy)
    digests = run.record["files"]
    dropped: dict[str, Any] = {"weights_sha256": digests[WEIGHTS]}
    if run.earlier:
        dropped["earlier_weights_sha256"] = {name: digests[name] for name in run.earlier}
    _seal(folder, RECORD, {**run.record, **dropped}, TEST_LOGITS, *histories)
    for name in (*run.earlier, WEIGHTS):
        (folder / name).unlink(missing_ok=True)


def _write_histories(folder: Path, histories: Mapping[str, History]) -> list[str]:
    """Write those that have an epoch; returns their names."""
    written = {name: rows for name, rows in histories.items() if rows}
    for name, rows in written.items():
        lines = [",".join(rows[0]), *(",".join(repr(value) for value in row.values()) for row in rows)]
        write_text(folder / name, "\n".join(lines) + "\n")
    return list(written)


def _seal(folder: Path, name: str, record: Mapping[str, Any], *parts: str) -> None:
    write_json(folder / name, {**record, "files": {part: sha256_of(folder / part) for part in parts}})


def read_run(folder: Path) -> FinishedRun | None:
    """The finished run in a folder; None where it holds no whole, unaltered one."""
    for name, sealed in SEALED.items():
        try:
            record = json.loads((folder / name).read_text(encoding="utf-8"))
            files = record["files"]
            if _without_votes(record) - {PRETRAINING} in sealed and all(
                sha256_of(folder / part) == digest for part, digest in files.items()
            ):
                return FinishedRun(folder, record, failed=name == FAILED)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _without_votes(record: Mapping[str, Any]) -> set[str]:
    """Files of a record but the weights of earlier epochs; those of the last are nothing without all of them."""
    files, earlier = set(record["files"]), set(earlier_weights(record))
    return files - earlier if earlier <= files else files - {WEIGHTS}
