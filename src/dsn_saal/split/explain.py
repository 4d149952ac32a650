"""What is in a split, for a reader: counts, the certificate, and whether the acquisition tells the class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dsn_saal.domain.errors import BadRequest
from dsn_saal.split.confounding import associations
from dsn_saal.split.table import PARTS, part_counts, parts_of

PROPERTIES = ("manufacturer", "kernel", "transfer_syntax", "matrix", "thickness_mm")
"""What should not tell the class."""

MOST_FINDINGS = 10
"""Findings of a level that the text prints."""


def explain(
    index: pd.DataFrame,
    split: pd.DataFrame,
    certificate: Mapping[str, Any],
    *,
    classes: Sequence[str],
    draw: int,
    accept: Sequence[str],
) -> dict[str, Any]:
    """Everything that `told` prints, as plain values.

    Args:
        index: rows of the preprocess stage.
        split: table of the split.
        certificate: its certificate.
        classes: names in label order.
        draw: the draw that is counted.
        accept: findings that params accept.

    Raises:
        BadRequest: where there is no such draw.
    """
    draws = int(split["draw"].nunique())
    if not 0 <= draw < draws:
        raise BadRequest("there is no such draw", value=draw, where="--draw", next_step=f"choose 0 to {draws - 1}")
    used = index["row"].isin(parts_of(split, draw).query("part != 'unused'")["row"])
    slices = index[used & (index["label"] >= 0)]
    slices = slices.assign(matrix=slices["rows"].astype(str) + " x " + slices["columns"].astype(str))
    found = associations(slices, classes, PROPERTIES)
    return {
        "draws": draws,
        "draw": draw,
        "counts": part_counts(split, classes, draw=draw),
        "certificate": {
            "verdict": certificate["verdict"],
            "levels": {
                level: {key: entry[key] for key in ("verdict", "found", "missing")}
                | {"names": [finding["name"] for finding in entry["findings"][:MOST_FINDINGS]]}
                for level, entry in certificate["levels"].items()
            },
            "label_conflicts": [finding["name"] for finding in certificate["label_conflicts"]],
            "accepted": list(accept),
        },
        "associations": [
            {
                "property": one.name,
                "cramers_v": None if math.isnan(one.cramers_v) else round(one.cramers_v, 3),
                "values": one.values,
                "warns": one.warns,
                "telling": one.telling,
            }
            for one in found
        ],
    }


def told(found: Mapping[str, Any]) -> str:
    """The same as aligned text."""
    return "\n".join([*_counts(found), "", *_certificate(found["certificate"]), "", *_associations(found)])


def _counts(found: Mapping[str, Any]) -> list[str]:
    counts = found["counts"]
    parts = [part for part in PARTS if part in counts]
    classes = list(counts[parts[0]])
    lines = [f"draw {found['draw']} of {found['draws']}: cases / slices (share of the class's slices)"]
    lines.append(f"  {'':24}" + "".join(f"{part:>24}" for part in parts))
    for name in classes:
        total = sum(counts[part][name]["slices"] for part in parts)
        cells = []
        for part in parts:
            held = counts[part][name]
            cells.append(f"{held['cases']} / {held['slices']} ({_share(held['slices'], total)})")
        lines.append(f"  {name:24}" + "".join(f"{cell:>24}" for cell in cells))
    return lines


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def _certificate(certificate: Mapping[str, Any]) -> list[str]:
    lines = [f"certificate: {certificate['verdict']}"]
    for level, entry in certificate["levels"].items():
        detail = f"{entry['found']} shared" if entry["found"] else f"{entry['missing']} without id"
        lines.append(f"  {level:16} {entry['verdict']:12}" + (detail if entry["found"] or entry["missing"] else ""))
        for name in entry["names"]:
            accepted = name in certificate["accepted"] or level in certificate["accepted"]
            lines.append(f"    {name}" + (" (accepted by params)" if accepted else ""))
        if entry["found"] > len(entry["names"]):
            lines.append(f"    and {entry['found'] - len(entry['names'])} more")
    if certificate["label_conflicts"]:
        lines.append("the same or nearly the same pixels under two labels:")
        lines += [f"  {name}" for name in certificate["label_conflicts"]]
    return lines


def _associations(found: Mapping[str, Any]) -> list[str]:
    lines = ["can the class be told from the acquisition? Cramer's V, bias-corrected, over the slices in use"]
    for one in found["associations"]:
        value = "constant" if one["cramers_v"] is None else f"{one['cramers_v']:.3f}"
        lines.append(f"  {one['property']:18} {value:>9}  {one['values']} values")
    warned = [one for one in found["associations"] if one["warns"]]
    for one in warned:
        lines.append(f"WARNING: the class can be told from {one['property']} (V = {one['cramers_v']:.2f})")
        lines += [f"  {value or '(empty)'}: {100 * share:.0f} % {name}" for value, name, share in one["telling"]]
    if not warned:
        lines.append("no warning")
    return lines
