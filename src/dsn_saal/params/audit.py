"""Section `audit`: how the file of reported numbers speaks of what is measured here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dsn_saal.params.base import Name, Section, ours, require_known

Family = Literal["accuracy", "f1", "g_mean", "auc", "sensitivity", "specificity"]
Test = Literal[
    "above_all",
    "below_all",
    "gains",
    "above_its_pair",
    "first_pair_gains_most",
    "falls",
    "falls_less",
    "rises",
    "stays_above_zero",
]
Names = Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]


class Falling(Section):
    """Experiments on falling shares of the positive class, the whole training part first."""

    baseline: Names
    method: Names

    @model_validator(mode="after")
    def _is_comparable(self) -> Falling:
        if len(self.baseline) != len(self.method) or len(self.method) < 2:
            raise ValueError("baseline and method need the same shares, two at least")
        return self


class ComparedSet(Section):
    """A data set of the reported file that experiments here are of."""

    dataset: Name = ours("the data set of this file")
    methods: dict[str, Names] = ours("reported method or group of methods to experiments, in order")
    falling: Falling | None = ours("experiments on falling shares, or null")


class Curve(Section):
    """The curve of claims that hold as the margin moves."""

    until: float = ours("largest margin, as a difference of metrics", gt=0, le=1)
    steps: int = ours("margins from 0 to it", ge=2, le=1000)


class Audit(Section):
    """What is compared with what, and how certain a verdict must be."""

    level: float = ours("coverage of margins, and 1 minus the size of the tests", gt=0.5, lt=1)
    largest_margin: float = ours("a difference that would matter, where no gain is printed", gt=0, lt=1)
    curve: Curve
    metrics: dict[str, Family] = ours("reported name of a metric to its family")
    sets: dict[str, ComparedSet] = ours("reported title of a data set to what is compared with it")
    claims: dict[str, Test] = ours("id of a claim to how it is tested on measured numbers")

    def require_known(self, datasets: Collection[str], experiments: Mapping[str, Any]) -> None:
        """Refuse names that params do not hold; raises ValueError."""
        for title, entry in self.sets.items():
            require_known(f"audit.sets.{title}.dataset", entry.dataset, datasets)
            lists = dict(entry.methods)
            if entry.falling is not None:
                lists |= {"falling.baseline": entry.falling.baseline, "falling.method": entry.falling.method}
            for method, names in lists.items():
                for name in names:
                    require_known(f"audit.sets.{title}: {method}", name, experiments)
                    if experiments[name].dataset != entry.dataset:
                        raise ValueError(f"audit.sets.{title}: {name!r} is not of data set {entry.dataset!r}")
