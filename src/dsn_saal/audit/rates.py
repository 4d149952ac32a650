"""Findings about rates: can one confusion matrix, or a mean of runs, give a printed row; what does its ± cover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dsn_saal.audit.findings import Finding, per_cent, slug
from dsn_saal.audit.rows import RateRow, rate_rows
from dsn_saal.audit.tallies import entry, part_counts
from dsn_saal.params.reported import PER_CENT, ReportedNumbers
from dsn_saal.statistics.counting import is_telling, whole_behind
from dsn_saal.statistics.feasible import Problem
from dsn_saal.statistics.intervals import wilson
from dsn_saal.statistics.over_runs import MeanBound, furthest_run, mean_of_runs
from dsn_saal.statistics.printed import count, interval, listed
from dsn_saal.statistics.single_matrix import Fit, fit_matrix

Tick = Callable[[str], None]
"""Called with a few words before each piece of long work."""

LEVEL = 0.95
"""Coverage of the intervals of a proportion."""


@dataclass(frozen=True)
class Reading:
    """A row under one combination of conventions.

    Attributes:
        names: metric behind each number of the row.
        fit: the nearest confusion matrix.
        mean: the nearest mean of runs; None where the row is no mean of runs, or one matrix fits.
    """

    names: tuple[str, ...]
    fit: Fit
    mean: MeanBound | None

    @property
    def verdict(self) -> str:
        """What is proven, and what only was not found."""
        if self.fit.fits:
            return "fits" if (self.fit.whole_miss or 0) <= self.fit.half else "fits in fractions of items only"
        if not self.fit.is_impossible:
            return "no matrix found, none excluded"
        if self.mean is None:
            return "impossible"
        if self.mean.proven > self.fit.half:
            return "impossible, for a mean of runs too"
        return "impossible for one matrix, a mean of runs not excluded"

    @property
    def is_impossible(self) -> bool:
        """Whether neither one matrix nor, where the row is one, a mean of runs can give the row."""
        return self.fit.is_impossible and (self.mean is None or self.mean.proven > self.fit.half)


def readings(row: RateRow, tick: Tick) -> list[Reading]:
    """The row under every combination of conventions."""
    found = []
    for names in row.combinations:
        tick(f"{row.method}: {', '.join(names)}")
        problem = Problem(np.array(list(row.totals.values()), dtype=np.float64), row.positive, names)
        fit = fit_matrix(problem, row.targets, row.half)
        found.append(Reading(names, fit, _mean(problem, row, fit)))
    return found


def _mean(problem: Problem, row: RateRow, fit: Fit) -> MeanBound | None:
    if fit.fits or row.sds is None or not row.n_runs or row.n_runs < 2:
        return None
    # the printed mean and the printed sd are rounded: a run may be that much further away
    reach = [furthest_run(sd + row.half, row.n_runs) + row.half for sd in row.sds]
    return mean_of_runs(problem, row.targets, reach, gap=row.half / 2, enough=row.half)


def rate_findings(reported: ReportedNumbers, tick: Tick) -> Iterator[Finding]:
    """Everything that confusion matrices say of printed rates."""
    for row in rate_rows(reported):
        if len(row.rates) > 1:
            yield _row_finding(row, readings(row, tick))
        yield from _granular(row)
        yield from _spread(row, part_counts(reported, row.dataset, "test", "cases"))


def _row_finding(row: RateRow, found: list[Reading]) -> Finding:
    verdicts = Counter(reading.verdict for reading in found)
    fitting, dead = [r for r in found if r.fit.fits], [r for r in found if r.is_impossible]
    kind = "IMPOSSIBLE" if len(dead) == len(found) else "CONFLICT" if found[0].is_impossible else "CONSISTENT"
    if kind == "CONSISTENT" and len(fitting) < len(found):
        kind = "AMBIGUOUS"
    first = found[0]
    shown = listed([f"{r.metric} {r.value:g}" for r in row.rates])
    printed_means = "printed means of runs" if first.mean is not None else "printed"
    sentence = (
        f"{row.method} on {row.dataset} ({printed_means}: {shown}; {listed([count(n) for n in row.totals.values()])} "
        f"test items): of {len(found)} combinations of conventions "
        f"{listed([f'{number} {verdict}' for verdict, number in verdicts.most_common()])}."
    )
    if not first.fit.fits:
        sentence += (
            f" Under {', '.join(first.names)} it is {first.verdict}: the nearest matrix misses a number by "
            f"{first.fit.miss:.5f}, where the rounding allows {row.half:g}"
            + (f"; a miss below {first.fit.proven:.5f} is proven impossible." if first.fit.is_impossible else ".")
        )
    return Finding(
        slug("matrix", row.dataset, row.method),
        kind,  # type: ignore[arg-type]
        sentence,
        (*(entry(rate) for rate in row.rates), f"{row.dataset}, test items of each class"),
        {"half_unit": row.half, "test_items": row.totals, "readings": [_as_json(reading) for reading in found]},
    )


def _as_json(reading: Reading) -> dict[str, object]:
    fit, mean = reading.fit, reading.mean
    return {
        "metrics": reading.names,
        "verdict": reading.verdict,
        "smallest_miss_found": fit.miss,
        "no_smaller_miss_than": fit.proven,
        "recalls": fit.recalls,
        "matrix": fit.whole,
        "matrix_miss": fit.whole_miss,
        "mean_of_runs": None
        if mean is None
        else {"smallest_miss_found": _finite(mean.found), "no_smaller_miss_than": _finite(mean.proven)},
    }


def _finite(value: float) -> float | str:
    return value if np.isfinite(value) else "no single run can be within the printed spread"


def _granular(row: RateRow) -> Iterator[Finding]:
    """GRIM: rates that are shares of a known number of items, one by one."""
    sizes, whole = list(row.totals.values()), sum(row.totals.values())
    for rate, choices, value in zip(row.rates, row.choices, row.targets, strict=True):
        name, _, which = choices[0].partition(".")
        total = sizes[int(which)] if name == "sensitivity" else whole if rate.metric == "ACC" else None
        if total is None or not is_telling(total, row.decimals) or (rate.n_runs or 1) > 1:
            continue
        behind = whole_behind(value, total, row.decimals)
        yield Finding(
            slug("granular", row.dataset, row.method, rate.metric),
            "CONSISTENT" if behind else "IMPOSSIBLE",
            f"{rate.metric} {rate.value:g} of {row.method} on {row.dataset} is "
            + (f"{listed([f'{count(n)}/{count(total)}' for n in behind])}." if behind else
               f"no whole number of {count(total)} items."),
            (entry(rate), f"{row.dataset}, test items"),
            {"total": total, "counts": behind},
        )  # fmt: skip


def _spread(row: RateRow, cases: dict[str, int]) -> Iterator[Finding]:
    """What a ± over runs leaves out: other test cases."""
    n_cases = sum(cases.values())
    for rate, value in zip(row.rates, row.targets, strict=True):
        if rate.std is None or not n_cases or rate.metric != "ACC":
            continue
        low, high = wilson(value * n_cases, n_cases, LEVEL)
        sd = rate.std * PER_CENT[rate.unit]
        yield Finding(
            slug("spread", row.dataset, row.method, rate.metric),
            "IMPRECISE",
            f"{rate.metric} {rate.value:g} ± {rate.std:g} is a spread over {rate.n_runs} runs on one test part. With "
            f"{count(n_cases)} test cases a share of {rate.value:g} has the {per_cent(LEVEL, 0)} Wilson interval "
            f"{interval((low, high))}: {(high - low) / 2 / sd:.0f} times as wide as the ±.",
            (entry(rate), f"{row.dataset}, test_cases"),
            {"cases": n_cases, "low": low, "high": high, "sd": sd},
        )
