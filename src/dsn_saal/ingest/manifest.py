"""From rows in file order to the manifest: conflicts and duplicates out, slices in order, everything counted."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Any

import pandas as pd

from dsn_saal.ingest.reasons import Excluded, Reason

COLUMNS = {
    "case": "str", "label": "int8", "class_name": "str", "study": "str", "series": "str", "sop": "str",
    "z_mm": "float64", "spacing_row_mm": "float64", "spacing_col_mm": "float64", "thickness_mm": "float64",
    "rows": "int32", "columns": "int32", "manufacturer": "str", "kernel": "str", "transfer_syntax": "str",
    "decoder": "str", "origin": "str", "path": "str", "file_sha256": "str", "pixel_sha256": "str",
}  # fmt: skip
"""Columns of the manifest with their types."""

Row = dict[str, Any]
Exclusions = list[tuple[str, Excluded]]


def without_conflicts(rows: list[Row]) -> tuple[list[Row], Exclusions]:
    """Leave out every case that lies in the folders of two classes: which label is right cannot be known here."""
    labels: dict[str, set[int]] = {}
    for row in rows:
        labels.setdefault(row["case"], set()).add(row["label"])
    detail = "this file's case lies in the folders of two classes"
    dropped = [(row["path"], Excluded(Reason.CLASS_CONFLICT, detail)) for row in rows if len(labels[row["case"]]) > 1]
    return [row for row in rows if len(labels[row["case"]]) == 1], dropped


def without_duplicates(rows: list[Row]) -> tuple[list[Row], Exclusions]:
    """Keep, of several files with the same series, position and pixels, the one whose path sorts first.

    Only within a case: that two cases share pixels is for the split's certificate to find.
    """
    kept: dict[tuple[str, str, float, str], Row] = {}
    dropped: Exclusions = []
    for row in sorted(rows, key=lambda row: row["path"]):
        first = kept.setdefault((row["case"], row["series"], row["z_mm"], row["pixel_sha256"]), row)
        if first is not row:
            dropped.append(
                (row["path"], Excluded(Reason.DUPLICATE, "same series, position and pixels as another file"))
            )
    return list(kept.values()), dropped


def manifest_table(rows: list[Row]) -> pd.DataFrame:
    """The manifest: a row a slice, ordered by label, case, series, position and, in one place, pixels."""
    order = ("label", "case", "series", "z_mm", "pixel_sha256")
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in order))
    return pd.DataFrame({name: pd.Series([row[name] for row in ordered], dtype=kind) for name, kind in COLUMNS.items()})


def exclusions_csv(exclusions: Exclusions) -> str:
    """exclusions.csv: path, reason, detail, sorted by path."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "reason", "detail"))
    for path, excluded in sorted(exclusions, key=lambda entry: entry[0]):
        # A name that is no UTF-8 is written with escapes: it must neither stop the run nor vanish from the list.
        writer.writerow((path.encode("utf-8", "backslashreplace").decode(), excluded.reason.value, excluded.detail))
    return text.getvalue()


def flow(found: int, manifest: pd.DataFrame, exclusions: Exclusions, class_names: list[str]) -> dict[str, Any]:
    """Counts for a flow chart: files found, left out by reason, and what remains per class."""
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
    }


def _counts(part: pd.DataFrame) -> dict[str, int]:
    return {"slices": len(part), "series": part["series"].nunique(), "cases": part["case"].nunique()}
