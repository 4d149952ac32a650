"""Phantoms in the layout of COVID-CT (UCSD): pictures as if cut out of articles, official lists, tables of patients.

What makes the set hard is there too: modes and containers that tell the class, JPEG files that are named .png, `%` in
names, marks drawn in, articles that stand in two lists, and one picture that carries both labels across parts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts.figures import figures, rescaled
from dsn_saal.phantom.layouts.members import PARTS, Member, made, members, note
from dsn_saal.phantom.layouts.picture import encoded
from dsn_saal.phantom.write import Files, Progress

COVID, OTHER = "CT_COVID", "CT_NonCOVID"

COVID_KINDS = (("RGBA", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("L", "PNG"), ("RGBA", "PNG"), ("RGB", "JPEG"))
"""Modes and containers of the COVID pictures, in turn: half have a fourth channel, one in six is JPEG named .png."""

FIRST = 9001
"""Number of the first patient of the other class, with which the names of its files begin."""

_COVID_HEADS = (
    *("File name", "Patient ID", "Age", "Gender", "Location", "Medical history", "Time", "Severity"),
    *("Other diseases", "DOI", "Captions", "", ""),
)


@dataclass(frozen=True)
class _Task:
    """A case to draw: the number of its first picture in its class, its article, and whose picture it repeats."""

    member: Member
    first: int
    article: int
    repeats: CasePlan | None


def files(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
    """Every file of the set."""
    tasks = _tasks(members(plans, (COVID, OTHER)))
    lists: dict[str, dict[str, list[str]]] = {mark: {part: [] for part in PARTS} for mark in (COVID, OTHER)}
    patients: dict[str, list[tuple[str, str]]] = {COVID: [], OTHER: []}
    for task, pictures in zip(tasks, made(_pictures, tasks, workers=workers, progress=progress), strict=True):
        mark = task.member.plan.folder
        for name, content in pictures:
            yield f"set/{mark}/{name}", content
            lists[mark][task.member.part].append(name)
            patients[mark].append((name, f"phantom_{mark.removeprefix('CT_')}_{task.member.place + 1}"))
    for mark, parts in lists.items():
        kind = mark.removeprefix("CT_")
        for part, names in parts.items():
            yield f"set/Data-split/{kind}/{part}CT_{kind}.txt", "".join(f"{name}\n" for name in names).encode()
    empty = [""] * (len(_COVID_HEADS) - 2)
    yield "set/meta/COVID-CT-MetaInfo.csv", _table(_COVID_HEADS, [[*pair, *empty] for pair in patients[COVID]])
    yield (
        "set/meta/NonCOVID-CT-MetaInfo.csv",
        _table(["", "image name", "patient id"], [[at, *pair] for at, pair in enumerate(patients[OTHER])]),
    )
    yield note("COVID-CT (UCSD)")


def _tasks(found: Sequence[Member]) -> list[_Task]:
    """The cases; the first one that trains as negative repeats a picture of the first COVID case that tests."""
    articles = _articles([member for member in found if member.plan.folder == COVID])
    conflict = next((member.plan for member in found if member.plan.folder == COVID and member.part == "test"), None)
    firsts = dict.fromkeys((COVID, OTHER), 0)
    tasks = []
    for member in found:
        mark = member.plan.folder
        repeats = conflict if mark == OTHER and member.place == 0 else None
        tasks.append(_Task(member, firsts[mark], articles[member.place] if mark == COVID else 0, repeats))
        firsts[mark] += member.plan.n_slices
    return tasks


def _articles(covid: Sequence[Member]) -> list[int]:
    """Article of each COVID case: its own, but each two parts share one, as in the set."""
    found = list(range(1, len(covid) + 1))
    parts = [[member.place for member in covid if member.part == part] for part in PARTS]
    if covid:
        train, validation, test = parts
        for one, other in ((train[0], validation[0]), (train[-1], test[0]), (validation[-1], test[-1])):
            found[other] = found[one]
    return found


def _pictures(task: _Task) -> list[tuple[str, bytes]]:
    """Name and content of each picture of a case."""
    shown = figures(task.member.plan)
    if task.repeats is not None:
        shown[0] = rescaled(figures(task.repeats)[0])
    name = _covid_name if task.member.plan.folder == COVID else _other_name
    found = []
    for at, figure in enumerate(shown):
        title, mode, container = name(task, at)
        found.append((title, encoded(figure, mode, container)))
    return found


def _covid_name(task: _Task, at: int) -> tuple[str, str, str]:
    """Name, mode and container of a COVID picture: article, page, and the part of its figure."""
    mode, container = COVID_KINDS[(task.first + at) % len(COVID_KINDS)]
    part = f"%{at}" if task.member.plan.n_slices > 1 else ""
    return (
        f"phantom-article-{task.article:02d}-p{task.member.place + 1}-{task.member.place + 31}{part}.png",
        mode,
        container,
    )


def _other_name(task: _Task, at: int) -> tuple[str, str, str]:
    """Name, mode and container of another picture: two patients in four are JPEG, the others PNG."""
    number = FIRST + task.member.place
    part = f"%{at}" if task.member.plan.n_slices > 1 else ""
    if task.member.place // 2 % 2 == 0:
        return f"{number}{part}.jpg", "L" if (task.first + at) % 8 == 7 else "RGB", "JPEG"
    return f"{number}{part}.png", "RGB", "PNG"


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue().encode()
