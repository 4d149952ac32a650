"""Phantoms in the layout of COVID-CT-MD: DICOM by class and patient, labels of single slices, true lungs beside."""

from __future__ import annotations

import csv
import io
import multiprocessing
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
import pydicom

from dsn_saal.phantom.cohort import CasePlan, choose_levels
from dsn_saal.phantom.layouts.drawing import Files, Progress, note
from dsn_saal.phantom.patient import draw_patient
from dsn_saal.phantom.section import draw_slice
from dsn_saal.phantom.series import draw_header, encode_slice

NORMAL = "Normal subjects"
INDEX_NAMES = {"COVID-19 subjects": "COVID-19", "Cap subjects": "CAP"}
COLUMNS = 200
"""Columns of the published array of slice labels."""

Written = tuple[list[tuple[str, bytes]], list[tuple[int, bool]]]
"""Files of a case, and its slices' instance numbers with whether they show the disease."""


def files(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
    """Every file of the set, then the true masks in a folder beside it."""
    if workers == 1:
        cases = list(progress(map(write_case, plans), len(plans)))
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(plans)), mp_context=context) as pool:
            cases = list(progress(pool.map(write_case, plans), len(plans)))
    index: list[tuple[object, ...]] = [("Label Index", "Diagnosis", "Relative Path", "Folder/ID")]
    labels: list[list[int]] = []
    for plan, (written, shown) in zip(plans, cases, strict=True):
        yield from written
        if plan.folder != NORMAL:
            kind = INDEX_NAMES.get(plan.folder, plan.folder)
            index.append((len(labels), kind, f"./{kind}/", plan.name))
            row = [int(lesion) for _, lesion in sorted(shown)]
            labels.append(row + [0] * (COLUMNS - len(row)))
    text, stream = io.StringIO(), io.BytesIO()
    csv.writer(text, lineterminator="\n").writerows(index)
    np.save(stream, np.array(labels, dtype="<i8"), allow_pickle=False)
    yield "set/Index.csv", text.getvalue().encode()
    yield "set/Slice-level-labels.npy", stream.getvalue()
    yield note("COVID-CT-MD")


def write_case(plan: CasePlan) -> Written:
    """One patient; every other one has no SOP Instance UIDs and study and series UIDs that are none, as in the set."""
    cv2.setNumThreads(1)
    cv2.ipp.setUseIPP(False)  # other processors, other roundings
    patient = draw_patient(plan.class_name, plan.mild, plan.maker, plan.n_slices, plan.generator(0))
    header = draw_header(plan, patient, plan.generator(2))
    stem = f"{uuid.uuid5(uuid.NAMESPACE_OID, f'{plan.seed} {plan.name}').hex[:8].upper()}-PHAN"
    files: list[tuple[str, bytes]] = []
    masks, shown = [], []
    for at, level in enumerate(choose_levels(plan.n_slices, patient.levels, plan.generator(1))):
        drawn = draw_slice(patient, level, plan.generator(3, level))
        content = encode_slice(header, plan, patient, at, level, drawn.hu)
        name = header.names[at].removeprefix("IM").removesuffix(".dcm")
        kept = _without_uids(content, plan) if plan.number % 2 == 0 else content
        files.append((f"set/{plan.folder}/{plan.name}/{stem}_{int(name)}.dcm", kept))
        masks.append(np.packbits(drawn.lungs, axis=1))
        shown.append((header.numbers[at], drawn.lesion))
    stream = io.BytesIO()
    np.save(stream, np.stack(masks), allow_pickle=False)
    files.append((f"truth/{plan.folder}/{plan.name}.npy", stream.getvalue()))
    return files, shown


def _without_uids(content: bytes, plan: CasePlan) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(content))
    with pydicom.config.disable_value_validation():
        dataset.SOPInstanceUID = ""
        dataset.StudyInstanceUID = str(uuid.uuid5(uuid.NAMESPACE_OID, f"study {plan.seed} {plan.name}"))
        dataset.SeriesInstanceUID = str(uuid.uuid5(uuid.NAMESPACE_OID, f"series {plan.seed} {plan.name}"))
        stream = io.BytesIO()
        dataset.save_as(stream)
    return stream.getvalue()
