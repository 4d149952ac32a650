"""One DICOM file to one manifest row and its HU; identifiers leave as keyed hashes only."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.dicom.dicomdir import listed_files
from dsn_saal.ingest.dicom.eligible import position_mm, require_ct, require_ct_slice
from dsn_saal.ingest.dicom.frames import Frame, frames
from dsn_saal.ingest.dicom.geometry import tilt_deg
from dsn_saal.ingest.dicom.header import MARK_END, MAX_FILE_BYTES, read_header, require_dicom
from dsn_saal.ingest.dicom.pixels import hounsfield
from dsn_saal.ingest.dicom.study import ALL_SERIES, SeriesRule, settle
from dsn_saal.ingest.dicom.tags import code, numbers, text, whole
from dsn_saal.ingest.dicom.uids import uid_fault
from dsn_saal.ingest.dicom.vocabulary import kernel_name, manufacturer_name
from dsn_saal.ingest.identity import PUBLIC_KEY, clinical_key, key_path, keyed_hash
from dsn_saal.ingest.places import hashed_path
from dsn_saal.ingest.reasons import Excluded, Reason, gathered
from dsn_saal.ingest.source import Row, Settled
from dsn_saal.ingest.tree import case_folder, class_of, files_below

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PHANTOM, CLINICAL = "phantom", "clinical"
"""The two values of the column origin."""

_RESTORE = "restore the file, or ingest the source again"

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
"""Identifiers whose faults are counted."""


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
        dicomdir: name of the DICOMDIR in the root whose list of files is read, None for every file below the root.
        published: whether the identifiers are public already: they are hashed with the public key then.
    """

    root: Path
    folders: dict[str, tuple[str, ...]]
    case_id: str
    key_file: str | None
    air_hu: int
    derived: str
    paths: str = "hashed"
    series: SeriesRule = ALL_SERIES
    unlabelled: bool = False
    dicomdir: str | None = None
    published: bool = False

    def files(self, *, follow_links: bool) -> Iterator[tuple[str, Excluded | None]]:
        """Every file below the root, or what its DICOMDIR lists."""
        if self.dicomdir is not None:
            return listed_files(self.root, self.dicomdir, follow_links=follow_links)
        return files_below(self.root, follow_links=follow_links)

    def settled(self, rows: list[Row]) -> Settled:
        """What the files of each study decide together."""
        return settle(rows, self.series)

    def written_path(self, path: str) -> str:
        """The path as it is, or its keyed hash."""
        if self.paths == "plain":
            return path
        return hashed_path(path, clinical_key(key_path(self.key_file), make=self.key_file is None))

    def rows(self, path: str) -> list[Row | Excluded]:
        """The manifest rows of a file, one a frame; raises Excluded where no frame is taken in."""
        class_name, label = class_of(path, self.folders, unlabelled=self.unlabelled)
        content = read_content(self.root / path)
        dataset = read_header(content)
        require_ct(dataset)
        of_file = {
            "label": label,
            "class_name": class_name,
            "path": path,
            "file_sha256": hashlib.sha256(content).hexdigest(),
        }
        outcomes = [self._outcome(frame, of_file) for frame in frames(dataset)]
        rows: list[Row | Excluded] = [row for row in outcomes if not isinstance(row, Excluded)]
        refused = gathered([why for why in outcomes if isinstance(why, Excluded)], len(outcomes))
        if not rows and len(refused) == 1:
            raise refused[0]
        return rows + refused

    def _outcome(self, frame: Frame, of_file: Row) -> Row | Excluded:
        try:
            return of_file | self._row(frame, of_file["path"], of_file["class_name"])
        except Excluded as excluded:
            return excluded

    def _row(self, frame: Frame, path: str, class_name: str) -> Row:
        dataset = frame.dataset
        require_ct_slice(dataset, derived=self.derived)
        z_mm = position_mm(dataset)
        identity = self._identity(dataset, path, class_name)
        hu, decoder = hounsfield(dataset, air_hu=self.air_hu, number=frame.number, count=frame.count)
        return {
            **identity,
            "z_mm": z_mm,
            **_place(dataset),
            **_acquisition(dataset),
            "decoder": decoder,
            "frame": frame.number,
            "pixel_sha256": hashlib.sha256(hu.astype("<i2", copy=False).data).hexdigest(),
        }

    def _identity(self, dataset: Dataset, path: str, class_name: str) -> dict[str, str]:
        """Keyed hashes of case, study, series and instance, and the origin."""
        phantom = code(dataset, "QualityControlImage") == "YES"
        # Whatever a file says of itself: a patient's, marked as a phantom, must not get a hash that can be guessed.
        key = PUBLIC_KEY if self.published else clinical_key(key_path(self.key_file), make=self.key_file is None)
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


