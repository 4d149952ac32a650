"""One plain sentence for each comparison: what may be claimed, and what not."""

from __future__ import annotations

from collections.abc import Mapping

from dsn_saal.analyse.written import ONE_SPLIT, Json
from dsn_saal.statistics.printed import metric, plural, signed, signed_interval

READINGS: Mapping[str, str] = {
    "undefined": "undefined",
    "too_few_runs": "too few runs to tell",
    "cases_and_seeds": "holds over cases and seeds",
    "seeds_only": "holds over seeds, cases not shown",
    "cases_only": "holds over cases, seeds not shown",
    "not_shown": "not shown",
}
"""What a comparison comes to, in the words of a table."""


def reading(result: Json, alpha: float) -> str:
    """Which of READINGS a comparison is.

    Args:
        result: p_seeds_holm, p_cases_holm, smallest_p_seeds_holm and difference of the comparison.
        alpha: level of the family.
    """
    if result["difference"]["mean"] is None:
        return "undefined"
    over_cases = result["p_cases_holm"] is not None and result["p_cases_holm"] <= alpha
    if result["smallest_p_seeds_holm"] > alpha:
        return "cases_only" if over_cases else "too_few_runs"
    over_seeds = result["p_seeds_holm"] is not None and result["p_seeds_holm"] <= alpha
    if over_seeds:
        return "cases_and_seeds" if over_cases else "seeds_only"
    return "cases_only" if over_cases else "not_shown"


def claim(result: Json, *, ours: str, theirs: str, metric_title: str, tests: int, level: float) -> str:
    """The sentence.

    Args:
        result: the comparison with its reading.
        ours: title of the first method.
        theirs: title of the second.
        metric_title: as it is printed.
        tests: how many tests the family has.
        level: of the interval.
    """
    difference = result["difference"]
    if result["reading"] == "undefined":
        return f"{ours} and {theirs} cannot be compared in {metric_title}: {result['missing_because']}."
    runs, higher = len(difference["values"]), difference["mean"] > 0
    ends = difference["interval"]
    known = "" if ends is None else f", {100 * level:g} % interval over cases {signed_interval(ends)}"
    found = (
        f"{ours} minus {theirs} is {signed(difference['mean'])} in {metric_title} over "
        f"{plural(runs, 'paired run')}{known}."
    )
    return f"{found} {_may_be_said(result, ours, theirs, tests=tests, higher=higher)} {ONE_SPLIT}"


def _may_be_said(result: Json, ours: str, theirs: str, *, tests: int, higher: bool) -> str:
    better, worse = (ours, theirs) if higher else (theirs, ours)
    family, runs = plural(tests, "test"), plural(len(result["difference"]["values"]), "run")
    few = (
        f"ith {runs} the smallest two-sided sign-flip p there can be is {metric(result['smallest_p_seeds'])}, and "
        f"{metric(result['smallest_p_seeds_holm'])} as the smallest of {family} under Holm's correction"
    )
    is_few = result["smallest_p_seeds_holm"] > result["alpha"]
    return {
        "too_few_runs": f"W{few}: these runs cannot show a difference over seeds, and the test cases do not show one; "
        "no ranking may be claimed.",
        "cases_and_seeds": f"It may be claimed that {better} is ahead of {worse} for other seeds and for other cases "
        f"like these (both p at most {metric(result['alpha'])} after Holm over {family}).",
        "seeds_only": f"Other seeds would leave {better} ahead of {worse} on these very test cases; other cases may "
        "not.",
        "cases_only": f"For these {runs} other cases like these would leave {better} ahead of {worse}"
        + (f"; nothing is shown for other seeds, since w{few}." if is_few else "; other seeds may not."),
        "not_shown": f"Neither seeds nor cases show a difference after Holm over {family}, and that does not show that "
        "the two are equal.",
    }[result["reading"]]
