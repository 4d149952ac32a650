"""Reading what the audit wrote: for tables, figures and the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest, CheckFailed


def read_result(path: Path, what: str, *, reported: str) -> dict[str, Any]:
    """A JSON file made of the file of reported numbers that is named.

    Raises:
        BadRequest: where it is missing.
        CheckFailed: where it is damaged or made of another file.
    """
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest(f"there is no {what}", value=path, next_step="run the stage that makes it") from None
    except ValueError as error:
        raise CheckFailed(f"the {what} is damaged", value=str(error), where=path, next_step="make it again") from None
    if held.get("reported") != reported:
        raise CheckFailed(
            f"the {what} is of another file of reported numbers",
            value=held.get("reported"), where=path, next_step=f"make it again of {reported}",
        )  # fmt: skip
    return held
