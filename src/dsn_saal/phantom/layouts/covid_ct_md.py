"""Phantoms in the layout of COVID-CT-MD: DICOM by class and patient, labels of single slices, true lungs beside.

Every other patient is as in the set: a study code for an id and UIDs, or no SOP Instance UIDs and study and series UIDs
that are none. Instance 1 is the highest slice; only in the second kind do the file names follow it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dsn_saal.phantom.case import HEADER, draw_case, truth_file
from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts.members import Member, made, members, note
from dsn_saal.phantom.series import SeriesHeader, draw_header, file_bytes, slice_dataset
from dsn_saal.phantom.write import Files, Progress

PATIENTS = {"COVID-19 subjects": "P", "Cap subjects": "cap", "Normal subjects": "normal"}
"""Class folders, and how the names of their patients begin."""

DIAGNOSES = {"COVID-19 subjects": "COVID-19", "Cap subjects": "CAP"}
"""Classes with labels of single slices, and how Index.csv calls them."""

FIRST = 901
"""Number of the first patient of each class; the published ones end at 169."""

COLUMNS = 200
"""Columns of the published array of slice labels."""


@dataclass(frozen=True)
class _Written:
    """Files of a patient, and per slice, highest first, whether it shows the disease."""

    files: list[tuple[str, bytes]]
    lesions: list[int]


def files(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
    """Every file of the set, and the true masks in a folder beside it."""
    found = members(plans, PATIENTS)
    index: list[tuple[object, ...]] = []
    labels: list[list[int]] = []
    for member, written in zip(found, made(_patient, found, workers=workers, progress=progress), strict=True):
        yield from written.files
        if member.plan.folder in DIAGNOSES:
            diagnosis = DIAGNOSES[member.plan.folder]
            index.append((len(labels), diagnosis, f"./{diagnosis}/", _name(member)))
            labels.append(written.lesions)
    yield "set/Index.csv", _table([("Label Index", "Diagnosis", "Relative Path", "Folder/ID"), *index])
    yield "set/Slice-level-labels.npy", _label_array(labels)
    yield note("COVID-CT-MD")


def _name(member: Member) -> str:
    return f"{PATIENTS[member.plan.folder]}{FIRST + member.place}"


def _patient(member: Member) -> _Written:
    plan, nameless = member.plan, member.place % 2 == 1
    case = draw_case(plan)
    header = _header(draw_header(plan, case.patient, plan.generator(HEADER)), member, nameless)
    found, lungs, lesions = [], [], []
    for at, (level, drawn) in enumerate(zip(case.levels, case.slices(), strict=True)):
        dataset = slice_dataset(header, plan, case.patient, at, level, drawn.hu)
        content = _without_uid(dataset) if nameless else file_bytes(dataset)
        found.append((f"set/{plan.folder}/{_name(member)}/{header.names[at]}", content))
        lungs.append(drawn.lungs)
        lesions.append(int(drawn.lesion))
    found.append((f"truth/{plan.folder}/{_name(member)}.npy", truth_file(lungs)))
    return _Written(found, lesions[::-1])


def _header(header: SeriesHeader, member: Member, nameless: bool) -> SeriesHeader:
    """The header with the set's ids, instance numbers and file names."""
    count, base = member.plan.n_slices, header.base
    numbers = list(range(count, 0, -1))
    del base.PatientName
    if nameless:
        base.PatientID = _name(member)
        for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "StudyTime", "SeriesTime", "AcquisitionTime"):
            setattr(base, keyword, "")
        base.StudyDescription = base.SeriesDescription = base.StudyID = base.FrameOfReferenceUID = ""
        base.SeriesNumber = base.AcquisitionNumber = None
        for keyword, what in (("StudyInstanceUID", "study"), ("SeriesInstanceUID", "series")):
            odd = str(_made_uuid(member, what))
            base[keyword] = DataElement(keyword, "UI", odd, validation_mode=config.IGNORE)
        names = [f"IM{number:04d}.dcm" for number in numbers]
    else:
        base.PatientID = f"{_made_uuid(member, 'patient').hex[:8].upper()}-PHAN"
        names = [f"{base.PatientID}_{int(name.removeprefix('IM').removesuffix('.dcm'))}.dcm" for name in header.names]
    return dataclasses.replace(header, numbers=numbers, names=names)


def _without_uid(dataset: Dataset) -> bytes:
    """The file of a slice that is not identified: not quite DICOM any more, and written as such."""
    dataset.SOPInstanceUID = ""
    del dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.preamble = b"\0" * 128
    stream = io.BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def _made_uuid(member: Member, what: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"dsn-saal phantom/{member.plan.seed}/{_name(member)}/{what}")


def _table(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _label_array(labels: Sequence[Sequence[int]]) -> bytes:
    """Labels as .npy, int64 (patients, slices), each row filled up with zeros."""
    columns = max([COLUMNS, *map(len, labels)])
    rows = [[*row, *[0] * (columns - len(row))] for row in labels]
    stream = io.BytesIO()
    np.save(stream, np.array(rows, dtype="<i8").reshape(len(rows), columns), allow_pickle=False)
    return stream.getvalue()
