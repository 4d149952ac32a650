"""Rows of reported rates as a problem: which metrics they may be, how they were rounded, of how many items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from dsn_saal.audit.tallies import tested_items
from dsn_saal.params.reported import PER_CENT, Reported, ReportedNumbers
from dsn_saal.statistics.counting import decimals_of

CONVENTIONS = {
    "ACC": ("accuracy.overall", "accuracy.ovr_mean", "accuracy.positive", "accuracy.balanced"),
    "F1": ("f1.macro", "f1.weighted", "f1.positive", "f1.of_means"),
    "G-mean": ("g_mean.multiclass", "g_mean.ovr_mean", "g_mean.root_of_means", "g_mean.positive"),
    "F1_macro": ("f1.macro",),
    "F1_weighted": ("f1.weighted",),
}
"""Metrics that a printed name may mean, where it means no single class."""

RATES = {"SEN": "sensitivity", "SPE": "specificity", "PRE": "precision", "F1": "f1"}
"""Rates of one class: SEN_NCP, or SEN alone for the positive class."""


@dataclass(frozen=True)
class RateRow:
    """The rates of one method on one test part whose items are known.

    Attributes:
        method: as printed.
        dataset: as printed.
        totals: test items of each class.
        positive: number of the positive class.
        rates: printed rates that a confusion matrix decides.
        choices: of each rate, the metrics that it may be.
        decimals: of the rates as shares.
    """

    method: str
    dataset: str
    totals: dict[str, int]
    positive: int
    rates: tuple[Reported, ...]
    choices: tuple[tuple[str, ...], ...]
    decimals: int

    @property
    def half(self) -> float:
        """Half a unit of the last decimal, as a share."""
        return 0.5 * 10.0**-self.decimals

    @property
    def targets(self) -> tuple[float, ...]:
        """The rates as shares."""
        return tuple(row.value * PER_CENT[row.unit] for row in self.rates)

    @property
    def combinations(self) -> tuple[tuple[str, ...], ...]:
        """Every combination of conventions, the primary ones first."""
        return tuple(product(*self.choices))

    @property
    def sds(self) -> tuple[float, ...] | None:
        """Printed standard deviations as shares; None unless all are printed."""
        found = [row.std * PER_CENT[row.unit] for row in self.rates if row.std is not None]
        return tuple(found) if len(found) == len(self.rates) else None

    @property
    def n_runs(self) -> int | None:
        """Runs behind each mean; None unless printed and alike."""
        runs = {row.n_runs for row in self.rates}
        return runs.pop() if len(runs) == 1 else None


def rate_rows(reported: ReportedNumbers) -> Iterator[RateRow]:
    """Every row of two or more rates that were printed, not computed, on a test part whose items are known."""
    grouped: dict[tuple[str, str, str], list[Reported]] = defaultdict(list)
    for row in reported.reported:
        if row.unit in PER_CENT and row.status != "computed":
            grouped[row.table, row.dataset, row.method].append(row)
    for (_, dataset, method), rows in grouped.items():
        totals, positive = tested_items(reported, dataset), positive_of(reported, dataset)
        if not totals or positive not in totals:
            continue
        classes = list(totals)
        choices = {row: choices_of(row.metric, classes, classes.index(positive)) for row in rows}
        known = tuple(row for row in rows if choices[row])
        if known:
            yield RateRow(
                method=method,
                dataset=dataset,
                totals=totals,
                positive=classes.index(positive),
                rates=known,
                choices=tuple(choices[row] for row in known),
                decimals=decimals_in_shares(known),
            )


def positive_of(reported: ReportedNumbers, dataset: str) -> str:
    """The positive class of a data set, of its base where it is a part of one; empty where none is named."""
    return reported.positive.get(dataset) or reported.positive.get(dataset.partition("/")[0], "")


def decimals_in_shares(rows: tuple[Reported, ...]) -> int:
    """Decimals of a row's numbers as shares: the most that any of them shows in the unit of its source."""
    shown = [decimals_of([row.value, *([] if row.std is None else [row.std])]) for row in rows]
    return max(places + (2 if row.unit == "percent" else 0) for places, row in zip(shown, rows, strict=True))


def choices_of(metric: str, classes: list[str], positive: int) -> tuple[str, ...]:
    """Metrics that a printed name may mean; empty where a confusion matrix does not decide it."""
    if metric in CONVENTIONS:
        return CONVENTIONS[metric]
    rate, _, name = metric.partition("_")
    if rate in RATES and name in ["", *classes]:
        return (f"{RATES[rate]}.{classes.index(name) if name else positive}",)
    return ()