def _place(dataset: Dataset) -> dict[str, Any]:
    """The slice's tilt, and what `settle` needs to know of it: place, number, and what is wrong with its identifiers.

    Position and orientation must be known to be good.
    """
    cosines = tuple(numbers(dataset, "ImageOrientationPatient", 6) or ())
    faults = {keyword: uid_fault(text(dataset, keyword)) for keyword in UIDS}
    return {
        "tilt_deg": tilt_deg(cosines),
        "position_mm": tuple(numbers(dataset, "ImagePositionPatient", 3) or ()),
        "cosines": cosines,
        "instance": _instance_number(dataset),
        "uid_faults": {keyword: fault for keyword, fault in faults.items() if fault},
    }


def _instance_number(dataset: Dataset) -> int | None:
    """InstanceNumber, None where it is missing or malformed: it decides nothing, so it costs no slice either."""
    try:
        number = numbers(dataset, "InstanceNumber", 1)
    except Excluded:
        return None
    return None if number is None else int(number[0])


def _acquisition(dataset: Dataset) -> dict[str, Any]:
    spacing = numbers(dataset, "PixelSpacing", 2) or (math.nan, math.nan)
    thickness = numbers(dataset, "SliceThickness", 1) or (math.nan,)
    return {
        "spacing_row_mm": spacing[0],
        "spacing_col_mm": spacing[1],
        "thickness_mm": thickness[0],
        "rows": whole(dataset, "Rows"),
        "columns": whole(dataset, "Columns"),
        "manufacturer": manufacturer_name(text(dataset, "Manufacturer")),
        "kernel": kernel_name(text(dataset, "ConvolutionKernel")),
        "transfer_syntax": str(dataset.file_meta.TransferSyntaxUID),
    }


def read_content(path: Path) -> bytes:
    """A file's bytes; raises Excluded where it is no DICOM, too large, or the system refuses."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise Excluded(Reason.TOO_LARGE, f"more than {MAX_FILE_BYTES} bytes")
            require_dicom(stream.read(MARK_END))  # before a large file of another kind is read
            stream.seek(0)
            return stream.read(size)
    except OSError as error:
        raise Excluded(Reason.UNREADABLE, f"cannot be read: {error.strerror}") from None


def read_hu(root: Path, air_hu: int, path: str, frame: int, file_sha256: str) -> NDArray[np.int16]:
    """HU (rows, columns) of one frame of a file that ingestion has seen.

    Raises:
        CheckFailed: where the file is gone, changed since, or no longer readable.
    """
    try:
        entry = (root / path).stat()
        images = _opened(root, path, file_sha256, entry.st_mtime_ns, entry.st_size, entry.st_ino)
        if not 0 <= frame < len(images):
            raise CheckFailed("a source file has no such frame", value=frame, where=path, next_step=_RESTORE)
        image = images[frame]
        return hounsfield(image.dataset, air_hu=air_hu, number=image.number, count=image.count)[0]
    except (Excluded, OSError) as error:
        value = error.reason if isinstance(error, Excluded) else error.strerror
        raise CheckFailed(
            "a source file of the manifest cannot be read", value=value, where=path, next_step=_RESTORE
        ) from None


@lru_cache(maxsize=1)
def _opened(root: Path, path: str, file_sha256: str, *unchanged: int) -> list[Frame]:
    """The images of a file whose content is what ingestion saw, not yet decoded.

    The last file is kept while its time, size and inode are: a file of many frames is read and hashed once, not once
    a frame.
    """
    content = read_content(root / path)
    if hashlib.sha256(content).hexdigest() != file_sha256:
        raise CheckFailed("a source file changed after it was ingested", where=path, next_step=_RESTORE)
    return list(frames(read_header(content)))
