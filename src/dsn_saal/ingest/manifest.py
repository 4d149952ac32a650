"""From rows in file order to the manifest: conflicts and duplicates out, slices in order, everything counted."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from typing import Any

import pandas as pd

from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.source import Exclusions, Row

COLUMNS = {
    "case": "str", "label": "int8", "class_name": "str", "study": "str", "series": "str", "sop": "str",
    "article": "str", "z_mm": "float64", "tilt_deg": "float64", "spacing_row_mm": "float64",
    "spacing_col_mm": "float64", "thickness_mm": "float64", "rows": "int32", "columns": "int32",
    "manufacturer": "str", "kernel": "str", "transfer_syntax": "str", "decoder": "str", "origin": "str",
    "path": "str", "frame": "int32", "file_sha256": "str", "pixel_sha256": "str", "official": "str",
    "train_3000": "bool", "number": "int32", "slice_label": "int8",
    "box_x0": "int32", "box_y0": "int32", "box_x1": "int32", "box_y1": "int32",
}  # fmt: skip
"""Columns of the manifest with their types; docs/datasets.md says what each holds."""

DEFAULTS: dict[str, Any] = {
    "study": "", "series": "", "sop": "", "article": "", "z_mm": math.nan, "tilt_deg": math.nan,
    "spacing_row_mm": math.nan, "spacing_col_mm": math.nan, "thickness_mm": math.nan, "manufacturer": "", "kernel": "",
    "frame": 0, "official": "", "train_3000": False, "number": -1, "slice_label": -1,
    "box_x0": -1, "box_y0": -1, "box_x1": -1, "box_y1": -1,
}  # fmt: skip
"""What a reader need not say: "", -1 and NaN mean that the set does not tell."""


def without_conflicts(rows: list[Row]) -> tuple[list[Row], Exclusions]:
    """Leave out every case that lies in the folders of two classes: which label is right cannot be known here."""
    labels: dict[str, set[int]] = {}
    for row in rows:
        labels.setdefault(row["case"], set()).add(row["label"])
    detail = "this file's case lies in the folders of two classes"
    paths = dict.fromkeys(row["path"] for row in rows if len(labels[row["case"]]) > 1)
    dropped = [(path, Excluded(Reason.CLASS_CONFLICT, detail)) for path in paths]
    return [row for row in rows if len(labels[row["case"]]) == 1], dropped


def without_duplicates(rows: list[Row]) -> tuple[list[Row], Exclusions]:
    """Keep, of several files with the same series, position and pixels, the one whose path sorts first.

    Only within a case: that two cases share pixels is for the split's certificate to find.
    """
    kept: dict[tuple[str, str, float, str], Row] = {}
    dropped: Exclusions = []
    several = {row["path"] for row in rows if row.get("frame", 0) > 0}
    for row in sorted(rows, key=lambda row: (row["path"], row.get("frame", 0))):
        first = kept.setdefault((row["case"], row["series"], row["z_mm"], row["pixel_sha256"]), row)
        if first is not row:
            detail = "same series, position and pixels as another file"
            if row["path"] in several:
                detail = f"frame {row['frame']}: {detail} or frame"
            dropped.append((row["path"], Excluded(Reason.DUPLICATE, detail)))
    return list(kept.values()), dropped


def manifest_table(rows: list[Row]) -> pd.DataFrame:
    """The manifest: a row a slice, ordered by label, case, series, position, number and, in one place, pixels."""
    whole = [DEFAULTS | row for row in rows]
    order = ("label", "case", "series", "z_mm", "number", "pixel_sha256", "path", "frame")
    ordered = sorted(whole, key=lambda row: tuple(_sortable(row[name]) for name in order))
    return pd.DataFrame({name: pd.Series([row[name] for row in ordered], dtype=kind) for name, kind in COLUMNS.items()})


def _sortable(value: Any) -> Any:
    return 0.0 if isinstance(value, float) and math.isnan(value) else value


SERIES_COLUMNS = (
    "case", "study", "series", "class_name", "slices", "taken", "why", "thickness_mm", "kernel", "spacing_mm",
    "gaps", "overlaps", "tilt_deg", "shear_deg", "order", "mixed",
)  # fmt: skip
"""Columns of series.csv."""


def series_csv(series: list[dict[str, Any]]) -> str:
    """series.csv: a row a series, sorted by case, study and series; a value that is missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, SERIES_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(sorted(series, key=lambda entry: (entry["case"], entry["study"], entry["series"])))
    return text.getvalue()


def exclusions_csv(exclusions: Exclusions) -> str:
    """exclusions.csv: path, reason, detail, sorted by path."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "reason", "detail"))
    for path, excluded in sorted(exclusions, key=lambda entry: entry[0]):
        # A name that is no UTF-8 is written with escapes: it must neither stop the run nor vanish from the list.
        writer.writerow((path.encode("utf-8", "backslashreplace").decode(), excluded.reason.value, excluded.detail))
    return text.getvalue()


def flow(
    found: int, manifest: pd.DataFrame, exclusions: Exclusions, class_names: list[str], findings: dict[str, Any]
) -> dict[str, Any]:
    """Counts for a flow chart: files found, left out by reason, what remains per class, and the reader's findings."""
    by_reason = Counter(excluded.reason.value for _, excluded in exclusions)
    names = [*class_names, *([""] if (manifest["class_name"] == "").any() else [])]
    per_class = {name: manifest[manifest["class_name"] == name] for name in names}
    return {
        "files": found,
        "excluded": dict(sorted(by_reason.items())),
        "excluded_total": len(exclusions),
        **_counts(manifest),
        "origins": dict(sorted(Counter(manifest["origin"]).items())),
        "classes": {name or "unlabelled": _counts(part) for name, part in per_class.items()},
        "findings": findings,
    }


def _counts(part: pd.DataFrame) -> dict[str, int]:
    """Slices, and how many series and cases are known: 0 where the set does not tell."""
    known = {name: part.loc[part[column] != "", column].nunique() for name, column in _IDENTITIES.items()}
    return {"slices": len(part), **known}


_IDENTITIES = {"series": "series", "cases": "case"}
