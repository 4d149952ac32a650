"""COVIDx-CT, version 1 (Gunraj et al.): PNG files named by class, patient, scan and slice, three lists with boxes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from dsn_saal.domain.errors import BadRequest
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.sets.lists import list_lines
from dsn_saal.ingest.sets.pictures import Counts, PictureReader
from dsn_saal.ingest.sets.published import COVIDX_CT, COVIDX_CT_3000
from dsn_saal.ingest.source import Row

_NAME = re.compile(r"(Normal|CP|NCP)_(\w{1,16})_(\w{1,16})_(\d{1,6})\.png")
_DIGITS = {"Normal": "0", "CP": "1", "NCP": "2"}
_PARTS = {"train": "train", "val": "validation", "test": "test"}
_LIST = re.compile(r"(train|val|test)_COVIDx[_-]CT(?:-1|_v1)?\.txt", re.IGNORECASE)
_OTHER_VERSION = re.compile(r"(train|val|test)_COVIDx[_-]CT[_-]?[23][AB]?\.txt", re.IGNORECASE)
_SHORT = ("train_split_classification.txt", "train_3000_one_thousand_per_class.txt")
_FIELDS = 6


class CovidxCt(PictureReader):
    """Reader of COVIDx-CT-1: class, patient, scan and slice stand in the name, part and box in the lists."""

    def expected(self) -> Mapping[str, dict[str, Any]]:
        """Every listed file with its part, its box, and whether the short list has it."""
        return read_lists(self.root)

    def published(self) -> Counts:
        """Images of each list and class."""
        return COVIDX_CT

    def mark_of(self, path: str) -> str:
        """The word that the name begins with."""
        return self._match(path)[1]

    def name_of(self, path: str) -> str:
        """The file's name: it is unique in the set."""
        return PurePosixPath(path).name

    def described(self, path: str) -> Row:
        """Patient, scan, slice number, part and box."""
        name = self._match(path)
        patient = f"covidx_ct {name[1]}_{name[2]}"
        return {
            "case": patient,
            "series": f"{patient}_{name[3]}",
            "number": int(name[4]),
            **self.expected()[self.name_of(path)],
        }

    def _match(self, path: str) -> re.Match[str]:
        name = _NAME.fullmatch(PurePosixPath(path).name)
        if name is None:
            raise Excluded(Reason.NO_CLASS, "not named as a file of the set")
        return name


@lru_cache(maxsize=2)
def read_lists(root: Path) -> dict[str, dict[str, Any]]:
    """What the lists below a root say of each file name.

    Raises:
        BadRequest: where a list is missing, of another version, or a line of it is wrong.
    """
    found = {match[1].lower(): path for path in sorted(root.rglob("*.txt")) if (match := _LIST.fullmatch(path.name))}
    others = [path.name for path in root.rglob("*.txt") if _OTHER_VERSION.fullmatch(path.name)]
    if set(found) != set(_PARTS):
        raise BadRequest(
            "the lists of COVIDx-CT-1 are not there",
            value=f"these are of a later version: {', '.join(sorted(others))}" if others else ", ".join(sorted(found)),
            where=root,
            next_step="put train_, val_ and test_COVIDx_CT-1.txt anywhere below the set's root",
        )
    short = _short_list(root)
    listed: dict[str, dict[str, Any]] = {}
    for key, part in _PARTS.items():
        for number, line in enumerate(list_lines(found[key]), 1):
            name, box = _parsed(line, f"{found[key].name}, line {number}")
            if name in listed:
                raise BadRequest(
                    "a file stands twice in the lists", value=name, where=f"{found[key].name}, line {number}"
                )
            listed[name] = {"official": part, "train_3000": name in short, **box}
    astray = sorted(name for name in short if listed.get(name, {}).get("official") != "train")
    if astray:
        raise BadRequest(
            "the list of 3000 names files that do not train", value=f"{len(astray)}, first {astray[0]}", where=root
        )
    return listed


def _parsed(line: str, where: str) -> tuple[str, dict[str, int]]:
    fields = line.split()
    name = _NAME.fullmatch(fields[0]) if len(fields) == _FIELDS else None
    if name is None or fields[1] != _DIGITS[name[1]] or not all(field.lstrip("-").isdigit() for field in fields[2:]):
        raise BadRequest(
            "a line of a list is not `name class xmin ymin xmax ymax`",
            value=line[:80],
            where=where,
            next_step="fetch the list again: version 1 has six fields in every line",
        )
    return fields[0], dict(zip(("box_x0", "box_y0", "box_x1", "box_y1"), map(int, fields[2:]), strict=True))


def _short_list(root: Path) -> set[str]:
    """Names of the list of 3000, with the class word in place of its digit; empty where it is not there."""
    path = next((path for name in _SHORT for path in sorted(root.rglob(name))), None)
    if path is None:
        return set()
    words = {digit: word for word, digit in _DIGITS.items()}
    names = [line.split()[0] for line in list_lines(path)]
    full = {f"{words.get(name[0], '?')}{name[1:]}" for name in names}
    counts = Counter(name.split("_")[0] for name in full)
    if len(full) != len(names) or len(set(counts.values())) != 1:
        raise BadRequest(
            "the list of 3000 is not balanced, or names a file twice",
            value=dict(counts),
            where=path,
            next_step=f"it holds {COVIDX_CT_3000['NCP']} names of each class",
        )
    return full
