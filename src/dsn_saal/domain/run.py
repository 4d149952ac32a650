"""The name of one training run, the same in every path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from dsn_saal.domain.errors import BadRequest

EXPERIMENT_NAME = r"[a-z][a-z0-9_]*"
"""What an experiment may be called: it becomes a folder, a wildcard and a table key."""


TEST_LOGITS = "test_logits.safetensors"
"""File of a run that holds its answers for the test part where its weights are not kept."""


def epoch_weights(epoch: int) -> str:
    """File of a run that holds the network as an epoch before its last left it, to vote with the last one."""
    return f"weights_epoch_{epoch:03d}.safetensors"


def earlier_weights(record: Mapping[str, Any]) -> list[str]:
    """Those files by epoch, as the record of a run names their epochs; none where the last epoch answers alone."""
    return [epoch_weights(epoch) for epoch in record.get("voting_epochs", ())[:-1]]


@dataclass(frozen=True, order=True)
class RunKey:
    """Run number `run` (from 0) of an experiment; written `experiment/run-03`."""

    experiment: str
    run: int

    def __post_init__(self) -> None:
        if not re.fullmatch(EXPERIMENT_NAME, self.experiment):
            raise BadRequest(
                "an experiment's name must be lower-case letters, digits and underscores", value=self.experiment
            )
        if not 0 <= self.run < 1000:
            raise BadRequest("a run number must lie in 0..999", value=self.run)

    @property
    def folder(self) -> PurePosixPath:
        """Relative folder of the run below a stage's results."""
        return PurePosixPath(self.experiment) / self.run_name

    @property
    def run_name(self) -> str:
        """Folder name of the run inside its experiment."""
        return f"run-{self.run:02d}"
