"""What forensics finds: one sentence with its numbers and what it was computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["IMPOSSIBLE", "CONFLICT", "AMBIGUOUS", "IMPRECISE", "UNTESTABLE", "INEFFECTIVE", "CONSISTENT"]

KINDS: dict[Kind, str] = {
    "IMPOSSIBLE": "no data can give these numbers together, as they are read here",
    "CONFLICT": "two statements contradict each other",
    "AMBIGUOUS": "several readings fit, and they differ",
    "IMPRECISE": "the number is less certain, or less exact, than it looks",
    "UNTESTABLE": "what is printed does not let the claim be tested",
    "INEFFECTIVE": "a mechanism does nothing in the range that is described",
    "CONSISTENT": "checked, and it holds",
}
"""What each kind means, worst first."""

SHOWN = 4
"""Decimals of a share in a sentence."""


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        id: unique and stable: what was looked at, then where.
        kind: see KINDS.
        sentence: in plain words, with its numbers.
        computed_from: entries of the file of reported numbers that it rests on.
        numbers: what was computed, by name.
    """

    id: str
    kind: Kind
    sentence: str
    computed_from: tuple[str, ...]
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self) | {"numbers": dict(self.numbers)}


def slug(*parts: str) -> str:
    """An id of words: letters and digits, joined by underscores, parts by dots."""
    words = ("".join(sign if sign.isalnum() else "_" for sign in part.lower()) for part in parts)
    joined = ("_".join(filter(None, word.split("_"))) for word in words)
    return ".".join(filter(None, joined))


def per_cent(share: float, decimals: int = 2) -> str:
    """A share in per cent."""
    return f"{100 * share:.{decimals}f} %"
