"""The section `analyse`: how sure the numbers of the tables are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dsn_saal.params.base import Name, Section, ours


class Against(Section):
    """A family of comparisons: one row of a table against every other."""

    kind: Literal["against"]
    reference: Name = ours("the row that is compared with each other one; a table without it compares nothing")


class DeepSupervisionPairs(Section):
    """A family of comparisons: each backbone of a table with deep supervision against the same without."""

    kind: Literal["deep_supervision"]


Family = Annotated[Against | DeepSupervisionPairs, Field(discriminator="kind")]


class Thresholds(Section):
    """Thresholds of the decision curve, evenly spaced."""

    first: float = ours("smallest probability of the positive class that is acted on", gt=0, lt=1)
    last: float = ours("largest", gt=0, lt=1)
    count: int = ours("how many thresholds", ge=2, le=1000)

    @model_validator(mode="after")
    def _rising(self) -> Thresholds:
        if self.first >= self.last:
            raise ValueError(f"first must lie below last, not {self.first} and {self.last}")
        return self


class Analyse(Section):
    """Comparisons, levels, calibration, decision curve, positions, cases: from stored predictions only."""

    families: dict[Literal["table3", "table4", "table5"], Family] = ours(
        "which rows of a table are compared; the comparisons of one table are one family for Holm's correction"
    )
    metrics: tuple[Literal["accuracy", "f1", "g_mean", "auc"], ...] = ours(
        "what is compared, each under its primary convention", min_length=1, strict=False
    )
    experiments: tuple[Name, ...] = ours(
        "experiments looked at closely: calibration, decision curve, positions, cases", min_length=1, strict=False
    )
    interval_level: float = ours("level of the intervals", gt=0.5, lt=1)
    bootstrap_draws: int = ours("draws of whole test cases behind each interval", ge=100, le=1_000_000)
    seed: int = ours("seed of those draws and of sign flips that are drawn", ge=0)
    exact_up_to: int = ours("most runs of which every assignment of signs is looked at", ge=1, le=20)
    sign_flips: int = ours("assignments that are drawn where there are more runs", ge=100, le=10_000_000)
    calibration_bins: int = ours("equal-width bins of predicted probability", ge=2, le=100)
    least_probability: float = ours("probabilities below it count as it in the log-loss", gt=0, le=0.01)
    thresholds: Thresholds
    position_bins: int = ours("parts of the lung from apex to base, of equal height", ge=2, le=20)

    @model_validator(mode="after")
    def _each_once(self) -> Analyse:
        for key in ("metrics", "experiments"):
            values = getattr(self, key)
            if len(set(values)) != len(values):
                raise ValueError(f"{key} names one twice: {', '.join(values)}")
        return self
