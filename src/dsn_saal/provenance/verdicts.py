"""Whether each output may stay: decided by content, never by time.

Snakemake looks at checksums only where an input is newer than the output, never at the outputs themselves, and not
at all where it has no record. Restoring files (DVC's links, a checkout, a copy) makes such times meaningless. So
before Snakemake builds its graph, every output under the workflow's folders is judged here, and one that may not
stay is marked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.provenance.belongings import MANIFEST, strangers
from dsn_saal.provenance.hashes import HashCache
from dsn_saal.provenance.records import Record, Records, lasting, restored
from dsn_saal.provenance.travel import Fact
from dsn_saal.storage.listing import LISTING, differences

NO_RECORD = "nothing is known of how it was made"
"""Reason of an output without a record."""


class Finding(NamedTuple):
    """An output that has to be made again, and why."""

    output: str
    reason: str

    @property
    def unknown(self) -> bool:
        """Whether there is no record at all: a lost record, or a file that no job makes."""
        return self.reason == NO_RECORD


def judge(
    roots: Iterable[Path], records: Records, hashes: HashCache, facts: dict[str, Fact], *, newer: frozenset[str]
) -> list[Finding]:
    """Judge every file below the workflow's folders; mark what must be made again, unmark what is well again.

    Args:
        roots: folders and files that the workflow makes.
        records: Snakemake's records.
        hashes: content hashes.
        facts: what travelled with the results.
        newer: outputs whose facts came in since the last run (a checkout, a pull) and therefore go before records that
            lie here.

    Returns:
        The findings, by output.
    """
    present, marks = set(_files(roots)), records.marked()
    known = present & (set(records.outputs()) | set(facts))
    listed = {Path(output).parent for output in present if Path(output).name == LISTING}
    findings = []
    for output in sorted(present):
        if output not in known and _stands_in(listed, Path(output)):
            continue
        sha256 = hashes.of(Path(output))
        taken = _take_over(output, sha256, records, facts, goes_first=output in newer)
        interrupted = output in marks and marks[output] is None and not taken
        if interrupted:
            continue  # Snakemake knows already
        reason = _reason(output, sha256, records, hashes)
        if reason is not None:
            records.mark(output, reason)
            findings.append(Finding(output, reason))
        elif output in marks:
            records.unmark(output)
    return findings


def learn(records: Records, hashes: HashCache) -> None:
    """Add its own content to the record of each output that was just made."""
    marks = records.marked()
    for output in records.outputs():
        record, path = records.read(output), Path(output)
        if record is not None and output not in marks and "sha256" not in record and path.is_file():
            _learn(output, hashes.of(path), record, records)


def _learn(output: str, sha256: str, record: Record, records: Records) -> bool:
    """Trust an output that Snakemake was the last to touch: its time is the one that Snakemake wrote down."""
    if Path(output).lstat().st_mtime != record.get("endtime"):
        return False
    record["sha256"] = sha256
    records.write(output, record)
    return True


def _take_over(output: str, sha256: str, records: Records, facts: dict[str, Fact], *, goes_first: bool) -> bool:
    fact = facts.get(output)
    if fact is None or fact.sha256 != sha256:
        return False
    record = records.read(output)
    if record is not None and not goes_first:
        if "sha256" not in record:
            _learn(output, sha256, record, records)
        if record.get("sha256") == sha256:
            return False
    if record is not None and record.get("sha256") == sha256 and lasting(record) == fact.kept:
        return False  # the record here is the same and knows its times as well
    records.write(output, restored(fact.kept, sha256=sha256, modified=Path(output).lstat().st_mtime))
    return True


def _reason(output: str, sha256: str, records: Records, hashes: HashCache) -> str | None:
    record, path = records.read(output), Path(output)
    if record is None:
        return NO_RECORD
    if "sha256" not in record and not _learn(output, sha256, record, records):
        return "it changed after it was made"
    if record["sha256"] != sha256:
        return "it was altered outside the workflow"
    checksums = record.get("input_checksums") or {}
    for name in record.get("input") or []:
        source = Path(name)
        if source.is_file() and checksums.get(name) != f"sha256:{hashes.of(source)}":
            return f"it was made from another {name}"
    return _untrue(path, hashes)


def _untrue(path: Path, hashes: HashCache) -> str | None:
    """What a listing says otherwise than the folder it stands for."""
    try:
        if path.name == LISTING:
            wrong = differences(path.parent, hashes.of)
        elif path.name == MANIFEST:
            wrong = strangers(path)
        else:
            return None
    except CheckFailed as error:
        return error.what
    return f"{wrong[0]}{f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''}" if wrong else None


def _files(roots: Iterable[Path]) -> Iterator[str]:
    for root in roots:
        if root.is_file():
            yield str(root)
        for base, _, names in os.walk(root):
            yield from (os.path.join(base, name) for name in names)  # noqa: PTH118 - a Path for each is slow


def _stands_in(listed: set[Path], output: Path) -> bool:
    """Whether the file lies in a folder that a job owns as a whole: its listing answers for it."""
    return output.name != LISTING and not listed.isdisjoint(output.parents)
