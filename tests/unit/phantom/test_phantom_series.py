"""What lies on the disk: valid DICOM, honest positions, the same bytes again, a folder that is only the job's."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.phantom import write
from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.scanner import PADDING, outside_scan_circle
from dsn_saal.storage.listing import differences, read_listing

PLANS = [
    CasePlan("covid19", "covid19", 1, 4, "SIEMENS", False, 2021),
    CasePlan("normal", "normal", 1, 3, "GE", False, 2021),
    CasePlan("bacterial_pneumonia", "bacterial_pneumonia", 1, 2, "GE", True, 2021),
]


def silent(items, total):
    return iter(items)


def written(out, plans=PLANS, workers=1):
    write.write_cohort(plans, out, workers=workers, progress=silent)
    return out


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return written(tmp_path_factory.mktemp("phantom") / "cohort")


def series_of(cohort, plan):
    files = sorted((cohort / "dicom" / plan.folder / plan.name).rglob("*.dcm"))
    read = [pydicom.dcmread(path) for path in files]
    return sorted(read, key=lambda dataset: float(dataset.ImagePositionPatient[2]))


def hu_of(dataset):
    return dataset.pixel_array.astype(np.int32) * int(dataset.RescaleSlope) + int(dataset.RescaleIntercept)


def test_the_listing_holds_every_file(cohort):
    assert differences(cohort) == []
    assert sum(name.endswith(".dcm") for name in read_listing(cohort)) == 9
    assert sum(name.endswith(".npy") for name in read_listing(cohort)) == 3


def test_the_same_bytes_again_from_two_processes(cohort, tmp_path):
    assert read_listing(written(tmp_path / "again", workers=2)) == read_listing(cohort)


def test_another_seed_other_bytes_and_uids(cohort, tmp_path):
    import dataclasses

    other = written(tmp_path / "other", [dataclasses.replace(PLANS[2], seed=1)])
    ours, theirs = series_of(cohort, PLANS[2]), series_of(other, PLANS[2])
    assert {dataset.SOPInstanceUID for dataset in ours}.isdisjoint(dataset.SOPInstanceUID for dataset in theirs)
    assert not np.array_equal(ours[0].pixel_array, theirs[0].pixel_array)


def test_the_bytes_are_pinned(cohort):
    """Other phantoms give other results: a change must be meant."""
    listing = (cohort / "SHA256SUMS").read_bytes()
    assert hashlib.sha256(listing).hexdigest() == "8414cddbf4c3f39208fad2ab3429dd17018014d17f911b39b331068098b479c9"


DIGEST = """
import hashlib, sys, pathlib
from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts import covid_ct
from dsn_saal.phantom.write import write_case
print(sorted(write_case(CasePlan("covid19", "c", 1, 2, "GE", False, 5), out=pathlib.Path(sys.argv[1])).items()))
classes = (("covid19", "CT_COVID"), ("normal", "CT_NonCOVID"))
plans = [CasePlan(name, mark, number, 2, "SIEMENS", False, 5) for name, mark in classes for number in (1, 2, 3)]
for name, content in covid_ct.files(plans, workers=1, progress=lambda items, total: items):
    print(name, hashlib.sha256(content).hexdigest())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the switches name the features of x86 processors")
def test_the_same_bytes_without_the_processors_special_instructions(tmp_path):
    plain = subprocess.run(
        [sys.executable, "-c", DIGEST, str(tmp_path / "a")], capture_output=True, text=True, check=True
    )
    off = {
        "OPENCV_CPU_DISABLE": "SSE4.1,SSE4.2,AVX,AVX2,FP16,FMA3,AVX512-SKX",
        "NPY_DISABLE_CPU_FEATURES": _numpy_features(),
        "JSIMD_FORCENONE": "1",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F",
    }
    other = subprocess.run(
        [sys.executable, "-c", DIGEST, str(tmp_path / "b")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **{name: value for name, value in off.items() if value}},
    )
    assert other.stdout == plain.stdout


