"""What a command must be given, and what it says where it was not."""

import pytest

from dsn_saal.domain.errors import BadRequest
from dsn_saal.domain.named import require_named


def test_the_same_names_pass_in_any_order_and_kind():
    require_named("--summary", {"b": 1, "a": 2}, ["a", "b", "a"])
    require_named("--summary", [], ())


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (["a"], "missing: b, c"),
        (["a", "b", "c", "e", "d"], "not wanted: d, e"),
        (["a", "b", "x"], "missing: c; not wanted: x"),
        ([], "missing: a, b, c"),
    ],
)
def test_both_sides_of_the_difference_are_named(given, value):
    with pytest.raises(BadRequest) as error:
        require_named("--cam", given, ["c", "a", "b"])
    told = error.value.text()
    assert value in told and "--cam" in told and "name exactly: a, b, c" in told
