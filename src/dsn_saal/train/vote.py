"""The networks of a run's last epochs that answer together with the one that it ends with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.run import epoch_weights
from dsn_saal.models import write_weights
from dsn_saal.train.loop import Run


def keep_votes(folder: Path, earlier: Sequence[int]) -> Callable[[Run], None]:
    """What follows an epoch: its weights are written where it is one of `earlier`.

    They lie there before any checkpoint from behind the epoch's end; a run that goes on from an older one writes the
    same bytes again.
    """

    def after_epoch(run: Run) -> None:
        if run.epoch in earlier:
            write_weights(folder / epoch_weights(run.epoch), run.network)

    return after_epoch


def require_votes(folder: Path, earlier: Sequence[int], epoch: int) -> None:
    """Refuse to go on with a run of `epoch` complete epochs where weights of those in `earlier` are missing.

    Raises:
        CheckFailed: naming them.
    """
    wanted = [epoch_weights(passed) for passed in earlier if passed <= epoch]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise CheckFailed(
            "weights of an epoch that is to vote are missing, and the run is past it",
            value=", ".join(missing),
            where=folder,
            next_step="remove this folder and run train again: the run starts anew",
        )
