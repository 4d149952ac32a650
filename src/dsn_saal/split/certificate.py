"""The certificate that training requires: at which levels the two parts of a split are disjoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Verdict = Literal["PROVEN", "VIOLATED", "UNPROVABLE"]


def shared_names(keys: Sequence[str], parts: Sequence[str]) -> list[str]:
    """Keys that stand in more than one part, sorted; an empty key is no key."""
    part_of: dict[str, set[str]] = {}
    for key, part in zip(keys, parts, strict=True):
        if key:
            part_of.setdefault(key, set()).add(part)
    return sorted(key for key, seen in part_of.items() if len(seen) > 1)


def level_verdict(keys: Sequence[str], parts: Sequence[str]) -> tuple[Verdict, list[str]]:
    """Whether the parts share a key: VIOLATED with the keys, UNPROVABLE where keys are missing, else PROVEN."""
    shared = shared_names(keys, parts)
    if shared:
        return "VIOLATED", shared
    return ("PROVEN" if all(keys) else "UNPROVABLE"), []


def conflicting_labels(pixels: Sequence[str], labels: Sequence[int]) -> list[str]:
    """Pixel hashes that carry more than one label, sorted."""
    labels_of: dict[str, set[int]] = {}
    for key, label in zip(pixels, labels, strict=True):
        if key:
            labels_of.setdefault(key, set()).add(int(label))
    return sorted(key for key, seen in labels_of.items() if len(seen) > 1)


def certify(
    levels: Mapping[str, Sequence[str]], parts: Sequence[str], labels: Sequence[int], pixel_level: str = "pixel"
) -> dict[str, Any]:
    """The certificate of a split.

    Args:
        levels: level name (case, study, series, sop, file, pixel, ...) to one key per slice, "" where it has none.
        parts: "train" or "test" per slice.
        labels: label per slice.
        pixel_level: the level whose keys name identical pixels, for label conflicts.

    Returns:
        {"verdict", "levels": {level: {"verdict", "shared", "missing"}}, "label_conflicts"}. The whole is VIOLATED if
        one level is, PROVEN if every level is, else UNPROVABLE.
    """
    found: dict[str, dict[str, Any]] = {}
    for level, keys in levels.items():
        verdict, shared = level_verdict(keys, parts)
        found[level] = {"verdict": verdict, "shared": shared, "missing": sum(not key for key in keys)}
    verdicts = {entry["verdict"] for entry in found.values()}
    whole = "VIOLATED" if "VIOLATED" in verdicts else "UNPROVABLE" if "UNPROVABLE" in verdicts else "PROVEN"
    return {"verdict": whole, "levels": found, "label_conflicts": conflicting_labels(levels[pixel_level], labels)}
