"""Verdicts that need no measurement: sums, splits, shares, parameters, rates of published matrices."""

from __future__ import annotations

from typing import Any

from dsn_saal.audit.tallies import entry
from dsn_saal.evaluate.summaries import Json
from dsn_saal.params.reported import Claim, Reported

SUMS = ("sum.", "split_sum.", "each_class.", "kept.")
BETWEEN_SOURCES = "two_counts."
RATES = ("recomputed.", "parameters.")
ROW = "matrix."
"""Ids of the findings about whole rows of rates."""


def static_verdict(item: Reported | Claim, forensics: Json) -> Json | None:
    """A verdict from forensics alone; None where the item needs a measurement.

    Args:
        item: a reported number or a claim.
        forensics: what forensics.json holds.

    Returns:
        verdict, reason, findings, and for a claim what it lacks (-1 where it holds whatever the margin, else None).
    """
    if isinstance(item, Claim):
        return _of_claim(item, forensics)
    if item.metric == "params_added_max":
        return _parameters(forensics)
    name = entry(item)
    if item.unit != "count" and item.status != "computed":
        dead = [one for one in forensics["findings"] if one["kind"] == "IMPOSSIBLE" and name in one["computed_from"]]
        return _said("IMPOSSIBLE AS STATED", dead) if dead else None
    found = [finding for finding in forensics["findings"] if name in finding["computed_from"]]
    good = [one for one in found if one["kind"] in ("CONSISTENT", "AMBIGUOUS") and one["id"].startswith(SUMS + RATES)]
    wrong = [one for one in found if one["kind"] == "CONFLICT" and one["id"].startswith(SUMS + RATES)]
    split = [one for one in found if one["id"].startswith(BETWEEN_SOURCES)]
    for verdict, held in (("REPRODUCED", good), ("IMPOSSIBLE AS STATED", wrong), ("AMBIGUOUS DEFINITION", split)):
        if held:
            return _said(verdict, held)
    return None if item.unit != "count" else _said("NOT COMPARABLE", [], "a count of a data set that is not here")


def impossible_reading(row: Reported, forensics: Json) -> str:
    """A clause that says so where the number's row is impossible under the conventions that stand first."""
    for finding in forensics["findings"]:
        if finding["id"].startswith(ROW) and entry(row) in finding["computed_from"] and finding["kind"] == "CONFLICT":
            first = finding["numbers"]["readings"][0]
            return f"; read as {', '.join(first['metrics'])} the printed row itself is {first['verdict']}"
    return ""


def _of_claim(claim: Claim, forensics: Json) -> Json | None:
    if claim.testable != "static":
        return None
    found = _parameters(forensics)
    return None if found is None else found | {"lack": -1.0 if found["verdict"] == "REPRODUCED" else None}


def _parameters(forensics: Json) -> Json | None:
    """The bound on added parameters: kept by the reading that is built by default, on every backbone."""
    for finding in forensics["findings"]:
        if finding["id"].startswith("parameters."):
            readings = finding["numbers"]["readings"]
            kept = [one for one in readings if one["fuse_channels"] == 1]
            verdict = "REPRODUCED" if all(one["within"] for one in kept) else "NOT REPRODUCED"
            return _said(verdict, [finding])
    return None


def _said(verdict: str, findings: list[Any], reason: str = "") -> Json:
    told = reason or " ".join(finding["sentence"] for finding in findings[:1])
    return {"verdict": verdict, "reason": told, "findings": [finding["id"] for finding in findings]}
