"""Tables of the audit: what forensics found, and what was reported beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsn_saal.audit.results import read_result
from dsn_saal.domain.origin import PHANTOM_MARK
from dsn_saal.params.table_jobs import AuditTableJob
from dsn_saal.statistics.printed import MISSING, listed, metric, plural, signed
from dsn_saal.tables.table import Table

HOLDS = "CONSISTENT"
UNMEASURED = "NOT COMPARABLE"


def make_table(job: AuditTableJob, *, audit: Path) -> Table:
    """The table that the job names, from the file that the audit wrote.

    Args:
        job: which table, and of which file of reported numbers.
        audit: forensics.json or verdicts.json.

    Raises:
        BadRequest: where the file is missing.
        CheckFailed: where it is damaged, or of another file of reported numbers.
    """
    held = read_result(audit, f"result of the audit for table {job.id}", reported=job.reported)
    return {"forensics": _forensics, "verdicts": _verdicts}[job.id](held)


def _forensics(held: Mapping[str, Any]) -> Table:
    shown = [finding for finding in held["findings"] if finding["kind"] != HOLDS]
    good = len(held["findings"]) - len(shown)
    meanings = [
        f"{kind}: {entry['meaning']}." for kind, entry in held["kinds"].items() if kind != HOLDS and entry["findings"]
    ]
    return Table(
        id="forensics",
        title="What the reported numbers say of themselves, without data",
        columns=("kind", "finding"),
        rows=tuple((finding["kind"], finding["sentence"]) for finding in shown),
        footnotes=(
            f"{plural(len(held['findings']), 'check')} were made of {held['reported']}; {good} hold and are not shown.",
            " ".join(meanings),
            held["about"],
        ),
        origin=None,
        align="ll",
    )


def _verdicts(held: Mapping[str, Any]) -> Table:
    claims = [_claim_row(claim) for claim in held["claims"]]
    shown = [one for one in held["numbers"] if one["ours"] or one["verdict"] not in ("REPRODUCED", UNMEASURED)]
    rest = [one for one in held["numbers"] if one not in shown]
    same = sum(one["verdict"] == "REPRODUCED" for one in rest)
    columns = ("Table", "what", "reported", "ours", "difference", "margin", "verdict", "reason")
    notes = [
        f"{plural(len(held['numbers']), 'number')} and {plural(len(claims), 'claim')} are reported: "
        + listed([f"{entry['times']} {name}" for name, entry in held["verdicts"].items() if entry["times"]])
        + f". Not shown: {plural(same, 'number')} that the same arithmetic gives, and {len(rest) - same} that are "
        "counts of data that are not here or quoted from other splits.",
        " ".join(f"{name}: {entry['meaning']}." for name, entry in held["verdicts"].items() if entry["times"]),
    ]
    if held["origin"] == "phantom":
        notes.append(
            f"What was measured on {PHANTOM_MARK} is not set beside a reported number; whether a claim about an order "
            "or a trend holds on them tells of the program only."
        )
    return Table(
        id="verdicts",
        title="Reported beside reproduced",
        columns=columns,
        rows=(*(_number_row(one) for one in shown), *claims),
        footnotes=tuple(notes),
        origin=held["origin"],
        align="llrrrrll",
    )


def _number_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    reported, ours = one["reported"], one["ours"][0] if one["ours"] else None
    sd = "" if reported["sd"] is None else f" ± {reported['sd']:g}"
    is_compared = ours is not None and ours["difference"] is not None
    return (
        one["table"],
        f"{one['metric']}, {one['method']}, {one['dataset']}",
        f"{reported['value']:g}{sd}",
        f"{metric(ours['mean'])} ± {metric(ours['sd'])}" if is_compared and ours else MISSING,
        signed(ours["difference"]) if is_compared and ours else MISSING,
        metric(ours["margin"]["value"]) if is_compared and ours and ours["margin"] else MISSING,
        one["verdict"],
        one["reason"],
    )


def _claim_row(claim: Mapping[str, Any]) -> tuple[str, ...]:
    return (claim["table"], claim["statement"], *(MISSING,) * 4, claim["verdict"], claim["reason"])
