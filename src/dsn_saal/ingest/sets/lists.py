"""The text files that come with a set: lists of names, tables of patients."""

from __future__ import annotations

from pathlib import Path

from dsn_saal.domain.errors import BadRequest

MAX_BYTES = 64 * 2**20
"""Largest list or table of any published set, and room to spare."""


def read_list(path: Path) -> str:
    """The text of a list, with or without a byte order mark.

    Raises:
        BadRequest: where it is too large, no UTF-8, or cannot be read.
    """
    advice = "fetch the file again, docs/datasets.md says where"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadRequest("a list is larger than any of a published set", where=path, next_step=advice)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest("a list of the set is no UTF-8", where=path, next_step=advice) from None
    except OSError as error:
        raise BadRequest("a list cannot be read", value=error.strerror, where=path, next_step=advice) from None


def list_lines(path: Path) -> list[str]:
    """The lines of a list without the white space round them, empty ones left out; raises BadRequest as `read_list`."""
    return [line.strip() for line in read_list(path).splitlines() if line.strip()]
