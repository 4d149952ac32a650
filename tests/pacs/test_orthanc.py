"""The round trip: phantoms into a real Orthanc by STOW-RS, out by `dsn-saal fetch`, and ingested as the folder is."""

import hashlib
import json

import pandas as pd
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from pydicom.uid import JPEG2000Lossless, RLELossless, generate_uid

CLASSES = ("covid19", "normal", "bacterial_pneumonia")
SLICES = 3


@pytest.fixture
def phantoms(dsn_saal, tmp_path):
    """A folder of three cases, one a class, as the program writes them."""
    each = dict.fromkeys(CLASSES, 1)
    settings = {
        "reader": "dicom", "seed": 5, "mild_share": 0.0,
        "cohort": {"cases": each, "slices": dict.fromkeys(CLASSES, SLICES), "slices_per_case": [SLICES, SLICES]},
        "folders": {name: name for name in CLASSES}, "drawn_as": {name: [name] for name in CLASSES},
    }  # fmt: skip
    done = dsn_saal(
        "phantom", "--dataset", "any", "--out", "cohort", "--workers", 1, "--settings", json.dumps(settings)
    )
    assert done.returncode == 0, done.stderr
    return tmp_path / "cohort/dicom"


def datasets(folder):
    return {path: pydicom.dcmread(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def stored(orthanc, phantoms):
    """Store the folder, two cases in other transfer syntaxes, and something that is no CT; the study of each class."""
    client = DICOMwebClient(orthanc.address, session=orthanc.session)
    studies = {}
    for path, dataset in datasets(phantoms).items():
        class_name = path.relative_to(phantoms).parts[0]
        studies[class_name] = str(dataset.StudyInstanceUID)
        syntax = {"normal": RLELossless, "bacterial_pneumonia": JPEG2000Lossless}.get(class_name)
        if syntax is not None:
            dataset.compress(syntax, generate_instance_uid=False)
        client.store_instances([dataset])
    dataset.decompress(generate_instance_uid=False)
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["no CT"])
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["no CT", "0"])
    dataset.Modality = "MR"
    client.store_instances([dataset])
    return studies


def fetch(dsn_saal, orthanc, tmp_path, rows, column="study_uid", **variables):
    (tmp_path / "list.csv").write_text(
        f"class,{column}\n" + "".join(f"{name},{value}\n" for name, value in rows.items())
    )
    settings = json.dumps({"folders": {name: [name] for name in CLASSES}, "key_file": None})
    return dsn_saal(
        "fetch", "--dataset", "any", "--source", orthanc.address, "--out", tmp_path / "fetched",
        "--list", tmp_path / "list.csv", "--settings", settings, **variables,
    )  # fmt: skip


def ingested(dsn_saal, source, out):
    ingest = {
        "case_id": "patient_id", "key_file": None, "air_hu": -1000, "derived": "exclude", "paths": "hashed",
        "series": {"choose": "one_per_study", "thickness_mm": 5.0, "kernels": ["lung", "soft"]},
    }  # fmt: skip
    settings = {"reader": "dicom", "folders": {name: [name] for name in CLASSES}, "published": False, "slices": "all",
                "counts": "any", "ingest": ingest}  # fmt: skip
    done = dsn_saal("ingest", "--dataset", "any", "--source", source, "--out", out, "--workers", 1,
                    "--settings", json.dumps(settings))  # fmt: skip
    assert done.returncode == 0, done.stderr
    print(done.stdout, end="")
    return pd.read_parquet(out / "manifest.parquet")


SAME = ["case", "study", "series", "sop", "label", "class_name", "z_mm", "pixel_sha256", "origin"]
"""Columns that do not depend on where the files lie, nor on how their pixels are packed."""


def test_what_comes_back_is_ingested_as_the_folder_itself(orthanc, phantoms, stored, dsn_saal, tmp_path):
    done = fetch(dsn_saal, orthanc, tmp_path, stored)
    assert done.returncode == 0, done.stderr
    print(done.stdout, end="")
    slices = len(CLASSES) * SLICES
    assert done.stdout == (
        f"3 studies: 3 CT series, {slices} files, {slices} of them new; not brought: 1 OTHER_MODALITY\n"
    )
    direct = ingested(dsn_saal, phantoms, tmp_path / "direct")
    through = ingested(dsn_saal, tmp_path / "fetched/files", tmp_path / "through")
    assert len(direct) == slices
    pd.testing.assert_frame_equal(direct[SAME], through[SAME])
    assert set(through["transfer_syntax"]) == {*direct["transfer_syntax"], RLELossless, JPEG2000Lossless}

    # The bytes are those that Orthanc holds, by its own word.
    held = {hashlib.sha256(orthanc.rest(f"instances/{name}/file").content).hexdigest()
            for name in orthanc.rest("instances").json()}  # fmt: skip
    assert set(through["file_sha256"]) <= held and len(held) == slices + 1

    again = fetch(dsn_saal, orthanc, tmp_path, stored)
    assert again.returncode == 0 and f"{slices} files, 0 of them new" in again.stdout


def test_a_list_of_patients(orthanc, phantoms, stored, dsn_saal, tmp_path):
    patients = {
        path.relative_to(phantoms).parts[0]: str(dataset.PatientID) for path, dataset in datasets(phantoms).items()
    }
    done = fetch(dsn_saal, orthanc, tmp_path, patients, "patient_id")
    assert done.returncode == 0, done.stderr
    assert len(ingested(dsn_saal, tmp_path / "fetched/files", tmp_path / "through")) == len(CLASSES) * SLICES


def test_refusals(orthanc, stored, dsn_saal, tmp_path):
    wrong = fetch(dsn_saal, orthanc, tmp_path, stored, DSN_SAAL_DICOMWEB_PASSWORD="wrong word")
    assert wrong.returncode == 2 and "refuses the credentials" in wrong.stderr and "wrong word" not in wrong.stderr
    absent = fetch(dsn_saal, orthanc, tmp_path, stored | {"normal": "1.2.3.4.5"})
    assert absent.returncode == 1 and "does not have 1 of the 3 rows" in absent.stderr
    assert "1.2.3.4.5" not in absent.stdout + absent.stderr and not (tmp_path / "fetched").exists()
