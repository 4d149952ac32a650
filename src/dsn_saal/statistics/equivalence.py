"""Whether a reproduced number agrees with a reported one: a margin with its terms, and two one-sided tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from dsn_saal.domain.errors import BadRequest

Agreement = Literal["agrees", "differs", "cannot tell"]


@dataclass(frozen=True)
class Margin:
    """How large a difference noise alone may make.

    Attributes:
        value: t times the root of the sum of the squared terms.
        t: quantile of Student's t at the level, two-sided.
        freedom: its degrees of freedom.
        runs_reported: standard error of the reported mean over its runs.
        runs_ours: standard error of our mean over its runs.
        cases_reported: standard error over test cases on the reported side.
        cases_ours: standard error over our test cases.
    """

    value: float
    t: float
    freedom: float
    runs_reported: float
    runs_ours: float
    cases_reported: float
    cases_ours: float

    @property
    def error(self) -> float:
        """Standard error of the difference."""
        return self.value / self.t


def noise_margin(
    *,
    sd_reported: float,
    n_reported: int,
    sd_ours: float,
    n_ours: int,
    case_error: float,
    cases_ours: int,
    cases_reported: int,
    level: float,
) -> Margin:
    """The margin of a difference between two means of runs on two different splits.

    Both numbers are means over runs on one test part each, and the two test parts hold different cases. So the squared
    standard errors of both means add up with the squared standard errors over cases of both parts. The reported side
    prints no error over cases; ours is carried over, scaled by the root of the ratio of the numbers of cases.

    Args:
        sd_reported: standard deviation over the reported runs (divisor n - 1).
        n_reported: reported runs, at least 2.
        sd_ours: ours, likewise.
        n_ours: our runs, at least 2.
        case_error: standard error of our metric over test cases, as a cluster bootstrap gives it.
        cases_ours: our test cases.
        cases_reported: theirs.
        level: coverage of the margin, such as 0.95.

    Raises:
        BadRequest: where a number of runs or cases leaves a term undefined.
    """
    from scipy.special import stdtrit

    if min(n_reported, n_ours) < 2 or min(cases_ours, cases_reported) < 1:
        raise BadRequest(
            "a margin needs two runs and one test case on either side",
            value=(n_reported, n_ours, cases_reported, cases_ours),
        )
    runs = sd_reported / math.sqrt(n_reported), sd_ours / math.sqrt(n_ours)
    cases = case_error * math.sqrt(cases_ours / cases_reported), case_error
    terms = ((runs[0], n_reported), (runs[1], n_ours), (cases[0], cases_reported), (cases[1], cases_ours))
    variance = math.fsum(error**2 for error, _ in terms)
    # Welch and Satterthwaite; a part of one case has no degree of freedom and no error of its own to weigh
    spread = math.fsum(error**4 / max(n - 1, 1) for error, n in terms)
    freedom = variance**2 / spread if spread > 0 else math.inf
    quantile = float(stdtrit(freedom, (1 + level) / 2))
    return Margin(quantile * math.sqrt(variance), quantile, freedom, *runs, *cases)


def two_one_sided(difference: float, error: float, freedom: float, bound: float) -> float:
    """Larger p of two one-sided tests (TOST) of the hypothesis that a true difference is at least `bound` in size.

    Args:
        difference: observed.
        error: its standard error; 0 where nothing varies.
        freedom: degrees of freedom of the error.
        bound: size of a difference that would matter, above 0.

    Source: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15(6), 1987.
    """
    from scipy.special import stdtr

    if error == 0:
        return 0.0 if abs(difference) < bound else 1.0
    return float(max(stdtr(freedom, -(difference + bound) / error), stdtr(freedom, (difference - bound) / error)))


def agreement(difference: float, margin: Margin, bound: float, level: float) -> Agreement:
    """What a difference says.

    Args:
        difference: ours minus the reported one.
        margin: what noise may make of it.
        bound: size of a difference that would matter.
        level: of the margin; the two one-sided tests are made at (1 - level).

    Returns:
        `differs` where the difference is larger than noise makes it; `agrees` where it is not, and where a true
        difference as large as `bound` is excluded as well; else `cannot tell`.
    """
    if abs(difference) > margin.value:
        return "differs"
    excluded = two_one_sided(difference, margin.error, margin.freedom, bound) < 1 - level
    return "agrees" if excluded else "cannot tell"
