"""What Snakemake remembers of each output: its private format, read and written in this module only.

Snakemake keeps one JSON file per output below .snakemake/metadata: rule, params, code, input files and their
checksums. This project adds one key, `sha256`, the output's own content, which Snakemake ignores and drops when it
makes the output anew. An output that must be made again is marked in .snakemake/incomplete, the same mark that an
interrupted job leaves.

Snakemake's sources: `persistence/__init__.py` (MetadataRecord, finished), `persistence/file.py` (FilePersistence).
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.storage.atomic import write_text

SNAKEMAKE_VERSION = "9.27.1"
"""The one version whose record format is known here."""

RECORD_FORMAT = 6
"""Version of the format in each record."""

LASTING = (
    "rule", "input", "log", "params", "code", "record_format_version", "conda_env", "container_img_url",
    "software_stack_hash", "input_checksums",
)  # fmt: skip
"""Keys that say what an output was made from. The others are times, hosts, or the command with this machine's paths."""

OUR_MARK = "dsn_saal"
"""Key in a mark of ours; a mark without it was left by an interrupted job."""

Record = dict[str, Any]


class Records:
    """Records and marks of one working folder.

    Args:
        root: Snakemake's own folder.
    """

    def __init__(self, root: Path = Path(".snakemake")) -> None:
        self._metadata = root / "metadata"
        self._marks = root / "incomplete"

    def outputs(self) -> list[str]:
        """Every output that has a record, sorted."""
        return sorted(_decoded(self._metadata))

    def read(self, output: str) -> Record | None:
        """The record of an output, or None where there is none that can be read."""
        return _read(_place(self._metadata, output))

    def write(self, output: str, record: Record) -> None:
        """Keep a record."""
        write_text(_place(self._metadata, output), json.dumps(record))

    def marked(self) -> dict[str, str | None]:
        """Every marked output with our reason, or None where an interrupted job left the mark."""
        return {output: (_read(_place(self._marks, output)) or {}).get(OUR_MARK) for output in _decoded(self._marks)}

    def mark(self, output: str, reason: str) -> None:
        """Have Snakemake make an output again."""
        write_text(_place(self._marks, output), json.dumps({"external_jobid": None, OUR_MARK: reason}))

    def unmark(self, output: str) -> None:
        """Take the mark of an output away."""
        _place(self._marks, output).unlink(missing_ok=True)


def lasting(record: Record) -> Record:
    """What of a record holds on any machine and at any time."""
    return {key: record.get(key) for key in LASTING}


def restored(kept: Record, *, sha256: str, modified: float) -> Record:
    """A record as Snakemake writes it, from its lasting part and the output it speaks of."""
    return {**kept, "starttime": modified, "endtime": modified, "incomplete": False, "sha256": sha256}


def require_known_snakemake() -> None:
    """Refuse a Snakemake whose records might mean something else; raises CheckFailed."""
    found = version("snakemake")
    if found != SNAKEMAKE_VERSION:
        raise CheckFailed(
            "this workflow reads Snakemake's own records and knows one version of them",
            value=f"snakemake {found}",
            where=f"known: {SNAKEMAKE_VERSION}",
            next_step="install requirements.lock; before an upgrade, run tests/workflow with the new one",
        )


def _place(folder: Path, output: str) -> Path:
    """Where a record lies: the output's name in base64, cut into folders where a file system's names end."""
    text = urlsafe_b64encode(output.encode()).decode()
    step = (os.pathconf(folder, "PC_NAME_MAX") if folder.exists() else 255) - 1
    parts = [text[at : at + step] for at in range(0, len(text), step)]
    return folder.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])


def _decoded(folder: Path) -> Iterator[str]:
    for base, _, names in os.walk(folder):
        inner = Path(base).relative_to(folder).parts
        for name in names:
            text = "".join(part.removeprefix("@") for part in (*inner, name))
            try:
                yield urlsafe_b64decode(text).decode()
            except ValueError:  # a file that Snakemake or an atomic write is just making
                continue


def _read(path: Path) -> Record | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record else None
