"""Claims of the text on our numbers: how much is lacking for each, in the mean and in each run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dsn_saal.evaluate.summaries import Json
from dsn_saal.params.audit import ComparedSet, Family
from dsn_saal.params.reported import PER_CENT, Claim
from dsn_saal.statistics.counting import decimals_of

Measured = Callable[[str, str], float]
"""A metric of an experiment, in one run or in the mean of them."""

INDICATORS: tuple[Family, ...] = ("accuracy", "f1", "g_mean", "sensitivity", "specificity")
"""What `all` indicators are."""


@dataclass(frozen=True)
class Outcome:
    """A claim under one reading of the metrics.

    Attributes:
        metrics: the metrics it was tested on.
        lack: what the mean over runs lacks; below 0 the claim holds.
        runs: what each run lacks.
    """

    metrics: tuple[str, ...]
    lack: float
    runs: tuple[float, ...]

    @property
    def holds(self) -> bool:
        """Whether it holds in the mean."""
        return self.lack < 0

    @property
    def runs_that_hold(self) -> int:
        """In how many runs it holds."""
        return sum(lack < 0 for lack in self.runs)


class CannotTest(Exception):
    """Why a claim cannot be tested on these summaries."""


def conventions(family: Family, summary: Json, positive: str) -> tuple[str, ...]:
    """Metrics that a family may mean, the primary one first."""
    if family not in summary["primary"]:
        return (f"{family}.{positive}",)
    primary = summary["primary"][family]
    classes = {f"{family}.{name}" for name in summary["classes"]}
    others = [name for name in summary["metrics"] if name.startswith(f"{family}.") and name not in classes]
    return (primary, *(name for name in others if name != primary))


def measure_claim(
    claim: Claim,
    test: str,
    names: list[tuple[str, ...]],
    summaries: Mapping[str, Json],
    families: Sequence[Family],
    positive: str,
) -> list[Outcome]:
    """The claim under every reading: the primary conventions first, then the others of every family, one by one.

    Args:
        claim: what is claimed.
        test: how it is tested; see params.audit.Test.
        names: experiments of the subject and of its rivals; see `experiments_of`.
        summaries: of these experiments.
        families: of the claim's metrics.
        positive: the positive class.

    Raises:
        CannotTest: where a run leaves a metric undefined.
    """
    first = summaries[names[0][0]]
    options = [conventions(family, first, positive) for family in families]
    readings = []
    for place in range(max(len(option) for option in options)):
        metrics = tuple(option[min(place, len(option) - 1)] for option in options)
        try:
            measured = _measurements(names, summaries, metrics)
        except CannotTest:
            if not place:
                raise
            continue  # another convention that is undefined in a run tells nothing
        lacks = [_lack(claim, test, names, metrics, at) for at in measured]
        readings.append(Outcome(metrics, lacks[0], tuple(lacks[1:])))
    return readings


def experiments_of(claim: Claim, test: str, entry: ComparedSet) -> list[tuple[str, ...]]:
    """Subject and rivals of a claim as lists of experiments; raises CannotTest where a method has none here."""
    if test in ("falls", "falls_less", "rises", "stays_above_zero"):
        if entry.falling is None:
            raise CannotTest("no experiments with falling shares are named in params audit")
        return [entry.falling.method, entry.falling.baseline]
    if test == "first_pair_gains_most":
        return [_of(entry, "backbone + DSN"), _of(entry, "same backbone")]
    rivals = [_of(entry, title) for title in claim.versus]
    return [_of(entry, claim.subject), tuple(name for members in rivals for name in members)]


def _of(entry: ComparedSet, title: str) -> tuple[str, ...]:
    if title not in entry.methods:
        raise CannotTest(f"params audit name no experiment for {title!r}")
    return entry.methods[title]


def _measurements(
    names: list[tuple[str, ...]], summaries: Mapping[str, Json], metrics: tuple[str, ...]
) -> list[Measured]:
    """The mean, then each run that finished in all experiments."""
    used = [summaries[name] for members in names for name in members]
    shared = sorted(set.intersection(*(set(summary["finished"]) for summary in used)))
    if not shared or any(summary["metrics"][metric]["mean"] is None for summary in used for metric in metrics):
        raise CannotTest("a metric is undefined in a run, or no run finished in all experiments")

    def mean(name: str, metric: str) -> float:
        return float(summaries[name]["metrics"][metric]["mean"])

    def of_run(run: int) -> Measured:
        def value(name: str, metric: str) -> float:
            summary = summaries[name]
            return float(summary["metrics"][metric]["values"][summary["finished"].index(run)])

        return value

    return [mean, *(of_run(run) for run in shared)]


def _lack(claim: Claim, test: str, names: list[tuple[str, ...]], metrics: tuple[str, ...], at: Measured) -> float:
    return max(TESTS[test](claim, *names, metric, at) for metric in metrics)


def _above_all(claim: Claim, subject: tuple[str, ...], rivals: tuple[str, ...], metric: str, at: Measured) -> float:
    return max(at(rival, metric) for rival in rivals) - at(subject[0], metric)


def _below_all(claim: Claim, subject: tuple[str, ...], rivals: tuple[str, ...], metric: str, at: Measured) -> float:
    return at(subject[0], metric) - min(at(rival, metric) for rival in rivals)


def _above_its_pair(
    claim: Claim, subject: tuple[str, ...], rivals: tuple[str, ...], metric: str, at: Measured
) -> float:
    return max(at(rival, metric) - at(one, metric) for one, rival in zip(subject, rivals, strict=True))


def _first_pair(claim: Claim, subject: tuple[str, ...], rivals: tuple[str, ...], metric: str, at: Measured) -> float:
    gains = [at(one, metric) - at(rival, metric) for one, rival in zip(subject, rivals, strict=True)]
    return max(gains[1:]) - gains[0]


def _gains(claim: Claim, subject: tuple[str, ...], rivals: tuple[str, ...], metric: str, at: Measured) -> float:
    """How far the range of the gains is from the printed one, under the reading that comes nearer."""
    if not isinstance(claim.value, tuple) or claim.unit is None:
        raise CannotTest("the claim prints no range")
    low, high = (gain * PER_CENT[claim.unit] for gain in claim.value)
    value, others = at(subject[0], metric), [at(rival, metric) for rival in rivals]
    absolute = [value - other for other in others]
    relative = [(value - other) / other if other else float("inf") for other in others]
    half = 0.5 * 10.0 ** -decimals_of(claim.value) * PER_CENT[claim.unit]
    return min(max(abs(min(gains) - low), abs(max(gains) - high)) for gains in (absolute, relative)) - half


def _falls(claim: Claim, method: tuple[str, ...], baseline: tuple[str, ...], metric: str, at: Measured) -> float:
    return max(
        at(after, metric) - at(before, metric) for names in (method, baseline) for before, after in pairwise(names)
    )


def _falls_less(claim: Claim, method: tuple[str, ...], baseline: tuple[str, ...], metric: str, at: Measured) -> float:
    lost = [at(names[0], metric) - at(names[-1], metric) for names in (method, baseline)]
    return lost[0] - lost[1]


def _rises(claim: Claim, method: tuple[str, ...], baseline: tuple[str, ...], metric: str, at: Measured) -> float:
    """Higher with less data, or higher than the baseline's at the smallest share: the reading that comes nearer."""
    last = at(method[-1], metric)
    return min(at(method[0], metric) - last, at(baseline[-1], metric) - last)


def _above_zero(claim: Claim, method: tuple[str, ...], baseline: tuple[str, ...], metric: str, at: Measured) -> float:
    return -at(method[-1], metric)


TESTS: dict[str, Any] = {
    "above_all": _above_all,
    "below_all": _below_all,
    "gains": _gains,
    "above_its_pair": _above_its_pair,
    "first_pair_gains_most": _first_pair,
    "falls": _falls,
    "falls_less": _falls_less,
    "rises": _rises,
    "stays_above_zero": _above_zero,
}
"""How each test of params.audit.Test measures what is lacking."""
