"""What is read of a summary.json, without the libraries that it takes to make one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest, CheckFailed

Json = dict[str, Any]


def differences(before: Json, after: Json, name: str) -> list[float] | None:
    """A metric of one experiment minus that of another, run by run, over the runs that finished in both.

    Args:
        before: summary of the one that is subtracted.
        after: summary of the other; runs of the same number have the same seed.
        name: of the metric.

    Returns:
        One difference a run; None where no run finished in both, or one of them leaves the metric undefined.
    """
    first, second = (
        dict(zip(held["finished"], held["metrics"][name]["values"], strict=True)) for held in (before, after)
    )
    both = [(first[run], second[run]) for run in sorted(first.keys() & second.keys())]
    if not both or any(None in pair for pair in both):
        return None
    return [later - earlier for earlier, later in both]


def read_summary(path: Path, experiment: str) -> Json:
    """Read summary.json of an experiment.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged or speaks of another experiment.
    """
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest("there is no such summary", value=path, next_step=f"evaluate {experiment} first") from None
    except ValueError as error:
        raise CheckFailed("a summary is damaged", value=str(error), where=path, next_step="evaluate again") from None
    if summary.get("experiment") != experiment:
        raise CheckFailed(
            f"this is not the summary of {experiment}",
            value=summary.get("experiment"),
            where=path,
            next_step="name the file of the same experiment",
        )
    return summary
