"""Phantoms in the layout of COVID-CT (UCSD): pictures as if cut out of articles, official lists, tables of patients.

What makes the set hard is there too: modes and containers that tell the class, JPEG files that are named .png, `%` in
names, marks drawn in, articles that stand in several lists, and one picture that carries both labels across parts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts.drawing import (
    Files,
    Progress,
    by_folder,
    cropped,
    dealt_parts,
    drawn_cases,
    encoded,
    note,
)

SIDES = (150, 700)
COVID, OTHER = "CT_COVID", "CT_NonCOVID"
_COVID_KINDS = (("RGBA", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("RGB", "JPEG"), ("L", "PNG"))
_OTHER_KINDS = (("RGB", "PNG", "png"), ("RGB", "JPEG", "jpg"), ("L", "JPEG", "jpg"))
_SHARED_ARTICLES = 3
"""Articles that two parts share: one for each two of the three."""


def files(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
    """Every file of the set."""
    cases = drawn_cases(plans, workers=workers, progress=progress)
    members = by_folder(plans)
    lists: dict[str, dict[str, list[str]]] = {folder: {"train": [], "val": [], "test": []} for folder in (COVID, OTHER)}
    patients: dict[str, list[tuple[str, str]]] = {COVID: [], OTHER: []}
    kept: NDArray[np.uint8] | None = None
    for folder, positions in members.items():
        for order, (at, part) in enumerate(zip(positions, dealt_parts(len(positions)), strict=True)):
            rng = plans[at].generator(9)
            for number, drawn in enumerate(cases[at]):
                grey = _marked(cropped(drawn, rng, SIDES), rng)
                if folder == COVID:
                    mode, container = _COVID_KINDS[(order + number) % len(_COVID_KINDS)]
                    name = f"phantom.2020.{_article(order, part):02d}-p{order + 1}-{number}%{number}.png"
                    if part == "test" and kept is None:
                        kept = grey
                else:
                    mode, container, suffix = _OTHER_KINDS[(order + number) % len(_OTHER_KINDS)]
                    name = f"{order + 1}%{number}.{suffix}"
                yield f"set/{folder}/{name}", encoded(grey, mode, container)
                lists[folder][part].append(name)
                patients[folder].append((name, f"phantom patient {folder} {order + 1}"))
    assert kept is not None  # a cohort has test cases in every class
    name = "both labels%0.jpg"
    yield f"set/{OTHER}/{name}", encoded(_rescaled(kept), "RGB", "JPEG")
    lists[OTHER]["train"].append(name)
    patients[OTHER].append((name, "phantom patient of both labels"))
    for folder, parts in lists.items():
        kind = folder.removeprefix("CT_")
        for part, names in parts.items():
            yield f"set/Data-split/{kind}/{part}CT_{kind}.txt", "".join(f"{entry}\n" for entry in names).encode()
    yield "set/meta/COVID-CT-MetaInfo.csv", _table(("File name", "Patient ID"), patients[COVID])
    yield "set/meta/NonCOVID-CT-MetaInfo.csv", _table(("image name", "patient id"), patients[OTHER])
    yield note("COVID-CT (UCSD)")


def _article(order: int, part: str) -> int:
    """Number of the article of a case: the first case of each part shares one with another part."""
    return {"train": 1, "val": 1, "test": 1}[part] if order % _SHARED_ARTICLES == 0 else 10 + order


def _marked(grey: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A letter in the corner of some pictures, as authors put there."""
    if rng.random() < 0.3:
        letter = "ABCD"[int(rng.integers(4))]
        cv2.putText(grey, letter, (6, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2, cv2.LINE_8)
    return grey


def _rescaled(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (grey.shape[1] * 3 // 4, grey.shape[0] * 3 // 4)
    return cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[return-value]


def _table(heads: tuple[str, str], rows: Sequence[tuple[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue().encode()
