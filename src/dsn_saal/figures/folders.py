"""Whether a figure was given the folders of its experiments."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from dsn_saal.domain.errors import BadRequest


def require_named(wanted: Collection[str], given: Mapping[str, Path], option: str) -> None:
    """Raise BadRequest where a figure's experiments are not those whose folders were named."""
    if set(wanted) != set(given):
        raise BadRequest(
            "every experiment of the figure needs one folder and no other is read",
            value=f"{option} of {', '.join(given) or 'nothing'}", where=f"experiments {', '.join(wanted)}",
            next_step=f"name one {option} for each experiment",
        )  # fmt: skip
