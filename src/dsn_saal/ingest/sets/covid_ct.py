"""COVID-CT of UCSD (Zhao et al.): pictures cut out of articles, official lists, tables of patients."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from dsn_saal.domain.errors import BadRequest
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.sets.lists import list_lines, read_list
from dsn_saal.ingest.sets.pictures import Counts, PictureReader
from dsn_saal.ingest.sets.published import COVID_CT
from dsn_saal.ingest.source import Row

FOLDERS = ("CT_COVID", "CT_NonCOVID")
_LISTS = {"train": "train", "val": "validation", "test": "test"}
_ARTICLE = re.compile(r"(.+?)-p\d+(?:-.*)?")
_OLD_COUNTS = {"train": 233, "validation": 56, "test": 102}
_NAME_COLUMNS, _PATIENT_COLUMNS = ("file name", "image name"), ("patient id",)


class CovidCt(PictureReader):
    """Reader of COVID-CT: the class is the folder, the part stands in the lists, the patient in the tables."""

    def expected(self) -> Mapping[str, dict[str, Any]]:
        """Every listed file with its part."""
        return read_lists(self.root)

    def published(self) -> Counts:
        """Images of each list and class."""
        return COVID_CT

    def mark_of(self, path: str) -> str:
        """The folder."""
        folder = PurePosixPath(path).parent.name
        if folder not in FOLDERS:
            raise Excluded(Reason.NO_CLASS, "not in CT_COVID or CT_NonCOVID")
        return folder

    def name_of(self, path: str) -> str:
        """Folder and file name: a stem alone may name two pictures."""
        return "/".join(PurePosixPath(path).parts[-2:])

    def described(self, path: str) -> Row:
        """Part, patient, and the article that the name of a COVID picture begins with."""
        name = PurePosixPath(path)
        article = _ARTICLE.fullmatch(name.stem) if name.parent.name == "CT_COVID" else None
        patient = read_patients(self.root).get(self.name_of(path), "")
        return {
            **self.expected()[self.name_of(path)],
            "case": f"covid_ct {name.parent.name} {patient}" if patient else "",
            "article": article[1] if article else "",
        }


@lru_cache(maxsize=2)
def read_lists(root: Path) -> dict[str, dict[str, Any]]:
    """The part of every file that the official lists name, by folder and file name.

    Raises:
        BadRequest: where a list is missing, names a file twice, or is the older one of the negatives.
    """
    listed: dict[str, dict[str, Any]] = {}
    counts: dict[str, int] = {}
    for kind in ("COVID", "NonCOVID"):
        for key, part in _LISTS.items():
            path = root / "Data-split" / kind / f"{key}CT_{kind}.txt"
            if not path.is_file():
                raise BadRequest("an official list is not there", value=path, next_step="see docs/datasets.md")
            names = list_lines(path)
            for name in names:
                known = f"CT_{kind}/{name}"
                if known in listed:
                    raise BadRequest("a file stands twice in the lists", value=known, where=path)
                listed[known] = {"official": part}
            if kind == "NonCOVID":
                counts[part] = len(names)
    if counts == _OLD_COUNTS:
        new = ", ".join(f"{COVID_CT[part]['CT_NonCOVID']} {part}" for part in _LISTS.values())
        raise BadRequest(
            "these are the older lists of the negatives",
            value=", ".join(f"{count} {part}" for part, count in counts.items()),
            where=root / "Data-split",
            next_step=f"take the present ones of the set: {new}",
        )
    return listed


@lru_cache(maxsize=2)
def read_patients(root: Path) -> dict[str, str]:
    """Patient of every picture that the tables below meta/ name, by folder and file name; empty without tables.

    Only the two columns are read: the tables also hold ages and histories.
    """
    patients: dict[str, str] = {}
    for path in sorted((root / "meta").glob("*.csv")):
        folder = "CT_NonCOVID" if path.name.lower().startswith("noncovid") else "CT_COVID"
        rows = list(csv.reader(io.StringIO(read_list(path))))
        heads = [head.strip().lower() for head in rows[0]] if rows else []
        name_at = next((heads.index(head) for head in _NAME_COLUMNS if head in heads), None)
        patient_at = next((heads.index(head) for head in _PATIENT_COLUMNS if head in heads), None)
        if name_at is None or patient_at is None:
            continue
        for row in rows[1:]:
            if len(row) > max(name_at, patient_at) and row[name_at].strip() and row[patient_at].strip():
                patients[f"{folder}/{row[name_at].strip()}"] = row[patient_at].strip()
    return patients
