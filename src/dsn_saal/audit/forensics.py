"""Is each reported number possible at all? Answered from the file of reported numbers, without data or training."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dsn_saal.audit.budget import budget_findings
from dsn_saal.audit.counts import count_findings
from dsn_saal.audit.findings import KINDS, Finding
from dsn_saal.audit.matrices import matrix_findings
from dsn_saal.audit.rates import rate_findings
from dsn_saal.audit.words import word_findings
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.reported import ReportedNumbers
from dsn_saal.statistics.one_thread import one_thread

ABOUT = (
    "Computed from printed numbers alone. Proven means: no confusion matrix, counts or fractions, does better, up to "
    "floating-point error. Not found means only that."
)


def examine(reported: ReportedNumbers, tick: Callable[[str], None] = lambda words: None) -> list[Finding]:
    """Every finding, worst kind first, in the order of the file within a kind.

    Args:
        reported: the file.
        tick: called with a few words before each piece of long work.
    """
    with one_thread():
        rates = list(rate_findings(reported, tick))
    found = [
        *count_findings(reported),
        *rates,
        *matrix_findings(reported),
        *budget_findings(reported),
        *word_findings(reported),
    ]
    twice = [name for name, times in Counter(finding.id for finding in found).items() if times > 1]
    if twice:
        raise CheckFailed("two findings have one id", value=", ".join(twice), next_step="name the entries apart")
    order = list(KINDS)
    return sorted(found, key=lambda finding: order.index(finding.kind))


def forensics_json(findings: list[Finding], reported: Path) -> dict[str, Any]:
    """What forensics.json holds."""
    times = Counter(finding.kind for finding in findings)
    return {
        "about": ABOUT,
        "reported": reported.as_posix(),
        "kinds": {kind: {"meaning": meaning, "findings": times[kind]} for kind, meaning in KINDS.items()},
        "findings": [finding.to_json() for finding in findings],
    }


def read_forensics(path: Path) -> dict[str, Any]:
    """What forensics.json holds; raises BadRequest where it is missing and CheckFailed where it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest("there are no forensics", value=path, next_step="run dsn-saal forensics") from None
    except ValueError as error:
        raise CheckFailed(
            "forensics are damaged", value=str(error), where=path, next_step="run dsn-saal forensics again"
        ) from None
    return dict(found)
