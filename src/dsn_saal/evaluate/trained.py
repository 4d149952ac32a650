"""The trained runs of one experiment, trusted only as far as their listing holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.run import TEST_LOGITS, RunKey, earlier_weights
from dsn_saal.storage.listing import LISTING, read_listing, sha256_of

EARLIER = "earlier_weights_sha256"
"""Key of the digests of the weights of the epochs that vote before the last."""


@dataclass(frozen=True)
class TrainedRun:
    """One run as training left it.

    Attributes:
        key: experiment and run number.
        answer: weights, or the logits that are kept in their place, checked against the listing; None where the run
            diverged.
        weights_sha256: digest of the weights, kept or not; None where the run diverged.
        record: what training wrote down about the run (run.json, failed.json).
        earlier: weights of the epochs that vote before the last, by epoch, checked too; none where none are kept.
        earlier_sha256: digest of each by its name, kept or not.
    """

    key: RunKey
    answer: Path | None
    weights_sha256: str | None
    record: dict[str, Any]
    earlier: tuple[Path, ...] = ()
    earlier_sha256: dict[str, str] = field(default_factory=dict)

    @property
    def weights(self) -> tuple[Path, ...]:
        """Weights of every epoch that votes, the last one's at the end; a run without weights has none."""
        return () if self.answer is None or self.answer.name == TEST_LOGITS else (*self.earlier, self.answer)

    def origin(self) -> dict[str, Any]:
        """What an evaluation carries on about the run, so that one can prove which training it belongs to."""
        left_out = ("settings", "files", "weights_sha256", EARLIER)
        kept = {key: value for key, value in self.record.items() if key not in left_out}
        earlier = {EARLIER: self.earlier_sha256} if self.earlier_sha256 else {}
        return {"run": self.key.run, "weights_sha256": self.weights_sha256, **earlier, "record": kept}

    def failure(self) -> dict[str, Any]:
        """Where and how the run diverged: epoch and step, from 1, and the term."""
        return {key: self.record[key] for key in ("epoch", "step", "term")}


def require_same_data(runs: list[TrainedRun], *, images: Path, split: Path) -> None:
    """Refuse runs that were trained on other images or another split: their training cases may be test cases here.

    Raises:
        CheckFailed: naming the run and which of the two differs.
    """
    here = {"images_sha256": sha256_of(images), "split_sha256": sha256_of(split)}
    for run in runs:
        for key, digest in here.items():
            if run.record.get(key) != digest:
                raise CheckFailed(
                    f"{run.key.run_name} was trained on other data than it is tested on: {key} differs",
                    value=run.record.get(key),
                    where=split if key == "split_sha256" else images,
                    next_step=f"train {run.key.experiment} again",
                )


def read_trained_runs(folder: Path, experiment: str, n_runs: int) -> list[TrainedRun]:
    """Every run of an experiment with its files checked against `SHA256SUMS`.

    Args:
        folder: results/train/<experiment>.
        experiment: name the runs must bear.
        n_runs: how many runs there must be.

    Raises:
        BadRequest: where there is no listing.
        CheckFailed: where a run is missing, unlisted or altered, or there are more runs than asked for.
    """
    if not (folder / LISTING).is_file():
        raise BadRequest("there are no trained runs", value=folder, next_step=f"train {experiment} first")
    listed = read_listing(folder)
    keys = [RunKey(experiment, run) for run in range(n_runs)]
    surplus = sorted({name.split("/")[0] for name in listed if "/" in name} - {key.run_name for key in keys})
    if surplus:
        raise CheckFailed(
            f"training holds runs beyond the {n_runs} of the params",
            value=", ".join(surplus),
            where=folder,
            next_step="run train again",
        )
    return [_read_run(folder, key, listed) for key in keys]


def _read_run(folder: Path, key: RunKey, listed: dict[str, str]) -> TrainedRun:
    run = key.run_name
    failed = f"{run}/failed.json" in listed
    path = checked_file(folder, f"{run}/{'failed' if failed else 'run'}.json", listed)
    record = json.loads(path.read_text(encoding="utf-8"))
    if "identity" not in record:
        raise CheckFailed("a run does not say what it was trained from", where=path)
    if failed:
        return TrainedRun(key, None, None, record)
    if f"{run}/{TEST_LOGITS}" in listed:
        logits = checked_file(folder, f"{run}/{TEST_LOGITS}", listed)
        return TrainedRun(key, logits, record.get("weights_sha256"), record, (), record.get(EARLIER, {}))
    names = [f"{run}/{name}" for name in (*earlier_weights(record), "weights.safetensors")]
    *earlier, last = [checked_file(folder, name, listed) for name in names]
    digests = {path.name: listed[f"{run}/{path.name}"] for path in earlier}
    return TrainedRun(key, last, listed[names[-1]], record, tuple(earlier), digests)


def checked_file(folder: Path, name: str, listed: dict[str, str]) -> Path:
    """A file of a trained run; raises CheckFailed where it is not the one that the listing names."""
    path = folder / name
    wrong = None
    if name not in listed:
        wrong = "is not listed"
    elif not path.is_file():
        wrong = "is missing"
    elif sha256_of(path) != listed[name]:
        wrong = "was altered"
    if wrong:
        raise CheckFailed(
            f"a trained run cannot be trusted: {name} {wrong}", where=folder / LISTING, next_step="run train again"
        )
    return path
