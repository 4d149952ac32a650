"""Finished runs: three files whose record, written last, seals the other two."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsn_saal.models import Network, write_weights
from dsn_saal.storage.atomic import replacing, write_json, write_text
from dsn_saal.storage.listing import LISTING, sha256_of, write_listing

WEIGHTS, HISTORY, RECORD = "weights.safetensors", "history.csv", "run.json"
"""The three files of a finished run."""


def write_run(
    folder: Path, network: Network, history: Sequence[Mapping[str, float]], record: Mapping[str, Any]
) -> None:
    """Write weights and history, then the record with the SHA-256 of both."""
    write_weights(folder / WEIGHTS, network)
    lines = [",".join(history[0]), *(",".join(repr(value) for value in row.values()) for row in history)]
    write_text(folder / HISTORY, "\n".join(lines) + "\n")
    files = {name: sha256_of(folder / name) for name in (WEIGHTS, HISTORY)}
    write_json(folder / RECORD, {**record, "files": files})


def read_record(folder: Path) -> dict[str, Any] | None:
    """Record of a finished run; None where the folder holds no whole, unaltered run."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        whole = all(sha256_of(folder / name) == record["files"][name] for name in (WEIGHTS, HISTORY))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if whole else None


def publish(finished: Mapping[str, Path], out: Path) -> None:
    """Make `out` hold exactly these runs.

    Args:
        finished: run folder's name to where the finished run lies, which may be in `out` already.
        out: the job's folder; whatever else it holds is removed, and its listing is written last.
    """
    (out / LISTING).unlink(missing_ok=True)
    for name, source in finished.items():
        if source != out / name:
            for part in (WEIGHTS, HISTORY, RECORD):  # the record last: until then the run does not count as whole
                with replacing(out / name / part) as copy:
                    shutil.copyfile(source / part, copy)
    _remove_others(out, {Path(name) / part for name in finished for part in (WEIGHTS, HISTORY, RECORD)})
    write_listing(out)


def _remove_others(out: Path, wanted: set[Path]) -> None:
    folders = {path.parent for path in wanted}
    for path in sorted(out.rglob("*"), reverse=True):  # children before their folder
        relative = path.relative_to(out)
        if path.is_dir() and not path.is_symlink():
            if relative not in folders:
                path.rmdir()
        elif relative not in wanted:
            path.unlink()
