"""The CT series of the studies on a list, from a DICOMweb server into class folders; bytes as they were sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.ingest.fetch.folder import Target, sweep
from dsn_saal.ingest.fetch.instances import Series, bring
from dsn_saal.ingest.fetch.multipart import Malformed
from dsn_saal.ingest.fetch.refused import Refusals, Refused, Why
from dsn_saal.ingest.fetch.wanted import Wanted
from dsn_saal.ingest.fetch.web import NotThere, Server
from dsn_saal.ingest.identity import keyed_hash

STUDY, SERIES, SOP, MODALITY = "0020000D", "0020000E", "00080018", "00080060"
"""Tags of an answer."""

PAGE, MOST_ANSWERS = 500, 1_000_000
"""Answers asked for at once, and the most that one search may have."""

Progress = Callable[[Iterable[Any], int], Iterator[Any]]

_UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
"""A UID as it is found in the wild, as long as it is no path."""


@dataclass
class Fetched:
    """What fetching came to.

    Attributes:
        studies: studies on the list.
        series: their CT series.
        instances: files of these.
        new: how many of them were not there before.
        refused: what was not brought, by reason.
    """

    studies: int = 0
    series: int = 0
    instances: int = 0
    new: int = 0
    refused: dict[str, int] = field(default_factory=dict)


def fetch_studies(
    server: Server,
    wanted: list[Wanted],
    out: Path,
    *,
    folders: Mapping[str, tuple[str, ...]],
    key: bytes,
    progress: Progress,
) -> Fetched:
    """Bring every CT series of the listed studies to `out`/files/<class folder>/<study>/<series>/<sop>.dcm.

    Args:
        server: where to ask.
        wanted: rows of the list.
        out: folder that belongs to this command; instances that are there already are not fetched again.
        folders: per class the names that mark it; the first is written.
        key: secret for the hashes that stand for UIDs.
        progress: passes series on and draws how many went by.

    Raises:
        BadRequest: where address, credentials or a class folder are wrong.
        CheckFailed: where a study is not on the server, or the server fails; what has arrived is kept for the next run.
    """
    places = {name: _folder(marks[0]) for name, marks in folders.items()}
    target = Target(out)
    studies = _studies(server, wanted)
    part, refusals, fetched = target.begin(resume=True), Refusals(), Fetched(studies=len(studies))
    chosen = [
        Series(study, uid, part / places[class_name] / keyed_hash("study", study, key) / keyed_hash("series", uid, key))
        for study, class_name in studies.items()
        for uid in _ct_series(server, study, key, refusals)
    ]
    kept: set[Path] = set()
    for series in progress(chosen, len(chosen)):
        path = f"studies/{quote(series.study)}/series/{quote(series.uid)}/instances"
        names = {uid: series.folder / f"{keyed_hash('sop', uid, key)}.dcm" for uid in _uids(server, path, SOP)}
        before = sum(place.exists() for place in names.values())
        bring(server, series, names, key, refusals)
        there = {place for place in names.values() if place.exists()}
        fetched.series, fetched.new = fetched.series + 1, fetched.new + len(there) - before
        kept |= there
    sweep(part, kept)
    fetched.instances, fetched.refused = len(kept), refusals.counts()
    target.finish(refusals, complete=True)
    return fetched


def _folder(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable():
        raise BadRequest(
            "a class folder's name is no name of one folder",
            value=name,
            where="datasets.<name>.classes.<class>.folders",
        )
    return name


def _studies(server: Server, wanted: list[Wanted]) -> dict[str, str]:
    """Class of each study, in the order of the list."""
    studies: dict[str, str] = {}
    rows: dict[str, int] = {}
    missing = []
    for row in wanted:
        found = [entry for entry in _search(server, "studies", {row.keyword: row.value}, STUDY) if _has(entry, row)]
        if not found:
            missing.append(row.row)
        for entry in found:
            uid = _uid(entry, STUDY)
            if studies.setdefault(uid, row.class_name) != row.class_name:
                raise BadRequest(
                    "two rows of the list give one study two classes",
                    value=f"lines {rows[uid]} and {row.row}",
                    next_step="leave the right one",
                )
            rows.setdefault(uid, row.row)
    if missing:
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise CheckFailed(
            f"the server does not have {len(missing)} of the {len(wanted)} rows of the list",
            value=f"lines {', '.join(map(str, missing[:10]))}{more}",
            next_step="ask its owner for them, or take them off the list",
        )
    return studies


def _has(entry: dict[str, Any], row: Wanted) -> bool:
    """Whether an answer is what was asked for: some servers answer more when they do not know a key."""
    return _value(entry, row.tag) == row.value


def _ct_series(server: Server, study: str, key: bytes, refusals: Refusals) -> list[str]:
    found = _search(server, f"studies/{quote(study)}/series", {}, SERIES)
    for entry in found:
        if _value(entry, MODALITY) != "CT":
            item = "#" + keyed_hash("series", _uid(entry, SERIES), key)
            refusals.add(item, Refused(Why.OTHER_MODALITY, "a series that is not CT"))
    return sorted(_uid(entry, SERIES) for entry in found if _value(entry, MODALITY) == "CT")


def _uids(server: Server, path: str, tag: str) -> list[str]:
    return sorted(_uid(entry, tag) for entry in _search(server, path, {}, tag))


def _search(server: Server, path: str, asked: dict[str, str], tag: str) -> list[dict[str, Any]]:
    """All answers to a search, page by page, one a UID: a server may give fewer at once than it is asked for."""
    found: dict[str, dict[str, Any]] = {}
    offset = 0
    while True:
        try:
            page = server.query(path, asked | {"limit": str(PAGE), "offset": str(offset)})
        except NotThere:
            if path == "studies":
                raise
            page = []  # some servers say so where a search finds nothing
        try:
            fresh = {_uid(entry, tag): entry for entry in page}
        except Malformed:
            raise _nonsense() from None
        if not fresh.keys() - found.keys():
            return list(found.values())
        found |= fresh
        offset += len(page)
        if len(found) > MOST_ANSWERS:
            raise _nonsense()


def _nonsense() -> CheckFailed:
    return CheckFailed(
        "the server's answer to a search is not what DICOMweb asks for",
        next_step="check that the source is the root of its DICOMweb services; then ask the server's owner",
    )


def _value(entry: dict[str, Any], tag: str) -> str:
    """First value of an attribute in DICOM JSON, "" where it is missing or malformed."""
    element = entry.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    first = values[0] if isinstance(values, list) and values else ""
    return first.strip(" \0") if isinstance(first, str) else ""


def _uid(entry: dict[str, Any], tag: str) -> str:
    uid = _value(entry, tag)
    if not _UID.fullmatch(uid):
        raise Malformed
    return uid
