"""How numbers are printed: in one place, so that a table and a sentence never round differently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

Form = Callable[[float], str]
"""How a number is printed."""

MISSING = "–"
"""What stands where a value is undefined or absent: never a zero."""

DECIMALS = 3
"""Decimals of a metric, as the paper prints them."""


def metric(value: float | None) -> str:
    """A metric in [0, 1]."""
    return MISSING if value is None else f"{value:.{DECIMALS}f}"


def mean_and_sd(mean: float | None, sd: float | None) -> str:
    """Mean ± sd as the paper prints them; the mean alone where one run leaves no spread."""
    return metric(mean) if mean is None or sd is None else f"{metric(mean)} ± {metric(sd)}"


def interval(bounds: Sequence[float] | None) -> str:
    """Low and high in brackets."""
    return MISSING if bounds is None else f"[{metric(bounds[0])}, {metric(bounds[1])}]"


def signed_interval(bounds: Sequence[float] | None) -> str:
    """Low and high of a difference in brackets, their signs always shown."""
    return MISSING if bounds is None else f"[{signed(bounds[0])}, {signed(bounds[1])}]"


def share(part: float, whole: float, decimals: int = 1) -> str:
    """A share in per cent; missing where the whole is nothing."""
    return MISSING if not whole else f"{100 * part / whole:.{decimals}f} %"


def count(value: int) -> str:
    """A whole number with groups of three from ten thousand on."""
    return f"{value:,}".replace(",", " ") if abs(value) >= 10_000 else str(value)


def rate(value: float, decimals: int = 1) -> str:
    """A number per something."""
    return f"{value:.{decimals}f}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listed(words: list[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def signed(value: float | None) -> str:
    """A difference of metrics, its sign always shown."""
    return MISSING if value is None else f"{value:+.{DECIMALS}f}".replace("-", "−")


def near_one(value: float) -> str:
    """A constant that matters where it comes close to one."""
    return f"{value:.{DECIMALS + 2}f}"


def significant(value: float, digits: int = 3) -> str:
    """A positive number of any size."""
    return f"{value:.{digits}g}"


def between(values: Sequence[float], form: Form) -> str:
    """From the smallest to the largest of values, once where they are printed alike."""
    low, high = form(min(values)), form(max(values))
    return low if low == high else f"{low}–{high}"


def plain(value: float) -> str:
    """A parameter as an author would write it: no trailing zeros, a true minus."""
    return f"{value:g}".replace("-", "−")


def as_fraction(value: float, places: int) -> str:
    """A quoted share moved by decimal places, its digits as they are: 91.66 per cent with places 2 is 0.9166.

    A value of 100.0 keeps its one decimal too: 1.000.
    """
    return f"{Decimal(repr(value)).scaleb(-places):f}"
