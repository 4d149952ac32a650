"""Reported beside reproduced: a verdict with its reason for each reported number and each claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dsn_saal.audit.claims import INDICATORS, CannotTest, Outcome, experiments_of, measure_claim
from dsn_saal.audit.numbers import Against, compare
from dsn_saal.audit.statics import impossible_reading, static_verdict
from dsn_saal.domain.errors import BadRequest
from dsn_saal.domain.named import require_named
from dsn_saal.domain.origin import PHANTOM_MARK
from dsn_saal.evaluate.summaries import Json, read_summary
from dsn_saal.params.audit import ComparedSet, Family
from dsn_saal.params.audit_jobs import VerdictsJob, compared_experiments
from dsn_saal.params.reported import Claim, Reported, ReportedNumbers
from dsn_saal.statistics.printed import plural

Verdict = Literal[
    "REPRODUCED", "NOT REPRODUCED", "UNDERPOWERED", "AMBIGUOUS DEFINITION", "IMPOSSIBLE AS STATED", "NOT COMPARABLE"
]
VERDICTS: dict[Verdict, str] = {
    "REPRODUCED": "the same within the margin, and a difference that would matter is excluded; or the same arithmetic",
    "NOT REPRODUCED": "further apart than the margin",
    "UNDERPOWERED": "within the margin, but the margin is too wide to exclude a difference that would matter",
    "AMBIGUOUS DEFINITION": "the verdict depends on a definition that is not printed",
    "IMPOSSIBLE AS STATED": "printed numbers contradict each other",
    "NOT COMPARABLE": "ours and theirs are not about the same thing",
}
PICTURES = "it speaks of pictures or single errors: a person must look"


@dataclass(frozen=True)
class Measured:
    """Everything the verdicts rest on.

    Attributes:
        job: the verdicts' block.
        reported: the file of reported numbers.
        forensics: what forensics found in it.
        summaries: of every experiment that params audit name.
    """

    job: VerdictsJob
    reported: ReportedNumbers
    forensics: Json
    summaries: Mapping[str, Json]

    def obstacle(self, title: str) -> str | None:
        """Why nothing measured here can be set beside what is reported of a data set; None where it can."""
        entry = self.job.audit.sets.get(title)
        if entry is None:
            return "no experiment here is of this data set; what is reported is of its own split"
        names = [name for members in entry.methods.values() for name in members]
        if any(self.summaries[name]["origin"] == "phantom" for name in names):
            return PHANTOM_MARK
        if self.job.weights != "imagenet":
            return f"other initialisation: {self.job.weights} instead of ImageNet"
        return None


def read_measured(
    job: VerdictsJob, *, forensics: Json, reported: ReportedNumbers, summaries: Mapping[str, Path]
) -> Measured:
    """Check and read what the verdicts rest on.

    Raises:
        BadRequest: where an experiment of params audit has no summary, a summary no such experiment, a claim of params
            audit is not in the file, or forensics are of another file.
        CheckFailed: where a summary is damaged.
    """
    wanted = compared_experiments(job.audit)
    require_named("--summary", summaries, wanted)
    known = {claim.id for claim in reported.claims}
    for claim in job.audit.claims:
        if claim not in known:
            raise BadRequest(
                "there is no such claim in the file of reported numbers",
                value=claim, where=f"audit.claims, {job.reported}",
                next_step=f"name one of: {', '.join(sorted(known))}",
            )  # fmt: skip
    if forensics.get("reported") != job.reported:
        raise BadRequest(
            "forensics are of another file of reported numbers",
            value=forensics.get("reported"), where=job.reported, next_step="run dsn-saal forensics on it",
        )  # fmt: skip
    return Measured(job, reported, forensics, {name: read_summary(summaries[name], name) for name in wanted})


def verdicts_json(measured: Measured) -> dict[str, Any]:
    """What verdicts.json holds."""
    numbers = [_number(measured, row) for row in measured.reported.reported]
    claims = [_claim(measured, claim) for claim in measured.reported.claims]
    times = Counter(entry["verdict"] for entry in [*numbers, *claims])
    origins = {summary["origin"] for summary in measured.summaries.values()}
    return {
        "reported": measured.job.reported,
        "scale": measured.job.scale,
        "origin": "phantom" if "phantom" in origins else "clinical",
        "verdicts": {name: {"meaning": meaning, "times": times[name]} for name, meaning in VERDICTS.items()},
        "level": measured.job.audit.level,
        "numbers": numbers,
        "claims": claims,
        "curve": _curve(measured, claims),
    }


def _number(measured: Measured, row: Reported) -> Json:
    said = {
        "table": row.table, "method": row.method, "dataset": row.dataset, "metric": row.metric, "status": row.status,
        "reported": {"value": row.value, "sd": row.std, "n_runs": row.n_runs, "unit": row.unit}, "source": row.source,
    }  # fmt: skip
    static = static_verdict(row, measured.forensics)
    if static is not None:
        return said | static | {"ours": []}
    entry, against = measured.job.audit.sets.get(row.dataset), list[Against]()
    if entry is not None and row.method in entry.methods and row.metric in measured.job.audit.metrics:
        against = compare(row, measured.job, measured.reported, measured.summaries[entry.methods[row.method][0]])
    # beside an obstacle nothing is subtracted: a phantom's number is never held against a reported one
    compared = measured.obstacle(row.dataset) is None
    ours = [one.to_json(compared=compared) for one in against]
    return said | {"ours": ours} | _verdict_of_number(measured, row, against)


def _verdict_of_number(measured: Measured, row: Reported, against: list[Against]) -> Json:
    obstacle = measured.obstacle(row.dataset)
    if not against and row.dataset in measured.job.audit.sets:
        obstacle = "params audit name nothing here that measures it"
    if obstacle is not None:
        return {"verdict": "NOT COMPARABLE", "reason": obstacle + impossible_reading(row, measured.forensics)}
    verdicts = list(dict.fromkeys(one.verdict for one in against))
    if len(verdicts) > 1:
        told = "; ".join(f"{one.metric} {one.verdict}" for one in against)
        return {"verdict": "AMBIGUOUS DEFINITION", "reason": f"it depends on the convention: {told}"}
    return {"verdict": verdicts[0], "reason": against[0].reason}


def _claim(measured: Measured, claim: Claim) -> Json:
    said = {
        "id": claim.id, "table": claim.table, "dataset": claim.dataset, "kind": claim.kind,
        "statement": claim.statement, "source": claim.source,
    }  # fmt: skip
    static = static_verdict(claim, measured.forensics)
    if static is not None:
        return said | static | {"readings": [], "lack": static["lack"]}
    readings, why = _readings(measured, claim)
    obstacle = measured.obstacle(claim.dataset)
    told = {"readings": [_reading_json(one) for one in readings], "lack": readings[0].lack if readings else None}
    if obstacle is not None or not readings:
        reason = "; ".join(filter(None, [obstacle, why]))
        return said | told | {"verdict": "NOT COMPARABLE", "reason": reason + _on_ours(readings)}
    verdicts = list(dict.fromkeys(verdict_of_reading(one, measured.job.audit.level) for one in readings))
    verdict = verdicts[0] if len(verdicts) == 1 else "AMBIGUOUS DEFINITION"
    return said | told | {"verdict": verdict, "reason": _on_ours(readings).removeprefix("; ")}


def _readings(measured: Measured, claim: Claim) -> tuple[list[Outcome], str | None]:
    entry, test = measured.job.audit.sets.get(claim.dataset), measured.job.audit.claims.get(claim.id)
    if test is None or entry is None:
        return [], PICTURES if claim.kind == "qualitative" else None
    try:
        return _measured(measured, claim, test, entry), None
    except CannotTest as reason:
        return [], str(reason)


def _measured(measured: Measured, claim: Claim, test: str, entry: ComparedSet) -> list[Outcome]:
    names, families = experiments_of(claim, test, entry), list[Family]()
    for metric in claim.metrics:
        if metric == "all":
            families += INDICATORS
        elif metric in measured.job.audit.metrics:
            families.append(measured.job.audit.metrics[metric])
        else:
            raise CannotTest(f"params audit name no metric for {metric!r}")
    positive = measured.job.positive[claim.dataset]
    return measure_claim(claim, test, names, measured.summaries, tuple(dict.fromkeys(families)), positive)


def verdict_of_reading(one: Outcome, level: float) -> Verdict:
    """All runs agree, and so many that chance alone seldom makes them agree (two-sided sign test)."""
    certain = 0.5 ** (len(one.runs) - 1) <= 1 - level
    if one.holds and one.runs_that_hold == len(one.runs) and certain:
        return "REPRODUCED"
    if not one.holds and one.runs_that_hold == 0 and certain:
        return "NOT REPRODUCED"
    return "UNDERPOWERED"


def _on_ours(readings: list[Outcome]) -> str:
    if not readings:
        return ""
    first, others = readings[0], sum(one.holds for one in readings[1:])
    more = f", and under {others} of {len(readings) - 1} other conventions" if len(readings) > 1 else ""
    holds = "holds" if first.holds else "does not hold"
    return (
        f"; on what was measured here it {holds} in the mean, in {first.runs_that_hold} of "
        f"{plural(len(first.runs), 'run')}{more}"
    )


def _reading_json(one: Outcome) -> Json:
    return {
        "metrics": one.metrics, "lack": one.lack, "holds": one.holds, "runs": len(one.runs),
        "runs_that_hold": one.runs_that_hold,
    }  # fmt: skip


def _curve(measured: Measured, claims: list[Json]) -> Json:
    """How many claims hold when each may lack as much as a margin."""
    lacks = [claim["lack"] for claim in claims if claim["lack"] is not None]
    curve = measured.job.audit.curve
    margins = [curve.until * step / (curve.steps - 1) for step in range(curve.steps)]
    return {
        "margins": margins,
        "hold": [sum(lack < margin or (lack < 0) for lack in lacks) for margin in margins],
        "claims": len(lacks),
        "left_out": [claim["id"] for claim in claims if claim["lack"] is None],
    }
