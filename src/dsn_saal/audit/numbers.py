"""One reported number against ours, under every convention that its name may mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

from dsn_saal.audit.claims import conventions
from dsn_saal.audit.tallies import part_counts
from dsn_saal.evaluate.summaries import Json
from dsn_saal.params.audit_jobs import VerdictsJob
from dsn_saal.params.reported import PER_CENT, Reported, ReportedNumbers
from dsn_saal.statistics.equivalence import Margin, agreement, noise_margin
from dsn_saal.statistics.printed import metric as printed

SAID = {"agrees": "REPRODUCED", "differs": "NOT REPRODUCED", "cannot tell": "UNDERPOWERED"}


@dataclass(frozen=True)
class Against:
    """Our number under one convention.

    Attributes:
        metric: the convention.
        mean: over our runs.
        sd: over our runs.
        n_runs: that finished.
        interval: over our test cases.
        difference: ours minus the reported one.
        margin: what noise may make of it; None where a term is missing.
        bound: a difference that would matter.
        bound_origin: where the bound comes from.
        verdict: under this convention, if ours and theirs were comparable.
        reason: of that verdict.
    """

    metric: str
    mean: float | None
    sd: float | None
    n_runs: int
    interval: tuple[float, float] | None
    difference: float | None
    margin: Margin | None
    bound: float
    bound_origin: str
    verdict: str
    reason: str

    def to_json(self, *, compared: bool) -> dict[str, Any]:
        """As JSON holds it, with the origin of the margin in words; what compares is left out unless `compared`."""
        if not compared:
            return asdict(self) | dict.fromkeys(("difference", "margin", "verdict", "reason"))
        margin = None if self.margin is None else asdict(self.margin) | {"origin": margin_origin(self.margin)}
        return asdict(self) | {"margin": margin}


def margin_origin(margin: Margin) -> str:
    """Where a margin comes from."""
    return (
        f"t = {margin.t:.2f} ({margin.freedom:.1f} degrees of freedom) times the root of the summed squares of four "
        f"standard errors: over reported runs {margin.runs_reported:.4f} (reported sd), over our runs "
        f"{margin.runs_ours:.4f} (measured), over our test cases {margin.cases_ours:.4f} (bootstrap of cases), over "
        f"theirs {margin.cases_reported:.4f} (ours, scaled by the number of cases: the split differs)"
    )


def compare(row: Reported, job: VerdictsJob, reported: ReportedNumbers, summary: Json) -> list[Against]:
    """The number against each convention of its family, the primary one first; empty where the number is no share."""
    value = row.share
    if value is None:
        return []
    bound, origin = _bound(row, job, reported)
    cases = sum(part_counts(reported, row.dataset, "test", "cases").values())
    names = conventions(job.audit.metrics[row.metric], summary, job.positive[row.dataset])
    return [_against(row, value, name, summary, job.audit.level, bound, origin, cases) for name in names]


def _bound(row: Reported, job: VerdictsJob, reported: ReportedNumbers) -> tuple[float, str]:
    """A difference that would matter: the smallest gain that is printed of the metric, else that of params."""
    for claim in reported.claims:
        gain = claim.value if claim.kind == "gain_range" else None
        fits = (claim.table, claim.dataset, claim.metrics) == (row.table, row.dataset, (row.metric,))
        if fits and isinstance(gain, tuple) and claim.unit in PER_CENT:
            return min(gain) * PER_CENT[claim.unit], f"the smallest gain that is printed of it (claim {claim.id})"
    return job.audit.largest_margin, "params audit.largest_margin: no gain of it is printed"


def _against(
    row: Reported, value: float, name: str, summary: Json, level: float, bound: float, origin: str, cases: int
) -> Against:
    held, runs = summary["metrics"][name], len(summary["finished"])
    interval = held["interval"]
    margin, difference = None, None if held["mean"] is None else held["mean"] - value
    whole = held["sd"] is not None and row.std is not None and interval is not None and (row.n_runs or 0) > 1 and cases
    if whole and runs > 1:
        z = NormalDist().inv_cdf((1 + summary["interval"]["level"]) / 2)
        margin = noise_margin(
            sd_reported=row.std * PER_CENT[row.unit] if row.std is not None else 0.0,
            n_reported=row.n_runs or 0, sd_ours=held["sd"], n_ours=runs,
            case_error=(interval[1] - interval[0]) / (2 * z),
            cases_ours=summary["n_cases"], cases_reported=cases, level=level,
        )  # fmt: skip
    verdict, reason = _said(difference, margin, bound, level)
    kept = None if interval is None else (interval[0], interval[1])
    return Against(name, held["mean"], held["sd"], runs, kept, difference, margin, bound, origin, verdict, reason)


def _said(difference: float | None, margin: Margin | None, bound: float, level: float) -> tuple[str, str]:
    if difference is None or margin is None:
        return "UNDERPOWERED", "no margin: a spread over runs or an interval over cases is missing on one side"
    said = agreement(difference, margin, bound, level)
    words = {
        "agrees": f"{printed(abs(difference))} apart, margin {printed(margin.value)}; {printed(bound)} is excluded",
        "differs": f"{printed(abs(difference))} apart, margin {printed(margin.value)}",
        "cannot tell": f"{printed(abs(difference))} apart, margin {printed(margin.value)}: a difference of "
        f"{printed(bound)} cannot be excluded",
    }
    return SAID[said], words[said]
