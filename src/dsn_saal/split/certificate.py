"""The certificate of disjointness: what parts share, what cannot be known, and which pixels carry two labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

NearPair = tuple[int, int, float]
"""Two slices that look nearly the same, and the correlation of their pixels."""

KEPT_APART = ("train", "validation", "test")
"""Parts of which no two may share anything."""

MOST_LISTED = 200
"""Findings of a level that are written out; all are counted."""

MOST_NAMED = 3
"""Slices that a finding's name holds."""

DECISIVE = ("case", "file", "pixel", "near_duplicate")
"""Levels that must be proven for the whole to be: a study, a series, an instance belongs to one case, so where the
cases are disjoint an id of theirs that is missing hides nothing."""

RULE = (
    "PROVEN: case, file, pixel and near-duplicate level are proven and no level is violated. VIOLATED: a level is. "
    "UNPROVABLE: none is, and ids of a decisive level are missing."
)

Finding = dict[str, Any]


def certify(
    levels: Mapping[str, Sequence[str]],
    near: Sequence[NearPair],
    parts: Sequence[Sequence[str] | NDArray[np.str_]],
    *,
    labels: Sequence[int],
    names: Sequence[str],
) -> dict[str, Any]:
    """The certificate of a split over all its draws.

    Args:
        levels: level name (case, study, series, sop, file, pixel, ...) to one key per slice, "" where it has none.
        near: near duplicates among the slices, see near_duplicates.near_pairs.
        parts: per draw the part of every slice.
        labels: label per slice.
        names: how a finding names each slice: its path as the manifest holds it.

    Returns:
        "verdict", "rule", "draws", "levels" (level to "verdict", "found", "missing" and at most MOST_LISTED "findings",
        each with the "name" that params may accept), "label_conflicts" and "label_conflicts_total".
    """
    rows = [np.asarray(draw) for draw in parts]
    conflicts = label_conflicts(levels["pixel"], near, labels, names)
    return disjointness(levels, near, rows, labels=labels, names=names) | {
        "label_conflicts": conflicts[:MOST_LISTED],
        "label_conflicts_total": len(conflicts),
    }


def disjointness(
    levels: Mapping[str, Sequence[str]],
    near: Sequence[NearPair],
    parts: Sequence[NDArray[np.str_]],
    *,
    labels: Sequence[int],
    names: Sequence[str],
) -> dict[str, Any]:
    """What `certify` says but for the conflicts of labels, from the same arguments."""
    held = {level: _level(level, np.asarray(keys, dtype=str), parts, labels, names) for level, keys in levels.items()}
    held["near_duplicate"] = _near(near, parts, labels, names)
    verdict = _whole({level: entry["verdict"] for level, entry in held.items()})
    return {"verdict": verdict, "rule": RULE, "draws": len(parts), "levels": held}


def _whole(verdicts: Mapping[str, str]) -> str:
    if "VIOLATED" in verdicts.values():
        return "VIOLATED"
    return "PROVEN" if all(verdicts.get(level) == "PROVEN" for level in DECISIVE) else "UNPROVABLE"


def _level(
    level: str, keys: NDArray[np.str_], draws: Sequence[NDArray], labels: Sequence[int], names: Sequence[str]
) -> dict[str, Any]:
    """Verdict on one level: what keys stand in two parts of a draw."""
    shared: dict[str, set[int]] = {}
    for number, parts in enumerate(draws):
        for key in _shared_keys(keys, parts):
            shared.setdefault(key, set()).add(number)
    members: dict[str, list[int]] = {key: [] for key in sorted(shared)}
    for at, key in enumerate(keys.tolist()):
        if key in members:
            members[key].append(at)
    named = level in ("file", "pixel")  # an id names itself, a digest is told by the files that have it
    findings = [
        _finding(f"{level}: {_joined([names[at] for at in at_key]) if named else key}", at_key, labels, names)
        | {"draws": sorted(shared[key])}
        for key, at_key in members.items()
    ]
    missing = int((keys == "").sum())
    verdict = "VIOLATED" if findings else "UNPROVABLE" if missing else "PROVEN"
    return _entry(verdict, findings, missing)


def _shared_keys(keys: NDArray[np.str_], parts: NDArray[np.str_]) -> set[str]:
    held = [set(keys[parts == part].tolist()) - {""} for part in KEPT_APART]
    return {key for one, other in combinations(held, 2) for key in one & other}


def _near(
    near: Sequence[NearPair], draws: Sequence[NDArray], labels: Sequence[int], names: Sequence[str]
) -> dict[str, Any]:
    findings = []
    for i, j, correlation in near:
        torn = [
            number
            for number, parts in enumerate(draws)
            if parts[i] != parts[j] and parts[i] in KEPT_APART and parts[j] in KEPT_APART
        ]
        if torn:
            finding = _finding(near_name(i, j, names), [i, j], labels, names)
            findings.append(finding | {"draws": torn, "correlation": round(correlation, 4)})
    return _entry("VIOLATED" if findings else "PROVEN", findings, 0)


def near_name(i: int, j: int, names: Sequence[str]) -> str:
    """The name of a near-duplicate finding."""
    return f"near_duplicate: {_joined([names[i], names[j]])}"


def _entry(verdict: str, findings: list[Finding], missing: int) -> dict[str, Any]:
    ordered = sorted(findings, key=lambda finding: finding["name"])
    return {"verdict": verdict, "found": len(ordered), "missing": missing, "findings": ordered[:MOST_LISTED]}


def _finding(name: str, members: Sequence[int], labels: Sequence[int], names: Sequence[str]) -> Finding:
    return {
        "name": name,
        "members": [names[at] for at in members[:MOST_NAMED]],
        "members_total": len(members),
        "labels": sorted({int(labels[at]) for at in members}),
    }


def _joined(names: Sequence[str]) -> str:
    ordered = sorted(names)
    more = f" = and {len(ordered) - MOST_NAMED} more" if len(ordered) > MOST_NAMED else ""
    return " = ".join(ordered[:MOST_NAMED]) + more


def refused(levels: Mapping[str, Mapping[str, Any]], accept: Sequence[str]) -> dict[str, list[str]]:
    """The findings that nobody accepted, by level; of a level with more than are listed only the whole can be accepted.

    Args:
        levels: "levels" of a certificate.
        accept: names of findings, and of levels as a whole.
    """
    left = {}
    for level, entry in levels.items():
        if entry["verdict"] == "VIOLATED" and level not in accept:
            names = [finding["name"] for finding in entry["findings"] if finding["name"] not in accept]
            if names or int(entry["found"]) > len(entry["findings"]):
                left[level] = names
    return left


def label_conflicts(
    pixels: Sequence[str], near: Sequence[NearPair], labels: Sequence[int], names: Sequence[str]
) -> list[Finding]:
    """Equal or nearly equal pixels under different labels, in whatever parts: one of the labels is wrong."""
    by_pixels: dict[str, list[int]] = {}
    for at, key in enumerate(pixels):
        if key:
            by_pixels.setdefault(key, []).append(at)
    found: list[Finding] = []
    for members in by_pixels.values():
        carried = sorted({int(labels[at]) for at in members})
        if len(carried) > 1:
            found.append({"name": f"same pixels: {_joined([names[at] for at in members])}", "labels": carried})
    for i, j, correlation in near:
        if labels[i] != labels[j] and pixels[i] != pixels[j]:
            carried = sorted({int(labels[i]), int(labels[j])})
            found.append({"name": near_name(i, j, names), "labels": carried, "correlation": round(correlation, 4)})
    return sorted(found, key=lambda finding: finding["name"])
