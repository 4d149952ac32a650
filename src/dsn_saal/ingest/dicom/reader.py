"""One DICOM file to one manifest row and its HU; identifiers leave as keyed hashes only."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.dicom.eligible import position_mm, require_ct_slice
from dsn_saal.ingest.dicom.header import MAX_FILE_BYTES, numbers, read_header, text, whole
from dsn_saal.ingest.identity import PUBLIC_KEY, clinical_key, key_path, keyed_hash
from dsn_saal.ingest.dicom.pixels import hounsfield
from dsn_saal.ingest.dicom.study import SeriesRule, settle
from dsn_saal.ingest.places import hashed_path
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.source import Row, Settled
from dsn_saal.ingest.tree import case_folder, class_of, files_below

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PHANTOM, CLINICAL = "phantom", "clinical"
"""The two values of the column origin."""

LONGEST_TEXT = 64
"""Free text of a scanner (manufacturer, kernel) is cut after so many characters, as its value representation is."""


@dataclass(frozen=True)
class DicomReader:
    """Class folders of CT series in DICOM.

    Attributes:
        root: the source folder.
        folders: per class, in label order, the folder names that mark it.
        case_id: "patient_id", "study_uid" or "folder".
        key_file: file with the secret for clinical identifiers, None for the user's own.
        air_hu: HU that padding becomes.
        derived: "exclude" or "keep" derived and secondary images.
        paths: "hashed" or "plain": how paths are written down.
        series: which series of a study is read.
        unlabelled: whether files outside every class folder are taken in.
    """

    root: Path
    folders: dict[str, tuple[str, ...]]
    case_id: str
    key_file: str | None
    air_hu: int
    derived: str
    paths: str = "hashed"
    series: SeriesRule = SeriesRule("all", 5.0, ("lung", "soft"))
    unlabelled: bool = False

    def files(self, *, follow_links: bool) -> Iterator[tuple[str, Excluded | None]]:
        """Every file below the root."""
        return files_below(self.root, follow_links=follow_links)

    def settled(self, rows: list[Row]) -> Settled:
        """What the files of each study decide together."""
        return settle(rows, self.series)

    def written_path(self, path: str) -> str:
        """The path as it is, or its keyed hash."""
        if self.paths == "plain":
            return path
        return hashed_path(path, clinical_key(key_path(self.key_file), make=self.key_file is None))

    def rows(self, path: str) -> list[Row]:
        """The manifest rows of a file; raises Excluded where it is left out."""
        return [self._row(path)]

    def _row(self, path: str) -> Row:
        class_name, label = class_of(path, self.folders, unlabelled=self.unlabelled)
        content = read_content(self.root / path)
        dataset = read_header(content)
        require_ct_slice(dataset, derived=self.derived)
        z_mm = position_mm(dataset)
        identity = self._identity(dataset, path, class_name)
        hu, decoder = hounsfield(dataset, air_hu=self.air_hu)
        return {
            **identity,
            "label": label,
            "class_name": class_name,
            "z_mm": z_mm,
            **_acquisition(dataset),
            "decoder": decoder,
            "path": path,
            "file_sha256": hashlib.sha256(content).hexdigest(),
            "pixel_sha256": hashlib.sha256(hu.astype("<i2", copy=False).data).hexdigest(),
        }

    def _identity(self, dataset: Dataset, path: str, class_name: str) -> dict[str, str]:
        """Keyed hashes of case, study, series and instance, and the origin."""
        phantom = text(dataset, "QualityControlImage") == "YES"
        key = PUBLIC_KEY if phantom else clinical_key(key_path(self.key_file), make=self.key_file is None)
        study, parent = text(dataset, "StudyInstanceUID"), PurePosixPath(path).parent.as_posix()
        case = self._case(dataset, path, class_name)
        if not case:
            raise Excluded(Reason.NO_CASE, f"nothing to tell the case by {self.case_id}; choose another ingest.case_id")
        return {
            "case": keyed_hash("case", case, key),
            "study": keyed_hash("study", study, key),
            "series": keyed_hash("series", text(dataset, "SeriesInstanceUID") or f"folder {parent}", key),
            "sop": keyed_hash("sop", text(dataset, "SOPInstanceUID"), key),
            "origin": PHANTOM if phantom else CLINICAL,
        }

    def _case(self, dataset: Dataset, path: str, class_name: str) -> str:
        """What the rule `case_id` tells the case by, "" where it is missing."""
        if self.case_id == "folder":
            folder = case_folder(path, self.folders.get(class_name, ()))
            return folder and f"{class_name}/{folder}"
        return text(dataset, "PatientID" if self.case_id == "patient_id" else "StudyInstanceUID")


def _acquisition(dataset: Dataset) -> dict[str, Any]:
    spacing = numbers(dataset, "PixelSpacing", 2) or (math.nan, math.nan)
    thickness = numbers(dataset, "SliceThickness", 1) or (math.nan,)
    return {
        "spacing_row_mm": spacing[0],
        "spacing_col_mm": spacing[1],
        "thickness_mm": thickness[0],
        "rows": whole(dataset, "Rows"),
        "columns": whole(dataset, "Columns"),
        "manufacturer": text(dataset, "Manufacturer")[:LONGEST_TEXT],
        "kernel": text(dataset, "ConvolutionKernel")[:LONGEST_TEXT],
        "transfer_syntax": str(dataset.file_meta.TransferSyntaxUID),
    }


def read_content(path: Path) -> bytes:
    """A file's bytes; raises Excluded where it is too large or the system refuses."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise Excluded(Reason.TOO_LARGE, f"more than {MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise Excluded(Reason.UNREADABLE, f"cannot be read: {error.strerror}") from None


def read_hu(root: Path, air_hu: int, path: str, frame: int, file_sha256: str) -> NDArray[np.int16]:
    """HU (rows, columns) of a file that ingestion has seen.

    Raises:
        CheckFailed: where the file is gone, changed since, or no longer readable.
    """
    advice = "restore the file, or ingest the source again"
    try:
        content = read_content(root / path)
        if hashlib.sha256(content).hexdigest() != file_sha256:
            raise CheckFailed("a source file changed after it was ingested", where=path, next_step=advice)
        return hounsfield(read_header(content), air_hu=air_hu)[0]
    except Excluded as excluded:
        raise CheckFailed(
            "a source file of the manifest cannot be read", value=excluded.reason, where=path, next_step=advice
        ) from None
