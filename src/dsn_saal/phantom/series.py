"""A CT series as DICOM Part 10, explicit VR little endian, as the scanner's maker would write it."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.grid import MATRIX
from dsn_saal.phantom.patient import SLICE_MM, Patient
from dsn_saal.phantom.scanner import PADDING, outside_scan_circle


def made_uid(*parts: object) -> UID:
    """A UID below 2.25 that depends on its parts only (UUID version 5, PS3.5 B.2)."""
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(['dsn-saal phantom', *map(str, parts)])).int}")


IMPLEMENTATION = made_uid("implementation")


@dataclass(frozen=True)
class SeriesHeader:
    """What all slices of a series share, and the draw of what scanners vary: dates, origin, order of numbers.

    Attributes:
        base: elements that every slice carries.
        origin_z: table position of height s = 0 (mm).
        numbers: InstanceNumber of each slice, lowest first.
        names: file name of each slice, lowest first.
    """

    base: Dataset
    origin_z: float
    numbers: list[int]
    names: list[str]


def draw_header(plan: CasePlan, patient: Patient, rng: np.random.Generator) -> SeriesHeader:
    """The header of a case's series; neither instance numbers nor file names need follow the position."""
    n = plan.n_slices
    ascending, order = list(range(1, n + 1)), rng.integers(4)
    shuffled = [int(index) + 1 for index in rng.permutation(n)]
    numbers = ascending[::-1] if order < 2 else ascending if order == 2 else shuffled
    names = [f"IM{int(index) + 1:04d}.dcm" for index in rng.permutation(n)]
    base = Dataset()
    _add_identity(base, plan, patient, rng)
    _add_acquisition(base, patient)
    return SeriesHeader(base, round(rng.uniform(-900, -400), 1), numbers, names)


def _add_identity(base: Dataset, plan: CasePlan, patient: Patient, rng: np.random.Generator) -> None:
    case = (plan.seed, plan.class_name, plan.number)
    day, minute = int(rng.integers(1, 29)), int(rng.integers(0, 600))
    base.SOPClassUID = CTImageStorage
    base.StudyDate = base.SeriesDate = base.AcquisitionDate = f"2020{int(rng.integers(1, 13)):02d}{day:02d}"
    base.StudyTime = base.SeriesTime = base.AcquisitionTime = f"{8 + minute // 60:02d}{minute % 60:02d}00"
    base.AccessionNumber = ""
    base.Modality = "CT"
    base.ReferringPhysicianName = ""
    base.StudyDescription = "CHEST"
    base.SeriesDescription = f"CHEST {SLICE_MM} {patient.scan.kernel[0]}"
    base.PatientName = f"PHANTOM^{plan.name}"
    base.PatientID = f"PHANTOM-{plan.name}"
    base.PatientBirthDate = ""
    base.PatientSex = "F" if patient.anatomy.breast else "M"
    base.PatientAge = f"{int(rng.integers(20, 86)):03d}Y"
    base.QualityControlImage = "YES"
    base.StudyInstanceUID = made_uid(*case, "study")
    base.SeriesInstanceUID = made_uid(*case, "series")
    base.FrameOfReferenceUID = made_uid(*case, "frame of reference")
    base.StudyID = "1"
    base.SeriesNumber = 2
    base.AcquisitionNumber = 1


def _add_acquisition(base: Dataset, patient: Patient) -> None:
    scan, model = patient.scan, patient.scan.model
    base.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    base.Manufacturer = model.manufacturer
    base.ManufacturerModelName = model.name
    base.BodyPartExamined = "CHEST"
    base.PatientPosition = "HFS"
    base.KVP = scan.kvp
    base.XRayTubeCurrent = scan.current_ma
    base.ConvolutionKernel = scan.kernel[0]
    base.SliceThickness = SLICE_MM
    base.GantryDetectorTilt = 0
    base.ReconstructionDiameter = round(scan.grid.spacing_mm * MATRIX, 3)
    base.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    base.PositionReferenceIndicator = ""
    base.SamplesPerPixel = 1
    base.PhotometricInterpretation = "MONOCHROME2"
    base.Rows = base.Columns = MATRIX
    base.PixelSpacing = [scan.grid.spacing_mm, scan.grid.spacing_mm]
    base.BitsAllocated = 16
    base.BitsStored = 16 if model.pads else 12
    base.HighBit = base.BitsStored - 1
    base.PixelRepresentation = int(model.pads)
    if model.pads:
        base.PixelPaddingValue = PADDING
    base.RescaleIntercept = model.intercept
    base.RescaleSlope = 1
    base.RescaleType = "HU"
    base.WindowCenter = [-400, 40]
    base.WindowWidth = [1500, 400]


def slice_dataset(
    header: SeriesHeader, plan: CasePlan, patient: Patient, index: int, level: int, hu: NDArray[np.int16]
) -> Dataset:
    """One slice as a DICOM data set with its file meta information.

    Args:
        header: of the series.
        plan: of the case.
        patient: for the scanner and the geometry.
        index: of the slice in its series, lowest first.
        level: of the slice in the patient, 5 mm apart.
        hu: int16 (512, 512).
    """
    dataset = Dataset()
    dataset.update(header.base)
    scan = patient.scan
    corner = [value - (MATRIX - 1) / 2 * scan.grid.spacing_mm for value in scan.grid.centre_mm]
    z = round(header.origin_z + level * SLICE_MM, 1)
    dataset.SOPInstanceUID = made_uid(plan.seed, plan.class_name, plan.number, "slice", level)
    dataset.InstanceNumber = header.numbers[index]
    dataset.ImagePositionPatient = [round(corner[0], 4), round(corner[1], 4), z]
    dataset.SliceLocation = z
    stored = hu - np.int16(scan.model.intercept)
    if scan.model.pads:
        stored[outside_scan_circle()] = PADDING
    dataset.PixelData = stored.astype("<i2" if scan.model.pads else "<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = _file_meta(dataset.SOPInstanceUID)
    return dataset


def file_bytes(dataset: Dataset) -> bytes:
    """A data set as the bytes of a DICOM file (Part 10)."""
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _file_meta(instance: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "DSN_SAAL_PHANTOM"
    return meta