def _numpy_features():
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_headers_are_what_a_scanner_writes(cohort, plan):
    series = series_of(cohort, plan)
    assert len(series) == plan.n_slices
    first = series[0]
    assert first.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert first.SOPClassUID == first.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert first.QualityControlImage == "YES" and first.Modality == "CT"
    assert list(first.ImageType) == ["ORIGINAL", "PRIMARY", "AXIAL"]
    assert str(first.PatientName) == f"PHANTOM^{plan.name}"
    assert (first.Rows, first.Columns, first.BitsAllocated, first.SliceThickness) == (512, 512, 16, 5)
    assert first.RescaleType == "HU" and len(first.PixelSpacing) == 2
    assert list(first.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
    for dataset in series:
        assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID
        assert all(pydicom.uid.UID(uid).is_valid for uid in (dataset.SOPInstanceUID, dataset.StudyInstanceUID))


def test_uids_are_unique_and_shared_where_they_must_be(cohort):
    every = [series_of(cohort, plan) for plan in PLANS]
    instances = [dataset.SOPInstanceUID for series in every for dataset in series]
    assert len(set(instances)) == len(instances)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert [len({dataset[keyword].value for dataset in series}) for series in every] == [1, 1, 1]
        assert len({series[0][keyword].value for series in every}) == 3


def test_positions_are_whole_levels_apart_and_neither_names_nor_numbers_give_the_order(cohort, tmp_path):
    for plan in PLANS:
        z = np.array([float(dataset.ImagePositionPatient[2]) for dataset in series_of(cohort, plan)])
        gaps = np.diff(z)
        assert (gaps >= 5).all() and np.allclose(gaps / 5, np.rint(gaps / 5))
    plans = [CasePlan("normal", "normal", number, 6, "GE", False, 9) for number in range(1, 5)]
    out = written(tmp_path / "cohort", plans)
    by_number, by_name = [], []
    for plan in plans:
        series = series_of(out, plan)
        by_number.append([dataset.InstanceNumber for dataset in series])
        by_name.append([Path(dataset.filename).name for dataset in series])
    assert all(sorted(numbers) == list(range(1, 7)) for numbers in by_number)
    assert any(numbers != sorted(numbers) for numbers in by_number)
    assert any(names not in (sorted(names), sorted(names, reverse=True)) for names in by_name)


def test_siemens_stores_twelve_unsigned_bits(cohort):
    for dataset in series_of(cohort, PLANS[0]):
        assert (dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation) == (12, 11, 0)
        assert dataset.RescaleIntercept == -1024 and "PixelPaddingValue" not in dataset
        stored = dataset.pixel_array
        assert stored.dtype == np.uint16 and stored.max() < 4096
        assert -1024 <= hu_of(dataset)[:8].mean() < -980


def test_ge_pads_outside_the_scan_circle_and_nowhere_else(cohort):
    for dataset in series_of(cohort, PLANS[1]):
        assert (dataset.BitsStored, dataset.PixelRepresentation, dataset.PixelPaddingValue) == (16, 1, PADDING)
        stored = dataset.pixel_array
        assert np.array_equal(stored == PADDING, outside_scan_circle())
        assert hu_of(dataset)[~outside_scan_circle()].min() >= -1024


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_truth_lies_slice_by_slice_in_ascending_z(cohort, plan):
    packed = np.load(cohort / "truth" / plan.folder / plan.name / f"{write.SERIES}.npy", allow_pickle=False)
    assert packed.dtype == np.uint8 and packed.shape == (plan.n_slices, 512, 64)
    truth = np.unpackbits(packed, axis=2).astype(bool)
    for lungs, dataset in zip(truth, series_of(cohort, plan), strict=True):
        hu = hu_of(dataset)
        assert np.median(hu[lungs]) < -700
        rim = lungs ^ np.roll(lungs, 8, axis=1)
        assert hu[rim & ~lungs].mean() > hu[lungs].mean() + 300


def test_a_second_run_restores_what_was_harmed_and_removes_what_is_foreign(tmp_path):
    out = written(tmp_path / "cohort", PLANS[2:])
    before = read_listing(out)
    victims = sorted(out.rglob("*.dcm"))
    victims[0].write_bytes(b"half")
    victims[1].unlink()
    (out / "dicom" / "normal" / "NL009").mkdir(parents=True)
    (out / "dicom" / "normal" / "NL009" / "old.dcm").write_bytes(b"from another seed")
    (out / "notes.txt").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("kept")
    (out / "link").symlink_to(tmp_path / "elsewhere")
    written(out, PLANS[2:])
    assert read_listing(out) == before and differences(out) == []
    assert not (out / "dicom" / "normal").exists() and not (out / "link").exists()
    assert (tmp_path / "elsewhere" / "kept").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadRequest, match="holds something else"):
        written(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_an_interrupted_run_leaves_no_listing_and_a_full_disk_says_so(tmp_path, monkeypatch):
    out = written(tmp_path / "cohort", PLANS[2:])
    real = Path.write_bytes

    def full(path, content):
        if path.name.endswith(".dcm"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CheckFailed, match="the disk is full"):
        written(out, PLANS[2:])
    assert not (out / "SHA256SUMS").exists()
    assert not list(out.rglob("*.part*"))


def test_the_listing_speaks_of_the_files(cohort):
    name, digest = next(iter(read_listing(cohort).items()))
    assert hashlib.sha256((cohort / name).read_bytes()).hexdigest() == digest
