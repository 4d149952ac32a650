"""Phantoms in the layout of COVIDx-CT-1: PNG named by class, patient, scan and slice; three lists with boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsn_saal.phantom.case import draw_case
from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts.members import PARTS, Member, made, members, note
from dsn_saal.phantom.layouts.picture import body_box, encoded, windowed
from dsn_saal.phantom.write import Files, Progress

DIGITS = {"Normal": "0", "CP": "1", "NCP": "2"}
"""Class words of the names, and the digits of the lists."""

FIRST = 9001
"""Number of the first patient; the published ones end at 4044, the scans at 5779."""


@dataclass(frozen=True)
class _Task:
    """A case to draw: the number of its patient, and the list it stands in."""

    member: Member
    patient: int
    part: str


def files(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
    """Every file of the set."""
    tasks = [_Task(member, FIRST + at, member.part) for at, member in enumerate(members(plans, DIGITS))]
    lists: dict[str, list[str]] = {part: [] for part in PARTS}
    short: dict[str, list[str]] = {}
    cases = made(_pictures, tasks, workers=workers, progress=progress)
    for task, pictures in zip(tasks, cases, strict=True):
        mark = task.member.plan.folder
        for name, box, content in pictures:
            yield f"set/images/{name}", content
            lists[task.part].append(f"{name} {DIGITS[mark]} {' '.join(map(str, box))}")
            if task.part == "train":
                short.setdefault(mark, []).append(f"{DIGITS[mark]}{name.removeprefix(mark)}")
    for part, lines in lists.items():
        yield f"set/{part}_COVIDx_CT-1.txt", _text(lines)
    each = max(1, min(len(names) for names in short.values()) // 2)
    yield "set/train_split_classification.txt", _text([name for names in short.values() for name in names[:each]])
    yield note("COVIDx-CT-1")


def _pictures(task: _Task) -> list[tuple[str, tuple[int, int, int, int], bytes]]:
    """Name, box and content of each picture; every other patient has two scans, and pictures in colour mode."""
    plan, second = task.member.plan, task.member.place % 2 == 1
    case, found = draw_case(plan), []
    for at, (level, drawn) in enumerate(zip(case.levels, case.slices(), strict=True)):
        scan = 2 * task.patient + (second and 2 * at >= plan.n_slices)
        name = f"{plan.folder}_{task.patient}_{scan}_{level:04d}.png"
        content = encoded(windowed(drawn.hu), "RGB" if second else "L", "PNG")
        found.append((name, body_box(drawn.hu), content))
    return found


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
