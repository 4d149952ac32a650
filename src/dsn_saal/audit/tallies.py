"""Counts of a file of reported numbers, by data set, class, unit and part."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from dsn_saal.params.reported import Reported, ReportedNumbers

PARTS = ("train", "val", "test")
CLASS = re.compile(r"^class: (?P<name>[^(]+?)(?: \(.+\))?$")
"""A row that counts one class; brackets say whose count it is."""
ALL = "all classes"
EACH = "each class"
PART_OF = "/"
"""`BASE/NAME` is a data set that trains on a part of BASE and tests on its test part."""


@dataclass(frozen=True)
class Tally:
    """A count of one class in one unit, whole or summed over the parts.

    Attributes:
        value: the count.
        rows: what it was read or summed from.
    """

    value: int
    rows: tuple[Reported, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The entries by table, method and metric."""
        return tuple(entry(row) for row in self.rows)


def entry(row: Reported) -> str:
    """How a finding names an entry of the file."""
    return f"{row.dataset}, table {row.table}, {row.method}, {row.metric}"


def class_of(row: Reported) -> str | None:
    """The class that a row counts, None where it counts no single class."""
    found = CLASS.match(row.method)
    return found["name"] if found else None


def counts(reported: ReportedNumbers) -> list[Reported]:
    """Rows that count classes."""
    return [row for row in reported.reported if row.unit == "count" and (class_of(row) or row.method in (ALL, EACH))]


def tallies(reported: ReportedNumbers) -> Mapping[tuple[str, str, str], list[Tally]]:
    """By data set, class or ALL, and unit every way to know a count: the whole as printed, the sum of its parts."""
    whole: dict[tuple[str, str, str], list[Tally]] = defaultdict(list)
    parts: dict[tuple[str, str, str], list[Reported]] = defaultdict(list)
    for row in counts(reported):
        who, (part, _, unit) = class_of(row) or row.method, row.metric.partition("_")
        if part in PARTS and unit:
            parts[row.dataset, who, unit].append(row)
        else:
            whole[row.dataset, who, row.metric].append(Tally(int(row.value), (row,)))
    for key, rows in parts.items():
        if {"train_" + key[2], "test_" + key[2]} <= {row.metric for row in rows}:
            whole[key].append(Tally(sum(int(row.value) for row in rows), tuple(rows)))
    return whole


def part_counts(reported: ReportedNumbers, dataset: str, part: str, *units: str) -> dict[str, int]:
    """Counts of a part by class, in the order of the file and the first of the units that is printed.

    The test part of BASE/NAME is that of BASE.
    """
    for unit in units:
        found = {
            class_of(row) or row.method: int(row.value)
            for row in counts(reported)
            if row.dataset == dataset and row.metric == f"{part}_{unit}" and class_of(row)
        }
        if found:
            return found
    base, separator, _ = dataset.partition(PART_OF)
    return part_counts(reported, base, part, *units) if separator and part == "test" else {}


def tested_items(reported: ReportedNumbers, dataset: str) -> dict[str, int]:
    """Test slices or images of each class of a data set; empty where they are not printed."""
    return part_counts(reported, dataset, "test", "slices", "images")
