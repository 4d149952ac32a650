"""What the files of a study decide together: conflicts, duplicates, and which of its series is read."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from dsn_saal.ingest.dicom.geometry import DECIMALS, Geometry, series_geometry
from dsn_saal.ingest.dicom.vocabulary import kernel_kind
from dsn_saal.ingest.manifest import without_conflicts, without_duplicates
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.source import Exclusions, Row, Settled

THICKNESS_STEP_MM = 0.01
"""Thicknesses that differ by less from the wanted one are equally near: headers write 5 and 4.9999."""

RULES = ("thickness", "kernel", "slices", "hash")
"""What is compared, in this order, until two series of a study differ."""

_MIXED = (
    ("pixel_spacing", ("spacing_row_mm", "spacing_col_mm")),
    ("matrix", ("rows", "columns")),
    ("thickness", ("thickness_mm",)),
    ("kernel", ("kernel",)),
    ("manufacturer", ("manufacturer",)),
)
"""What the slices of a series should have in common, and the columns that tell."""


@dataclass(frozen=True)
class SeriesRule:
    """Which series of a study is read.

    Attributes:
        choose: "one_per_study" or "all".
        thickness_mm: the series nearest to it is chosen.
        kernels: kinds of kernel, "lung" and "soft", in order of preference among equals.
    """

    choose: str
    thickness_mm: float
    kernels: tuple[str, ...]


ALL_SERIES = SeriesRule("all", 5.0, ("lung", "soft"))
"""The rule that passes nothing over."""


@dataclass(frozen=True)
class _Series:
    """The slices of one series, at least one."""

    rows: list[Row]

    @property
    def study(self) -> tuple[str, str]:
        """Case and study; series of an unknown study belong to their case."""
        return self.rows[0]["case"], self.rows[0]["study"]

    @property
    def thickness_mm(self) -> float:
        known = [row["thickness_mm"] for row in self.rows if not math.isnan(row["thickness_mm"])]
        return median(known) if known else math.nan

    @property
    def kernel(self) -> str:
        """The commonest kernel, of equally common ones the first by name."""
        return min(Counter(row["kernel"] for row in self.rows).items(), key=lambda entry: (-entry[1], entry[0]))[0]

    def rank(self, rule: SeriesRule) -> tuple[float, int, int, str]:
        """What RULES compare; the smallest is chosen."""
        away = abs(self.thickness_mm - rule.thickness_mm)
        kind = kernel_kind(self.kernel)
        return (
            math.inf if math.isnan(away) else round(away / THICKNESS_STEP_MM),
            rule.kernels.index(kind) if kind in rule.kernels else len(rule.kernels),
            -len(self.rows),
            self.rows[0]["series"],
        )

    def geometry(self) -> Geometry:
        numbers = [
            None if row["instance"] is None else (row["instance"], int(row.get("frame", 0))) for row in self.rows
        ]
        return series_geometry(
            [row["position_mm"] for row in self.rows], [row["cosines"] for row in self.rows], numbers
        )


def settle(rows: list[Row], rule: SeriesRule) -> Settled:
    """Rows without cases of two classes, without duplicates, of the chosen series only.

    Args:
        rows: rows of the manifest with what `reader` adds for this: position_mm, cosines, instance, uid_faults.
        rule: which series of a study is read.
    """
    identifiers = _faults(rows)
    rows, conflicts = without_conflicts(rows)
    rows, duplicates = without_duplicates(rows)
    identifiers |= _repeated(rows)
    by_series: dict[tuple[str, str, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["case"], row["study"], row["series"])):
        by_series.setdefault((row["case"], row["study"], row["series"]), []).append(row)
    why = _reasons_of([_Series(slices) for slices in by_series.values()], rule)
    kept: list[Row] = []
    passed_over: Exclusions = []
    entries = []
    for key, slices in by_series.items():
        taken, reason = why[key]
        entries.append(_entry(_Series(slices), taken=taken, why=reason))
        if taken:
            kept.extend(slices)
        else:
            detail = Excluded(Reason.OTHER_SERIES, f"{reason}; ingest.series is the rule")
            passed_over.extend((path, detail) for path in sorted({row["path"] for row in slices}))
    findings = {"series": _counts(entries), "geometry": _oddities(entries), "identifiers": identifiers}
    told = {name: counts for name, counts in findings.items() if counts}
    return Settled(kept, conflicts + duplicates + passed_over, entries, told)


def _reasons_of(every: list[_Series], rule: SeriesRule) -> dict[tuple[str, str, str], tuple[bool, str]]:
    """Per series whether it is taken, and why."""
    studies: dict[tuple[str, str], list[_Series]] = {}
    for series in every:
        studies.setdefault(series.study, []).append(series)
    found: dict[tuple[str, str, str], tuple[bool, str]] = {}
    for study, several in studies.items():
        ranked = sorted(several, key=lambda series: series.rank(rule))
        best = ranked[0].rank(rule)
        for place, series in enumerate(ranked):
            if len(several) == 1:
                verdict = True, "the only series of its study"
            elif rule.choose == "all":
                verdict = True, "all series are read"
            elif place == 0:
                verdict = True, f"chosen out of {len(several)}"
            else:
                verdict = False, f"another series of the study goes before it by {_decider(best, series.rank(rule))}"
            found[*study, series.rows[0]["series"]] = verdict
    return found


def _decider(best: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    return next(name for name, one, two in zip(RULES, best, other, strict=True) if one != two)


def _entry(series: _Series, *, taken: bool, why: str) -> dict[str, Any]:
    """The row of series.csv."""
    first, lies = series.rows[0], series.geometry()
    mixed = [name for name, columns in _MIXED if len({_values(row, columns) for row in series.rows}) > 1]
    mixed += ["orientation"] * lies.turned + ["spacing"] * lies.uneven
    return {
        **{name: first[name] for name in ("case", "study", "series", "class_name")},
        "slices": len(series.rows),
        "taken": "yes" if taken else "no",
        "why": why,
        "thickness_mm": _written(series.thickness_mm),
        "kernel": series.kernel,
        "spacing_mm": _written(lies.spacing_mm),
        "gaps": lies.gaps,
        "overlaps": lies.overlaps,
        "tilt_deg": _written(lies.tilt_deg),
        "shear_deg": _written(lies.shear_deg),
        "order": lies.order,
        "mixed": " ".join(mixed),
    }


def _values(row: Row, columns: tuple[str, ...]) -> tuple[Any, ...]:
    # NaN differs from itself.
    return tuple("" if isinstance(row[name], float) and math.isnan(row[name]) else row[name] for name in columns)


def _written(number: float) -> str:
    return "" if math.isnan(number) else f"{round(number, DECIMALS):g}"


def _counts(entries: list[dict[str, Any]]) -> dict[str, int]:
    """Series found, and passed over by which rule."""
    passed = Counter(entry["why"].rsplit(" ", 1)[1] for entry in entries if entry["taken"] == "no")
    return {"found": len(entries)} | {f"passed over by {name}": passed[name] for name in RULES if passed[name]}


def _oddities(entries: list[dict[str, Any]]) -> dict[str, int]:
    """How many series lie oddly."""
    found = Counter[str]()
    for entry in entries:
        found["with gaps"] += entry["gaps"] > 0
        found["with several slices in one place"] += entry["overlaps"] > 0
        found["leaning"] += entry["shear_deg"] != "0"
        found["numbered against position"] += entry["order"] == "descending"
        found["shuffled"] += entry["order"] == "shuffled"
        found["without numbers"] += entry["order"] == "missing"
        found.update(f"mixed {name}" for name in entry["mixed"].split())
    return {name: count for name, count in sorted(found.items()) if count}


def _faults(rows: list[Row]) -> dict[str, int]:
    """How many slices have identifiers that are missing or no DICOM UIDs."""
    found = Counter(f"{kind}: {fault}" for row in rows for kind, fault in row["uid_faults"].items())
    return dict(sorted(found.items()))


def _repeated(rows: list[Row]) -> dict[str, int]:
    """How many slices bear the SOP Instance UID of another one with other pixels or in another place."""
    instances = Counter((row["case"], row["sop"], row.get("frame", 0)) for row in rows if row["sop"])
    repeated = sum(count - 1 for count in instances.values())
    return {"SOPInstanceUID: of another slice": repeated} if repeated else {}
