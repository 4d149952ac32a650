"""The list of what to fetch: one study, patient or accession number a row, with its class. It never enters a result."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from dsn_saal.domain.errors import BadRequest
from dsn_saal.ingest.identity import clinical_key, key_path

LIST_VARIABLE = "DSN_SAAL_DICOMWEB_LIST"
"""Environment variable that names the list."""

ASKED_BY = {
    "study_uid": ("StudyInstanceUID", "0020000D"),
    "patient_id": ("PatientID", "00100020"),
    "accession_number": ("AccessionNumber", "00080050"),
}
"""Second column of the list, and its attribute of a study: the keyword to ask by, the tag of the answer."""

MAX_LIST_BYTES = 2**26

_MATCHES_MORE = frozenset("*?\\")
"""Characters by which a query matches more than one value."""


@dataclass(frozen=True)
class Wanted:
    """One row of the list.

    Attributes:
        row: its line in the file; what messages call it.
        class_name: the class that its slices get.
        keyword: attribute to ask by.
        tag: the same attribute in an answer.
        value: what it must be: an identity, never to be printed.
    """

    row: int
    class_name: str
    keyword: str
    tag: str
    value: str


def read_list(path: Path, classes: Collection[str]) -> list[Wanted]:
    """The rows of the list, without repetitions.

    Args:
        path: CSV with a header: `class`, and one of the columns of ASKED_BY.
        classes: names that the first column may hold.

    Raises:
        BadRequest: where it cannot be read, lies in a repository, or a row is wrong; rows are named by their line only.
    """
    text = _text(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        asked = [name for name in header if name in ASKED_BY]
        if sorted(header) != sorted(["class", *asked]) or len(asked) != 1:
            raise BadRequest(
                "the list's first line does not name its columns",
                where=path,
                next_step=f"write `class,` and one of: {', '.join(ASKED_BY)}",
            )
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    except csv.Error:
        raise BadRequest("the list is no CSV", where=f"{path}:{reader.line_num}", next_step="export it anew") from None
    keyword, tag = ASKED_BY[asked[0]]
    known: dict[str, Wanted] = {}
    for line, cells in rows:
        if len(cells) != len(header):
            raise BadRequest("a row of the list has another number of columns", where=f"{path}:{line}")
        wanted = Wanted(line, cells[header.index("class")], keyword, tag, cells[header.index(asked[0])])
        _require_sound(wanted, classes, path)
        before = known.setdefault(wanted.value, wanted)
        if before.class_name != wanted.class_name:
            raise BadRequest(
                f"two rows of the list give one {asked[0]} two classes",
                value=f"lines {before.row} and {line}",
                where=path,
                next_step="leave the right one",
            )
    if not known:
        raise BadRequest("the list holds no row", where=path, next_step="name the studies to fetch")
    return list(known.values())


def list_digest(path: Path, key_file: str | None) -> str:
    """A keyed digest of the list, for a workflow to notice a change by; without the key nobody can test a guess."""
    secret = clinical_key(key_path(key_file), make=key_file is None)
    return blake2b(_text(path).encode(), key=secret, digest_size=16, person=b"list").hexdigest()


def _text(path: Path) -> str:
    if any((parent / ".git").exists() for parent in path.resolve().parents):
        raise BadRequest(
            "the list of studies lies inside a git repository; it names patients",
            where=path,
            next_step="move it out of the repository",
        )
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise BadRequest("the list is too large", value=f"more than {MAX_LIST_BYTES} bytes", where=path)
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadRequest("the list cannot be read", value=error.strerror, where=path) from None
    except UnicodeDecodeError:
        raise BadRequest("the list is not UTF-8", where=path, next_step="save it as UTF-8") from None


def _require_sound(wanted: Wanted, classes: Collection[str], path: Path) -> None:
    if wanted.class_name not in classes:
        raise BadRequest(
            "a row of the list names a class that the data set does not have",
            where=f"{path}:{wanted.row}",
            next_step=f"choose one of: {', '.join(classes)}",
        )
    too_wide = set(wanted.value) & _MATCHES_MORE or not wanted.value.isprintable()
    if not wanted.value or too_wide or len(wanted.value) > 64:
        raise BadRequest(
            "a row of the list has no value, or one that could match several",
            where=f"{path}:{wanted.row}",
            next_step="write the whole value, without * or ?",
        )
