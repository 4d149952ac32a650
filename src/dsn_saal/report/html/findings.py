"""Any other JSON of numbers, shown as it is: lists of records as tables, the rest as names with values.

This is the place where a file becomes a view of its own: add a maker for its name to VIEWS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Block = dict[str, Any]

MOST_ROWS = 500
"""Records of a list that are shown; all are counted."""

DEEPEST = 3
"""Levels of names that get a heading; what lies deeper is one line."""


def finding_view(name: str, held: Any) -> Json:
    """A finding with its title and its blocks."""
    make = VIEWS.get(name, blocks)
    return {"id": f"finding-{name}", "title": name.replace("_", " ").capitalize(), "blocks": make(held)}


def blocks(held: Any, title: str = "", depth: int = 0) -> list[Block]:
    """The blocks of any JSON: `pairs`, `records` with `heads`, or `lines`, each with a title."""
    if isinstance(held, list):
        return [_records(held, title)]
    if not isinstance(held, dict):
        return [{"title": title, "lines": [text(held)]}]
    deep = {key: value for key, value in held.items() if isinstance(value, dict | list) and value}
    flat = [(words(key), text(value)) for key, value in held.items() if key not in deep or depth >= DEEPEST]
    found: list[Block] = [{"title": title, "pairs": flat}] if flat else []
    if depth < DEEPEST:
        for key, value in deep.items():
            found += blocks(value, f"{title}: {words(key)}" if title else words(key), depth + 1)
    return found


def _records(held: list[Any], title: str) -> Block:
    shown = held[:MOST_ROWS]
    more = f" ({len(shown)} of {len(held)})" if len(shown) < len(held) else ""
    if not any(isinstance(one, str | dict | list) for one in shown):
        return {"title": title + more, "lines": [text(shown)]}
    if not all(isinstance(one, dict) for one in shown):
        return {"title": title + more, "lines": [text(one) for one in shown]}
    heads = list(dict.fromkeys(key for one in shown for key in one))
    return {
        "title": title + more,
        "heads": [words(key) for key in heads],
        "records": [[text(one.get(key)) for key in heads] for one in shown],
    }


def words(key: str) -> str:
    """A key as a reader reads it."""
    return str(key).replace("_", " ")


def text(value: Any) -> str:
    """A value in one line: four digits of a fraction, a dash where there is none."""
    if value is None or value == [] or value == {}:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "−")
    if isinstance(value, dict):
        return "; ".join(f"{words(key)} {text(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(text(one) for one in value)
    return str(value)


def _chosen(title: str, held: list[Json], *keys: str) -> Block:
    """A table of some of the records' values, in this order."""
    return _records([{key: one.get(key) for key in keys} for one in held], title)


def verdict_blocks(held: Json) -> list[Block]:
    """How often each verdict was given, then every number and every claim with its verdict and the reason."""
    times = [{"verdict": name, **entry} for name, entry in held["verdicts"].items()]
    numbers = [one | {"reported": _reported(one["reported"])} for one in held["numbers"]]
    return [
        _chosen("How often", times, "verdict", "times", "meaning"),
        _chosen(
            "Reported numbers",
            numbers,
            "table",
            "method",
            "metric",
            "reported",
            "verdict",
            "reason",
            "status",
            "source",
        ),
        _chosen("Claims of the text", held["claims"], "statement", "table", "verdict", "reason", "source"),
    ]


def _reported(held: Json) -> str:
    spread = "" if held.get("sd") is None else f" ± {held['sd']:g}"
    return f"{held['value']:g}{spread} {held['unit']}"


def forensic_blocks(held: Json) -> list[Block]:
    """What follows from printed numbers alone: how often each kind of finding, then each in a sentence."""
    kinds = [{"kind": name, **entry} for name, entry in held["kinds"].items()]
    return [
        {"title": "", "lines": [held["about"]]},
        _chosen("Kinds of findings", kinds, "kind", "findings", "meaning"),
        _chosen("Findings", held["findings"], "kind", "sentence", "computed_from", "id"),
    ]


def comparison_blocks(held: Json) -> list[Block]:
    """What may be claimed of each comparison, family by family."""
    return [
        {"title": "", "lines": [held["note"]]},
        *(
            _chosen(f"{words(name)}: {family['tests']} tests", family["comparisons"], "metric", "reading", "claim")
            for name, family in held["families"].items()
        ),
    ]


VIEWS: dict[str, Callable[[Any], list[Block]]] = {
    "verdicts": verdict_blocks,
    "forensics": forensic_blocks,
    "comparisons": comparison_blocks,
}
"""Name of a finding to what makes its blocks, where `blocks` does not show it well enough."""
