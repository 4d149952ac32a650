"""Numbers as tables, figures and sentences print them."""

import pytest

from dsn_saal.statistics import printed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (printed.mean_and_sd(0.9204, 0.0041), "0.920 ± 0.004"),
        (printed.mean_and_sd(0.9204, None), "0.920"),
        (printed.mean_and_sd(None, None), "–"),
        (printed.interval(None), "–"),
        (printed.interval([0.8, 0.91234]), "[0.800, 0.912]"),
        (printed.share(1, 0), "–"),
        (printed.share(4910, 6982), "70.3 %"),
        (printed.count(104009), "104 009"),
        (printed.count(6982), "6982"),
        (printed.plural(1, "case"), "1 case"),
        (printed.plural(2, "case"), "2 cases"),
        (printed.listed(["a", "b", "c"]), "a, b and c"),
    ],
)
def test_numbers_are_printed_one_way(text, expected):
    assert text == expected
