"""A whole tree to manifest, exclusions and counts."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from fake_dicom import thorax, write_ct, write_tree

from dsn_saal.cli import main
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.ingest.dicom.reader import read_hu
from dsn_saal.ingest.identity import clinical_key, key_path, keyed_hash
from dsn_saal.ingest.manifest import COLUMNS, flow, manifest_table
from dsn_saal.ingest.parallel import map_ordered
from dsn_saal.ingest.stage import ingest_tree
from dsn_saal.storage.tables import read_table

CANARIES = {
    "PatientName": "Canary^Carla", "PatientID": "CANARY-4711", "PatientBirthDate": "19010203", "StudyDate": "19020304",
    "StudyInstanceUID": "1.2.999.471147114711", "SeriesInstanceUID": "1.2.999.471247124712",
    "SOPInstanceUID": "1.2.999.471347134713", "AccessionNumber": "CANARYACC", "InstitutionName": "Canary clinic",
    "ReferringPhysicianName": "Canary^Doctor", "StationName": "CANARYSTATION",
}  # fmt: skip
HU, _ = thorax(32)


def ingest(reader, out, workers=1, **change):
    return ingest_tree(reader(**change), out, workers=workers, progress=lambda items, total: items)


def test_slices_come_in_the_order_of_their_positions(source, reader, tmp_path):
    write_tree(source, slices=4)
    counts = ingest(reader, tmp_path / "out")
    manifest = read_table(tmp_path / "out" / "manifest.parquet")
    assert {name: str(manifest[name].dtype) for name in COLUMNS} == COLUMNS
    assert list(manifest.columns) == list(COLUMNS)
    for _, series in manifest.groupby("series"):
        assert series["z_mm"].tolist() == [0.0, 5.0, 10.0, 15.0]
        assert series["path"].str[-7:].tolist() == ["004.dcm", "003.dcm", "002.dcm", "001.dcm"]
    assert manifest["label"].is_monotonic_increasing
    assert counts == json.loads((tmp_path / "out" / "flow.json").read_text())
    assert counts["files"] == counts["slices"] == 16
    assert counts["classes"]["covid19"] == {"slices": 8, "series": 2, "cases": 2}


def test_bytes_do_not_depend_on_the_number_of_processes(source, reader, tmp_path):
    write_tree(source, cases=3, slices=4)
    (source / "normal" / "note.txt").write_text("no DICOM")
    for workers in (1, 3):
        ingest(reader, tmp_path / f"out{workers}", workers)
    for name in ("manifest.parquet", "exclusions.csv", "series.csv", "flow.json"):
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out3" / name).read_bytes()


def test_no_identity_leaves_the_reader(source, tmp_path, capfd, monkeypatch):
    """Good, damaged and refused files of one patient: nothing written or printed holds what the tags hold."""
    good = write_ct(source / "covid19" / "a.dcm", HU, **CANARIES)
    write_ct(source / "normal" / "n.dcm", HU, **(CANARIES | {"PatientID": "CANARY-4712"}))
    content = good.read_bytes()
    (source / "covid19" / "cut.dcm").write_bytes(content[:900])
    (source / "covid19" / "bad.dcm").write_bytes(content.replace(b"1.2.840.10008.1.2.1", b"1.2.999.47114711471"))
    (source / "covid19" / "vr.dcm").write_bytes(content.replace(b"4711", b"\xff\xfe\xfd\xfc"))
    write_ct(source / "covid19" / "mr.dcm", HU, Modality="MR", **CANARIES)
    (source / "bacterial_pneumonia").mkdir()
    write_ct(source / "bacterial_pneumonia" / "c.dcm", HU, **(CANARIES | {"PatientID": "CANARY-4713"}))
    named = source / "covid19" / "CANARY-4711 Canary"  # params call this data set a phantom; this folder is none
    write_ct(named / "Canary.dcm", HU, z=5.0, **CANARIES)
    write_ct(named / "4711.dcm", HU, Modality="MR", **CANARIES)
    command = ["ingest", "--dataset", "covid19_diag", "--source", str(source), "--out", str(tmp_path / "out")]
    assert main([*command, "--workers", "1"]) == 0
    printed = capfd.readouterr()
    assert "secret in" in printed.err
    written = b"".join(path.read_bytes() for path in sorted((tmp_path / "out").rglob("*")) if path.is_file())
    manifest = read_table(tmp_path / "out" / "manifest.parquet").to_csv()
    everything = f"{printed.out}{printed.err}{manifest}".encode() + written
    for value in [*CANARIES.values(), "4711", "Canary", "CANARY"]:
        assert value.encode() not in everything, value


def test_phantoms_hash_alike_everywhere_and_clinical_ids_do_not(source, reader, tmp_path, monkeypatch, own_key):
    write_tree(source, cases=1, slices=1, QualityControlImage="YES")
    ingest(reader, tmp_path / "first", published=True)
    assert not own_key.exists(), "phantoms need no secret"
    manifest = read_table(tmp_path / "first" / "manifest.parquet")
    assert manifest["origin"].unique().tolist() == ["phantom"]
    # Known once and for all: these bytes are the same on every machine.
    assert manifest["case"].tolist() == [
        keyed_hash("case", name, b"dsn-saal phantom cohort: public key") for name in ("covid19-0", "normal-0")
    ]
    assert keyed_hash("case", "covid19-0", b"dsn-saal phantom cohort: public key") == "70a6bd78b88a87a4"


@pytest.mark.parametrize("published", [True, False])
def test_by_command_the_phantoms_of_params_need_no_secret_and_other_data_do(source, tmp_path, own_key, published):
    write_tree(source, cases=1, slices=1, QualityControlImage="YES")
    folders = {"covid19": ["covid19"], "normal": ["normal"]}
    settings = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())["ingest"]
    block = {"reader": "dicom", "folders": folders, "published": published, "slices": "all", "counts": "published"}
    call = ["ingest", "--dataset", "covid19_diag", "--source", str(source), "--out", str(tmp_path / "out")]
    assert main([*call, "--workers", "1", "--settings", json.dumps({**block, "ingest": settings})]) == 0
    manifest = read_table(tmp_path / "out" / "manifest.parquet")
    public = {keyed_hash("case", name, b"dsn-saal phantom cohort: public key") for name in ("covid19-0", "normal-0")}
    assert (set(manifest["case"]) == public) is published and own_key.exists() is not published
    assert manifest["path"].str.contains("#").any() != published


def test_a_file_that_calls_itself_a_phantom_gets_no_hash_that_can_be_guessed(source, reader, tmp_path, own_key):
    write_tree(source, cases=1, slices=1, QualityControlImage="YES")
    ingest(reader, tmp_path / "out")
    manifest = read_table(tmp_path / "out" / "manifest.parquet")
    assert own_key.exists() and set(manifest["origin"]) == {"phantom"}
    public = {keyed_hash("case", name, b"dsn-saal phantom cohort: public key") for name in ("covid19-0", "normal-0")}
    assert not public & set(manifest["case"])


def test_clinical_ids_hang_on_the_secret(source, reader, tmp_path, monkeypatch, own_key):
    write_tree(source, cases=1, slices=1)
    cases = []
    for name in ("one", "two"):
        (tmp_path / f"{name}.key").write_text(f"{name} secret of enough length")
        ingest(reader, tmp_path / name, key_file=str(tmp_path / f"{name}.key"))
        cases.append(set(read_table(tmp_path / name / "manifest.parquet")["case"]))
    assert not cases[0] & cases[1]
    assert not own_key.exists()


def test_the_users_own_key_is_made_once_and_private(own_key, monkeypatch):
    first = clinical_key(key_path(None), make=True)
    assert stat.S_IMODE(own_key.stat().st_mode) == 0o600
    clinical_key.cache_clear()
    assert clinical_key(key_path(None), make=True) == first
    monkeypatch.delenv("DSN_SAAL_KEY_FILE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(own_key.parent / "xdg"))
    assert key_path(None) == own_key.parent / "xdg" / "dsn-saal" / "case-id.key"


@pytest.mark.parametrize("secret", [None, "short"])
def test_a_key_file_that_cannot_serve_is_refused(tmp_path, secret):
    path = tmp_path / "my.key"
    if secret:
        path.write_text(secret)
    with pytest.raises(BadRequest) as refused:
        clinical_key(path, make=False)
    assert str(path) in refused.value.text() and refused.value.next_step


def test_copies_are_left_out_and_conflicts_too(source, reader, tmp_path):
    write_tree(source, cases=2, slices=2)
    original = source / "covid19" / "case0" / "series" / "001.dcm"
    (source / "covid19" / "case0" / "series" / "copy.dcm").write_bytes(original.read_bytes())
    write_ct(source / "normal" / "x.dcm", HU, PatientID="covid19-1", SeriesInstanceUID="1.2.3.99")
    counts = ingest(reader, tmp_path / "out")
    assert counts["excluded"] == {"CLASS_CONFLICT": 3, "DUPLICATE": 1}
    exclusions = pd.read_csv(tmp_path / "out" / "exclusions.csv")
    assert exclusions["path"].is_monotonic_increasing
    duplicate = exclusions[exclusions["reason"] == "DUPLICATE"]
    assert duplicate["path"].tolist() == ["covid19/case0/series/copy.dcm"]
    assert counts["files"] == counts["slices"] + counts["excluded_total"]


def test_two_images_in_one_place_are_ordered_by_their_pixels(source, reader, tmp_path):
    for name, shift in (("a", 3), ("b", 1), ("c", 2)):
        write_ct(source / "covid19" / f"{name}.dcm", HU + np.int16(shift), z=1.0)
        write_ct(
            source / "normal" / f"{name}.dcm", HU + np.int16(shift), z=1.0, PatientID="P2", SeriesInstanceUID="1.9"
        )
    ingest(reader, tmp_path / "out")
    manifest = read_table(tmp_path / "out" / "manifest.parquet")
    for _, series in manifest.groupby("label"):
        assert len(series) == 3 and series["pixel_sha256"].is_monotonic_increasing


def test_missing_uids_fall_back_to_the_folder(source, reader, tmp_path):
    for case in ("p1", "p2"):
        tags = {"SeriesInstanceUID": None, "SOPInstanceUID": None, "StudyInstanceUID": "7afb0d48-ec01-4941"}
        write_ct(source / "covid19" / case / "a.dcm", HU, PatientID=case, **tags)
    write_ct(source / "normal" / "a.dcm", HU, PatientID="p3")
    ingest(reader, tmp_path / "out")
    manifest = read_table(tmp_path / "out" / "manifest.parquet").query("label == 0")
    assert manifest["series"].nunique() == 2
    assert manifest["sop"].tolist() == ["", ""]
    assert manifest["study"].nunique() == 1 and manifest["study"].str.len().unique() == [16]


def test_a_file_name_that_is_no_utf8_is_listed(source, reader, tmp_path):
    write_tree(source, cases=1, slices=1)
    (source / "covid19" / os.fsdecode(b"\xff\xfe.dcm")).write_bytes(b"x")
    counts = ingest(reader, tmp_path / "out")
    assert counts["excluded"] == {"UNREADABLE": 1}
    assert "\\udcff" in (tmp_path / "out" / "exclusions.csv").read_text()


def test_a_class_with_one_case_is_accepted_and_one_without_slices_refused(source, reader, tmp_path):
    write_tree(source, classes=("covid19",), cases=1, slices=2)
    (source / "normal").mkdir()
    (source / "normal" / "note.txt").write_text("later")
    with pytest.raises(CheckFailed) as refused:
        ingest(reader, tmp_path / "out")
    assert "normal" in refused.value.text() and "exclusions.csv" in refused.value.text()
    assert not (tmp_path / "out" / "manifest.parquet").exists()
    write_ct(source / "normal" / "a.dcm", HU, PatientID="only")
    assert ingest(reader, tmp_path / "out")["classes"]["normal"]["cases"] == 1


def test_what_a_set_does_not_tell_is_not_counted():
    """Pictures without a patient are not one patient."""
    told = {
        "label": 0, "class_name": "covid19", "rows": 8, "columns": 8, "transfer_syntax": "image/png L",
        "decoder": "d", "origin": "clinical", "file_sha256": "f",
    }  # fmt: skip
    rows = [told | {"case": case, "path": f"{case}.png", "pixel_sha256": case} for case in ("", "c1", "c2")]
    counts = flow(3, manifest_table(rows), [], ["covid19"], {})
    assert (counts["slices"], counts["cases"], counts["series"]) == (3, 2, 0)
    assert counts["classes"]["covid19"] == {"slices": 3, "series": 0, "cases": 2}


def test_nothing_usable_is_refused_with_the_reasons(source, reader, tmp_path):
    (source / "covid19").mkdir()
    (source / "covid19" / "note.txt").write_text("no DICOM")
    with pytest.raises(CheckFailed, match="no usable CT slice") as refused:
        ingest(reader, tmp_path / "out")
    assert "1 NOT_DICOM" in refused.value.text()
    assert "NOT_DICOM" in (tmp_path / "out" / "exclusions.csv").read_text()


def test_a_source_that_does_not_exist_is_a_bad_request(tmp_path, capsys):
    missing = str(tmp_path / "nowhere")
    assert main(["ingest", "--dataset", "covid19_diag", "--source", missing, "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert missing in message and "--source" in message
    assert not (tmp_path / "out").exists()


def _or_die(item):
    if item == 3:
        os._exit(9)
    return item * item


def test_a_crash_costs_one_item_and_no_more():
    results = map_ordered(_or_die, [1, 2, 3, 4], workers=1, crashed=lambda item: -item)
    assert list(results) == [1, 4, -3, 16]


def test_reading_again_checks_the_file(source, reader, tmp_path):
    path = write_ct(source / "covid19" / "a.dcm", HU)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    np.testing.assert_array_equal(read_hu(source, -1000, "covid19/a.dcm", 0, digest), HU)
    write_ct(path, HU, z=3.0)
    with pytest.raises(CheckFailed, match="changed") as refused:
        read_hu(source, -1000, "covid19/a.dcm", 0, digest)
    assert refused.value.where == "covid19/a.dcm"
    path.unlink()
    with pytest.raises(CheckFailed, match="cannot be read"):
        read_hu(source, -1000, "covid19/a.dcm", 0, digest)
