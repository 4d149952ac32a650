"""What a comparison comes to, for every way it can turn out."""

import pytest

from dsn_saal.analyse.claims import READINGS, claim, reading


def result(seeds, cases, smallest, mean=0.1, runs=10):
    values = [mean] * runs if mean is not None else []
    difference = {"mean": mean, "sd": 0.01, "values": values, "interval": (0.02, 0.18)}
    return {
        "difference": difference, "p_seeds_holm": seeds, "p_cases_holm": cases, "smallest_p_seeds": smallest / 4,
        "smallest_p_seeds_holm": smallest, "alpha": 0.05, "missing_because": "all runs diverged",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seeds", "cases", "smallest", "expected", "words"),
    [
        (
            0.01,
            0.01,
            0.01,
            "cases_and_seeds",
            "It may be claimed that A is ahead of B for other seeds and for other cases",
        ),
        (0.01, 0.2, 0.01, "seeds_only", "Other seeds would leave A ahead of B on these very test cases"),
        (0.2, 0.01, 0.01, "cases_only", "other cases like these would leave A ahead of B; other seeds may not"),
        (1.0, 0.01, 1.0, "cases_only", "nothing is shown for other seeds, since with 10 runs the smallest"),
        (0.2, 0.2, 0.01, "not_shown", "does not show that the two are equal"),
        (1.0, 0.2, 1.0, "too_few_runs", "no ranking may be claimed"),
        (None, None, 0.01, "not_shown", "Neither seeds nor cases"),
    ],
)
def test_readings_and_their_sentences(seeds, cases, smallest, expected, words):
    one = result(seeds, cases, smallest)
    one["reading"] = reading(one, 0.05)
    assert one["reading"] == expected and expected in READINGS
    text = claim(one, ours="A", theirs="B", metric_title="accuracy", tests=4, level=0.95)
    assert words in text and "A minus B is +0.100 in accuracy over 10 paired runs" in text
    assert "95 % interval over cases [+0.020, +0.180]" in text and "one split" in text


def test_the_one_that_is_ahead_is_named():
    one = result(0.01, 0.01, 0.01, mean=-0.1)
    one["reading"] = reading(one, 0.05)
    assert "B is ahead of A" in claim(one, ours="A", theirs="B", metric_title="F1", tests=4, level=0.95)


def test_what_is_undefined_is_not_compared():
    one = result(None, None, 0.01, mean=None)
    one["reading"] = reading(one, 0.05)
    text = claim(one, ours="A", theirs="B", metric_title="F1", tests=4, level=0.95)
    assert text == "A and B cannot be compared in F1: all runs diverged."
