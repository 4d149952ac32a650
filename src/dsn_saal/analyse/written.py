"""What is read of a file that an analysis wrote, without the libraries that it takes to make one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest, CheckFailed

Json = dict[str, Any]

ONE_SPLIT = "All runs share one split of the cases: nothing here speaks of other splits."


def read_analysis(path: Path, analysis: str, classes: Sequence[str] | None = None) -> Any:
    """Read what `dsn-saal analyse` wrote; `classes` are those that it must speak of, in order, where that matters.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged, another analysis or of other classes.
    """
    again = f"run dsn-saal analyse {analysis} again"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest(
            "there is no such analysis", value=path, next_step=f"run dsn-saal analyse {analysis}"
        ) from None
    except ValueError as error:
        raise CheckFailed("an analysis is damaged", value=str(error), where=path, next_step=again) from None
    if not isinstance(held, dict) or held.get("analysis") != analysis:
        raise CheckFailed(f"this is not the analysis {analysis}", where=path, next_step=again)
    if classes is not None and held["classes"] != list(classes):
        raise CheckFailed(
            "an analysis speaks of other classes than the params", value=", ".join(held["classes"]), where=path,
            next_step=f"{again}; the params name {', '.join(classes)}",
        )  # fmt: skip
    return held
