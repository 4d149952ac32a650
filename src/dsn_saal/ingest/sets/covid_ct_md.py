"""COVID-CT-MD (Afshar et al.): DICOM series by class and patient, with labels of single slices for some patients."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from dsn_saal.domain.errors import BadRequest
from dsn_saal.ingest.dicom.reader import CLINICAL, DicomReader
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.sets.published import COVID_CT_MD
from dsn_saal.ingest.source import Exclusions, Row, Settled
from dsn_saal.ingest.tree import files_below

LABELS = ("Slice-level-labels-updated-1.npy", "Slice-level-labels.npy")
"""Files of the slice labels, the corrected one first."""

NORMAL = "Normal subjects"
"""Folder of the class whose slices show no disease."""


@dataclass(frozen=True)
class CovidCtMd:
    """Reader of COVID-CT-MD.

    Attributes:
        dicom: reads the files; the case is the patient's folder, whose name is published.
        slices: "all", or "lesion": slices of diseased patients that are labelled as free of the disease are left out.
        counts: "published" or "any": whether a clinical copy must hold every patient.
    """

    dicom: DicomReader
    slices: str
    counts: str
    unlabelled: bool = False

    @property
    def root(self) -> Path:
        """Root of the set."""
        return self.dicom.root

    @property
    def folders(self) -> dict[str, tuple[str, ...]]:
        """Per class its folder."""
        return self.dicom.folders

    def files(self, *, follow_links: bool) -> Iterator[tuple[str, Excluded | None]]:
        """Every DICOM file below the root; the set's tables are no images and are not counted."""
        for path, refused in files_below(self.root, follow_links=follow_links):
            if refused is not None or PurePosixPath(path).suffix.lower() == ".dcm":
                yield path, refused

    def rows(self, path: str) -> list[Row | Excluded]:
        """The rows of a file; raises Excluded where it is left out."""
        return self.dicom.rows(path)

    def written_path(self, path: str) -> str:
        """The path as it is: its names are published."""
        return path

    def settled(self, rows: list[Row]) -> Settled:
        """Slice labels laid beside the slices, patients counted."""
        settled = self.dicom.settled(rows)
        known = read_labels(self.root)
        kept, left_out = [], list(settled.exclusions)
        labelled = Counter[int]()
        for patient, slices in _by_patient(settled.rows).items():
            for row, label in zip(slices, _labels_of(known.get(patient), len(slices)), strict=True):
                labelled[label] += 1
                if self.slices == "lesion" and label == 0 and NORMAL not in self.folders[row["class_name"]]:
                    left_out.append((row["path"], Excluded(Reason.LESION_FREE, "labelled as free of the disease")))
                else:
                    kept.append(row | {"slice_label": label})
        missing = sorted(set(known) - {_patient(row) for row in settled.rows})
        left_out += [(name, Excluded(Reason.MISSING, "Index.csv names this patient")) for name in missing]
        findings = settled.findings | self._findings(settled.rows, labelled, missing)
        return Settled(kept, _ordered(left_out), settled.series, findings)

    def _findings(self, rows: list[Row], labelled: Counter[int], missing: list[str]) -> dict[str, Any]:
        patients = {name: len({_patient(row) for row in rows if row["class_name"] == name}) for name in self.folders}
        found = {self.folders[name][0]: count for name, count in patients.items()}
        told: dict[str, Any] = {
            "patients": found,
            "slice labels": {"disease": labelled[1], "none": labelled[0], "unknown": labelled[-1]},
            "patients of Index.csv missing": len(missing),
        }
        if any(row["origin"] == CLINICAL for row in rows):
            told["published"] = COVID_CT_MD
            if self.counts == "published" and found != COVID_CT_MD:
                listed = ", ".join(f"{count} {name}" for name, count in found.items())
                wanted = ", ".join(f"{count} {name}" for name, count in COVID_CT_MD.items())
                told["incomplete"] = f"patients found: {listed}; published: {wanted}"
        elif missing and rows:
            told["incomplete"] = f"{len(missing)} patients of Index.csv are missing, first {missing[0]}"
        return told


def _patient(row: Row) -> str:
    return PurePosixPath(row["path"]).parent.name


def _by_patient(rows: list[Row]) -> dict[str, list[Row]]:
    """Slices of each patient in the order of their instance numbers (of their positions where one is missing)."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_patient(row), []).append(row)
    for slices in found.values():
        numbered = all(row.get("instance") is not None for row in slices)
        slices.sort(key=lambda row: (row["instance"] if numbered else -row["z_mm"], row["z_mm"], row["path"]))
    return found


def _labels_of(labels: list[int] | None, count: int) -> list[int]:
    """Labels of a patient's slices, -1 where the patient has none or some of the slices are not here."""
    if labels is None or any(labels[count:]):
        return [-1] * count
    return [*labels[:count], *[-1] * (count - len(labels))]


def _ordered(exclusions: Exclusions) -> Exclusions:
    return sorted(exclusions, key=lambda entry: entry[0])


@lru_cache(maxsize=2)
def read_labels(root: Path) -> dict[str, list[int]]:
    """Slice labels by patient: a row of the array for each line of Index.csv; empty without these files.

    A row has a column a slice, padded with zeros. That the columns follow the instance numbers is our reading: the set
    does not say. Where fewer slices are there than were labelled, none of the patient's labels is used.

    Raises:
        BadRequest: where table and array do not belong together, or the array is none.
    """
    table = root / "Index.csv"
    array = next((root / name for name in LABELS if (root / name).is_file()), None)
    if array is None or not table.is_file():
        return {}
    with table.open(encoding="utf-8-sig", newline="") as stream:
        patients = [row["Folder/ID"].strip() for row in csv.DictReader(stream)]
    try:
        labels = np.load(array, allow_pickle=False)
    except (ValueError, OSError):
        raise BadRequest("the slice labels are no plain array", value=array, next_step="fetch the file again") from None
    if labels.ndim != 2 or len(labels) != len(patients) or not np.isin(labels, (0, 1)).all():
        raise BadRequest(
            "slice labels and Index.csv do not belong together",
            value=f"array of {labels.shape}, {len(patients)} patients",
            where=array,
            next_step="fetch both files again",
        )
    return dict(zip(patients, labels.astype(int).tolist(), strict=True))
