"""The instances of one series: all in one request first, then one by one what is still missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import pydicom

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.dicom.header import MAX_FILE_BYTES
from dsn_saal.ingest.fetch.folder import arriving, write_private
from dsn_saal.ingest.fetch.multipart import Malformed, Parts, boundary_of
from dsn_saal.ingest.fetch.refused import Refusals, Refused, Why
from dsn_saal.ingest.fetch.web import Answer, NotThere, Server
from dsn_saal.ingest.identity import keyed_hash

ANY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""What is asked for: Part 10 files as they are stored, whatever their transfer syntax."""

_SOP = pydicom.tag.Tag("SOPInstanceUID")


@dataclass(frozen=True)
class Series:
    """A series to bring.

    Attributes:
        study: StudyInstanceUID.
        uid: SeriesInstanceUID.
        folder: where its files go.
    """

    study: str
    uid: str
    folder: Path


def bring(server: Server, series: Series, names: Mapping[str, Path], key: bytes, refusals: Refusals) -> None:
    """Fetch the instances of a series that are not there yet.

    Args:
        server: where to ask.
        series: which series.
        names: SOPInstanceUID to the file it becomes.
        key: secret for the hash that stands for an instance which is refused.
        refusals: takes an instance that is too large.

    Raises:
        CheckFailed, BadRequest: where the server fails, or sends something else.
    """
    path = f"studies/{quote(series.study)}/series/{quote(series.uid)}"
    if len(_missing(names)) == len(names) > 1:
        with suppress(CheckFailed, NotThere):  # what is missing afterwards is asked for one by one, and says why
            server.get(path, {}, ANY_SYNTAX, lambda answer: _take_all(answer, series.folder, names), attempts=1)
    for uid in _missing(names):
        place = names[uid]
        try:
            server.get(
                f"{path}/instances/{quote(uid)}",
                {},
                ANY_SYNTAX,
                lambda answer, uid=uid, place=place: _take_one(answer, uid, place),  # type: ignore[misc]
            )
        except Refused as refused:
            refusals.add("#" + keyed_hash("sop", uid, key), refused)


def _missing(names: Mapping[str, Path]) -> list[str]:
    return [uid for uid, place in names.items() if not place.exists()]


def _take_all(answer: Answer, folder: Path, names: Mapping[str, Path]) -> None:
    parts = Parts(answer.chunks(), boundary_of(answer.content_type))
    for content in islice(parts, len(names)):  # a server must not send on for ever
        part = arriving(folder / "any")
        try:
            _store(part, content)
        except Refused:
            continue
        uid = next((uid for uid in _uids_of(part) if uid in names and not names[uid].exists()), None)
        if uid is None:
            part.unlink()  # none that the search listed, or one that arrived twice
        else:
            part.rename(names[uid])


def _take_one(answer: Answer, uid: str, place: Path) -> None:
    part = arriving(place)
    _store(part, _only_part(answer))
    if uid not in _uids_of(part):
        part.unlink()
        raise Malformed
    part.rename(place)


def _only_part(answer: Answer) -> Iterator[bytes]:
    """The one instance of an answer; some servers send it without its envelope."""
    if answer.content_type.partition(";")[0].strip().lower() == "application/dicom" and answer.has_end:
        yield from answer.chunks()
        return
    parts = iter(Parts(answer.chunks(), boundary_of(answer.content_type)))
    yield from next(parts, iter(()))
    if next(parts, None) is not None:
        raise Malformed


def _store(part: Path, content: Iterator[bytes]) -> None:
    part.unlink(missing_ok=True)
    write_private(part, _bounded(content), sync=True)


def _bounded(content: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in content:
        size += len(chunk)
        if size > MAX_FILE_BYTES:
            raise Refused(Why.TOO_LARGE, f"more than {MAX_FILE_BYTES} bytes")
        yield chunk


def _uids_of(part: Path) -> set[str]:
    """SOPInstanceUID of a Part 10 file, as its meta information and its dataset say; empty where it is none."""
    found = set()
    with part.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            return set()
    with suppress(Exception):  # a parser's complaints about bytes from outside come in every kind
        meta = pydicom.filereader.read_file_meta_info(part)
        found.add(str(meta.get("MediaStorageSOPInstanceUID", "")).strip(" \0"))
        if not pydicom.uid.UID(meta.TransferSyntaxUID).is_deflated:  # it could unpack to anything
            dataset = pydicom.dcmread(part, stop_before_pixels=True, specific_tags=[_SOP])
            found.add(str(dataset.get(_SOP).value).strip(" \0"))
    return found - {""}
