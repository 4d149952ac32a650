"""Arithmetic of printed counts and rates: which whole numbers may stand behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

ROUNDING: dict[str, Callable[[float], int]] = {
    "floor(x + 0.5)": lambda value: math.floor(value + 0.5),
    "round half to even": round,
    "ceil": math.ceil,
    "int": int,
}
"""Ways to make a whole number of a share of a count."""

EXACT = 1e-9
"""What a product of a share and a count may be off by in floating point."""


def decimals_of(values: Sequence[float]) -> int:
    """The most decimals that any of some numbers is written with; a file of numbers has lost trailing zeros."""
    exponents = [Decimal(repr(value)).normalize().as_tuple().exponent for value in values]
    return max([0, *(-exponent for exponent in exponents if isinstance(exponent, int))])


def agreeing_rules(share: float, pairs: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """The rules of ROUNDING that turn a share of each whole into its part.

    Args:
        share: in [0, 1].
        pairs: (whole, printed part) of counts.
    """
    return tuple(
        name for name, rule in ROUNDING.items() if all(rule(_clean(share * whole)) == part for whole, part in pairs)
    )


def _clean(value: float) -> float:
    """A product without the last bits that floating point added to a whole or half number."""
    nearest = round(2 * value) / 2
    return nearest if abs(value - nearest) < EXACT * max(1.0, abs(value)) else value


def whole_behind(rate: float, total: int, decimals: int) -> tuple[int, ...]:
    """Counts out of a total whose share prints as a rate (GRIM: granularity-related inconsistency of means).

    Args:
        rate: in [0, 1].
        total: at least 1.
        decimals: of the rate as a share.

    Returns:
        Every such count; empty where the rate is impossible. Both ways to round a half are allowed.

    Source: Brown and Heathers, Social Psychological and Personality Science 8(4), 2017.
    """
    half = 0.5 * 10.0**-decimals + EXACT
    first, last = math.ceil((rate - half) * total - EXACT), math.floor((rate + half) * total + EXACT)
    return tuple(range(max(first, 0), min(last, total) + 1))


def is_telling(total: int, decimals: int) -> bool:
    """Whether some rate of that many decimals is impossible: the counts are further apart than the rates."""
    return total < 10**decimals


def implied_reference(value: float, gain: float, *, is_relative: bool) -> float:
    """What a value stands above by a gain: an absolute one is subtracted, a relative one divided out.

    Args:
        value: in [0, 1].
        gain: as a share.
        is_relative: whether the gain is a share of the reference.
    """
    return value / (1 + gain) if is_relative else value - gain
