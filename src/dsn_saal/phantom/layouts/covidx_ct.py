"""Phantoms in the layout of COVIDx-CT-1: PNG named by class, patient, scan and slice; three lists with boxes."""

from __future__ import annotations

from collections.abc import Sequence

from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts.drawing import Drawn, Files, Progress, by_folder, dealt_parts, drawn_cases, encoded, note

DIGITS = {"Normal": "0", "CP": "1", "NCP": "2"}


def files(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
    """Every file of the set."""
    cases = drawn_cases(plans, workers=workers, progress=progress)
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    short: dict[str, list[str]] = {}
    for mark, members in by_folder(plans).items():
        for at, part in zip(members, dealt_parts(len(members)), strict=True):
            for number, drawn in enumerate(cases[at]):
                name = f"{mark}_P{plans[at].number:03d}_S1_{10 * number + 7:04d}.png"
                yield f"set/images/{name}", encoded(drawn.grey, "RGB" if mark == "CP" else "L", "PNG")
                lists[part].append(f"{name} {DIGITS[mark]} {_corners(drawn)}")
                if part == "train":
                    short.setdefault(mark, []).append(f"{DIGITS[mark]}{name[len(mark) :]}")
    for part, lines in lists.items():
        yield f"set/{part}_COVIDx_CT-1.txt", _text(lines)
    each = max(1, min(len(names) for names in short.values()) // 2)
    yield "set/train_split_classification.txt", _text([name for names in short.values() for name in names[:each]])
    yield note("COVIDx-CT-1")


def _corners(drawn: Drawn) -> str:
    x, y, width, height = drawn.box
    return f"{x} {y} {x + width} {y + height}"


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
