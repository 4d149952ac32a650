"""The stand-in for COVID-CT-MD, read back with pydicom, csv and numpy: headers, labels of slices, true lungs."""

from __future__ import annotations

import csv
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from stand_ins import plans_of

from dsn_saal.phantom import case as drawing
from dsn_saal.preprocess.truth import truth_of

PREFIX = {"COVID-19 subjects": "P", "Cap subjects": "cap", "Normal subjects": "normal"}

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR UI")


@pytest.fixture(scope="module")
def root(stand_in):
    return stand_in("covid_ct_md")


@pytest.fixture(scope="module")
def series(root):
    """Slices of each patient by instance number."""
    found = {}
    for folder in PREFIX:
        for patient in sorted((root / "set" / folder).iterdir()):
            slices = [pydicom.dcmread(path) for path in patient.iterdir()]
            found[folder, patient.name] = sorted(slices, key=lambda dataset: int(dataset.InstanceNumber))
    return found


def nameless(slices):
    return all(dataset.SOPInstanceUID == "" for dataset in slices)


def test_patients_are_numbered_beyond_the_published_ones(series):
    for folder, patient in series:
        assert patient.startswith(PREFIX[folder]) and int(patient.removeprefix(PREFIX[folder])) > 169


def test_every_other_patient_has_no_uids(series):
    assert [nameless(slices) for slices in series.values()] == [False, True, False] * 3
    for (_, patient), slices in series.items():
        uids = {uid for dataset in slices for uid in (dataset.StudyInstanceUID, dataset.SeriesInstanceUID)}
        assert len(uids) == 2
        assert all("PatientName" not in dataset for dataset in slices)
        if nameless(slices):
            assert {str(uuid.UUID(uid)) for uid in uids} == uids
            assert {dataset.PatientID for dataset in slices} == {patient}
            assert {dataset.StudyDate for dataset in slices} == {""}
            assert all("MediaStorageSOPInstanceUID" not in dataset.file_meta for dataset in slices)
        else:
            assert all(uid.is_valid for uid in uids)
            assert len({dataset.SOPInstanceUID for dataset in slices}) == len(slices)
            assert {dataset.PatientID for dataset in slices} == {
                Path(dataset.filename).name.rsplit("_", 1)[0] for dataset in slices
            }


def test_instance_one_is_the_highest_slice_and_file_names_need_not_follow(series):
    orders = []
    for slices in series.values():
        z = [float(dataset.ImagePositionPatient[2]) for dataset in slices]
        assert z == sorted(z, reverse=True) and z == [float(dataset.SliceLocation) for dataset in slices]
        assert [int(dataset.InstanceNumber) for dataset in slices] == list(range(1, len(slices) + 1))
        numbers = [int(Path(dataset.filename).stem.removeprefix("IM").split("_")[-1]) for dataset in slices]
        assert sorted(numbers) == list(range(1, len(slices) + 1))
        assert not nameless(slices) or numbers == sorted(numbers)
        orders.append(numbers)
    assert any(numbers not in (sorted(numbers), sorted(numbers, reverse=True)) for numbers in orders)


def test_slice_labels_have_the_published_form(root, series):
    with (root / "set" / "Index.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    labels = np.load(root / "set" / "Slice-level-labels.npy", allow_pickle=False)
    assert list(rows[0]) == ["Label Index", "Diagnosis", "Relative Path", "Folder/ID"]
    assert labels.shape == (len(rows), 200) and labels.dtype == np.int64 and set(np.unique(labels)) <= {0, 1}
    assert [int(row["Label Index"]) for row in rows] == list(range(len(rows)))
    wanted = [patient for folder, patient in series if folder != "Normal subjects"]
    assert sorted(row["Folder/ID"] for row in rows) == sorted(wanted)
    assert {row["Diagnosis"] for row in rows} == {"COVID-19", "CAP"}


def test_a_labelled_slice_shows_denser_lungs_than_the_same_patient_without_disease(root, series):
    """The same anatomy drawn healthy is the measure: with label 0 the slices are equal, with label 1 they are not."""
    with (root / "set" / "Index.csv").open(encoding="utf-8", newline="") as stream:
        names = [row["Folder/ID"] for row in csv.DictReader(stream)]
    labels = dict(zip(names, np.load(root / "set" / "Slice-level-labels.npy"), strict=True))
    ill = [plan for plan in plans_of("covid_ct_md") if plan.folder != "Normal subjects"]
    patients = [key for key in series if key[0] != "Normal subjects"]
    seen = set()
    for plan, (folder, patient) in zip(ill, sorted(patients, key=lambda key: key[0] == "Cap subjects"), strict=True):
        drawn = drawing.draw_case(plan)
        healthy = drawing.draw_patient("normal", False, plan.maker, plan.n_slices, plan.generator(drawing.DRAWN))
        for at, (level, dataset) in enumerate(zip(drawn.levels[::-1], series[folder, patient], strict=True)):
            without = drawing.draw_slice(healthy, level, plan.generator(drawing.NOISE, level)).hu
            shown = dataset.pixel_array.astype(np.int32) + int(dataset.RescaleIntercept)
            inside = shown > -1500  # not the padding beyond the scan circle
            assert bool(labels[patient][at]) == bool((shown != without)[inside].any())
            seen.add(int(labels[patient][at]))
        assert not labels[patient][plan.n_slices :].any()
    assert seen == {0, 1}


def test_true_lungs_lie_beside_the_set_in_ascending_z(root, series):
    for (folder, patient), slices in series.items():
        packed = np.load(root / "truth" / folder / f"{patient}.npy", allow_pickle=False)
        assert packed.dtype == np.uint8 and packed.shape == (len(slices), 512, 64)
        for bits, dataset in zip(packed, slices[::-1], strict=True):
            hu = dataset.pixel_array.astype(np.int32) + int(dataset.RescaleIntercept)
            lungs = np.unpackbits(bits, axis=1).astype(bool)
            assert hu[np.roll(lungs, 8, axis=1) & ~lungs].mean() > hu[lungs].mean() + 150


def test_the_truth_is_found_for_every_slice_that_is_read(root, tmp_path):
    rows = [
        {"path": path.relative_to(root / "set").as_posix(), "z_mm": float(pydicom.dcmread(path).SliceLocation)}
        for path in sorted((root / "set").rglob("*.dcm"))
    ]
    found, why = truth_of(root / "set", pd.DataFrame(rows))
    assert why is None and None not in found and len(set(found)) == len(rows)


def test_pictures_have_no_truth(stand_in):
    for name in ("covidx_ct", "covid_ct", "sars_cov_2"):
        assert not (stand_in(name) / "truth").exists()
