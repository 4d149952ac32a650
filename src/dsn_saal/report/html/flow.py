"""The flow of files and slices of one data set, as boxes and arrows: what was found, left out, kept, and split."""

from __future__ import annotations

import textwrap
from typing import Any

from dsn_saal.statistics.printed import count, plural

Json = dict[str, Any]

WIDTH, BOX, SIDE, GAP, LINE, PAD, RAIL = 520, 250, 235, 34, 20, 10, 24
"""Drawing units: the whole, a box of the main line, a box beside it, between boxes, a line of text, inside a box,
from the edge to the line that leads to the parts."""

LETTERS = {"main": 31, "side": 29, "part": 50}
"""Letters that a line of a box holds."""


def flow_view(
    name: str, title: str, classes: dict[str, str], flow: Json, quality: Json, protocol: str, certificate: Json
) -> Json:
    """Boxes, arrows and the same in words.

    Args:
        name: of the data set.
        title: as a reader knows it.
        classes: names with their titles.
        flow: what ingest counted.
        quality: what preprocess measured.
        protocol: the split that is drawn.
        certificate: of that split.
    """
    lost = quality["slices"] - quality["kept"]
    steps = [
        ([plural(flow["files"], "file"), "found"], _left_out(flow)),
        (_read(flow), [f"{plural(lost, 'slice')} without a lung mask left out"] if lost else []),
        ([plural(quality["kept"], "slice"), "preprocessed"], []),
    ]
    boxes: list[Json] = []
    arrows: list[tuple[float, ...]] = []
    top = 4.0
    for number, (lines, beside) in enumerate(steps):
        main = _box(0, top, BOX, lines, "main")
        boxes.append(main)
        height = main["height"]
        if beside:
            side = _box(BOX + GAP, top, SIDE, beside, "side")
            boxes.append(side)
            middle = top + min(height, side["height"]) / 2
            arrows.append((BOX, middle, BOX + GAP, middle))
            height = max(height, side["height"])
        below = top + height + GAP
        if number < len(steps) - 1:
            arrows.append((BOX / 2, top + main["height"], BOX / 2, below))
        top = below
    parts, last = _parts(certificate, classes), boxes[-1] if not steps[-1][1] else boxes[-2]
    for lines in parts:
        box = _box(2 * RAIL, top, WIDTH - 2 * RAIL, lines, "part")
        boxes.append(box)
        arrows.append((RAIL, box["top"] + box["height"] / 2, 2 * RAIL, box["top"] + box["height"] / 2))
        top += box["height"] + GAP / 2
    rail = (RAIL, last["top"] + last["height"], RAIL, arrows[-1][1])
    bottom = max(box["top"] + box["height"] for box in boxes)
    words = [*(" ".join(lines) + (f"; {'; '.join(beside)}" if beside else "") for lines, beside in steps)]
    return {
        "id": f"flow-{name}",
        "title": title,
        "protocol": protocol,
        "width": WIDTH,
        "height": bottom + 4,
        "boxes": boxes,
        "rail": rail,
        "arrows": arrows,
        "words": [*words, *("; ".join(lines) for lines in parts)],
    }


def _box(left: float, top: float, width: float, lines: list[str], kind: str) -> Json:
    letters = LETTERS[kind]
    wrapped = [part for line in lines for part in textwrap.wrap(line, letters, subsequent_indent="  ")]
    height = len(wrapped) * LINE + 2 * PAD - 2
    texts = [(left + PAD, top + PAD + LINE * number + 13, text) for number, text in enumerate(wrapped)]
    return {"left": left, "top": top, "width": width, "height": height, "kind": kind, "texts": texts}


def _left_out(flow: Json) -> list[str]:
    if not flow["excluded_total"]:
        return ["none left out"]
    reasons = [f"{count(number)} {reason.replace('_', ' ')}" for reason, number in flow["excluded"].items()]
    return [f"{plural(flow['excluded_total'], 'file')} left out:", *reasons]


def _read(flow: Json) -> list[str]:
    """A set of pictures knows no series, and some know no cases."""
    lines = [f"{plural(flow['slices'], 'slice')} read"]
    lines += [f"of {plural(flow['series'], 'series', 'series')}"] if flow["series"] else []
    return [*lines, f"of {plural(flow['cases'], 'case')}" if flow["cases"] else "of unknown cases"]


def _parts(certificate: Json, classes: dict[str, str]) -> list[list[str]]:
    """A box for each part of the split, test last."""
    found = []
    for part, held in sorted(certificate["counts"].items(), key=lambda item: item[0] == "test"):
        each = [
            f"{classes[name]}: {count(one['slices'])}" + (f" of {plural(one['cases'], 'case')}" if one["cases"] else "")
            for name, one in held.items()
        ]
        slices = sum(one["slices"] for one in held.values())
        found.append([f"{part}: {plural(slices, 'slice')}", *each])
    return found
