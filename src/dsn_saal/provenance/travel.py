"""Records that travel: provenance/<stage>.json, in git, says what every output of a stage was made from.

Each file is a list of facts: these outputs, with these contents, came from this rule, code, params and inputs. A
fact is about contents, so it holds wherever those contents lie, and is taken over only where they do.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.provenance.hashes import HashCache
from dsn_saal.provenance.records import RECORD_FORMAT, SNAKEMAKE_VERSION, Record, Records, lasting
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.listing import sha256_of

SEEN = "travelled.json"
"""File of the state that knows what arrived before."""


class Fact(NamedTuple):
    """What one output is and what it was made from."""

    sha256: str
    kept: Record


def export_facts(roots: Iterable[Path], target: Path, records: Records, hashes: HashCache) -> int:
    """Write the facts about every recorded output below `roots`; the same facts give the same bytes.

    Args:
        roots: folders or files of one stage.
        target: file to write.
        records: Snakemake's records.
        hashes: content hashes.

    Returns:
        The number of outputs.

    Raises:
        CheckFailed: where an output is not what its record says, or was marked to be made again.
    """
    stage, marked = tuple(roots), records.marked()
    jobs: dict[str, dict[str, str]] = defaultdict(dict)
    for output in records.outputs():
        path = Path(output)
        record = records.read(output)
        if record is None or not path.is_file() or not any(path == root or root in path.parents for root in stage):
            continue
        sha256 = hashes.of(path)
        if output in marked or record.get("sha256") != sha256:
            raise CheckFailed(
                "an output is not what its record says",
                value=output,
                where=target,
                next_step="run snakemake for this stage, then export again",
            )
        jobs[json.dumps(lasting(record), sort_keys=True)][output] = sha256
    if not jobs:
        raise CheckFailed(
            "there is no record to carry", where=", ".join(map(str, stage)), next_step="run snakemake first"
        )
    made = [{"outputs": outputs, **json.loads(job)} for job, outputs in jobs.items()]
    made.sort(key=lambda job: (job["rule"], sorted(job["outputs"])))
    write_json(target, {"snakemake": SNAKEMAKE_VERSION, "record_format": RECORD_FORMAT, "jobs": made})
    return sum(len(outputs) for outputs in jobs.values())


def read_facts(source: Path) -> dict[str, Fact]:
    """Output to fact; raises CheckFailed where the file is not one of ours or of another record format."""
    try:
        content: Any = json.loads(source.read_text(encoding="utf-8"))
        known = content["record_format"] == RECORD_FORMAT
        facts = {
            output: Fact(sha256, {key: value for key, value in job.items() if key != "outputs"})
            for job in content["jobs"]
            for output, sha256 in job["outputs"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckFailed(
            "records that should travel cannot be read",
            value=f"{type(error).__name__}: {error}",
            where=source,
            next_step="resolve the file in git (after a conflict take either side), then run dvc repro",
        ) from None
    if not known:
        raise CheckFailed(
            "records that should travel have another format",
            value=content["record_format"],
            where=source,
            next_step=f"use snakemake {content.get('snakemake')}, or remove the file and run again",
        )
    return facts


def arrived(sources: Iterable[Path], state: Path) -> tuple[dict[str, Fact], frozenset[str]]:
    """All facts, and the outputs whose facts came in since `remember` was called: by a clone, a checkout, a pull."""
    facts, newer, seen = dict[str, Fact](), set[str](), _seen(state)
    for source in sources:
        inside = read_facts(source)
        facts.update(inside)
        if seen.get(source.name) != sha256_of(source):
            newer.update(inside)
    return facts, frozenset(newer)


def remember(sources: Iterable[Path], state: Path) -> None:
    """Note that these files hold nothing that is news here: they were taken over, or written from here."""
    write_json(state / SEEN, {**_seen(state), **{source.name: sha256_of(source) for source in sources}})


def _seen(state: Path) -> dict[str, str]:
    try:
        seen: dict[str, str] = json.loads((state / SEEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return seen
