"""Every file is taken in or left out with a reason; none stops the run."""

from __future__ import annotations

import os
import socket
from io import BytesIO

import numpy as np
import pytest
from fake_dicom import CT_IMAGE, ct_file, file_bytes, thorax, write_ct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.stage import read_or_refuse
from dsn_saal.ingest.tree import files_below

HU, _ = thorax(16)
SECRET = "CANARY"


def outcome(reader, path):
    result = read_or_refuse(reader, path)
    return result.reason if isinstance(result, Excluded) else "kept"


def row_of(reader, path):
    """The one row of a file of one slice."""
    (row,) = reader.rows(path)
    return row


def test_a_good_slice_is_kept(source, reader):
    write_ct(source / "covid19" / "a.dcm", HU)
    assert outcome(reader(), "covid19/a.dcm") == "kept"


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"Modality": "MR"}, Reason.NOT_CT),
        ({"Modality": None, "SOPClassUID": None}, Reason.NOT_CT),
        ({"Modality": None, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, Reason.NOT_CT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, Reason.NOT_CT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.67"}, Reason.NOT_CT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, Reason.SECONDARY),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.3", "ImageType": None}, Reason.SECONDARY),
        ({"ImageType": ["original", "primary", "localizer"]}, Reason.LOCALIZER),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "SCOUT"]}, Reason.LOCALIZER),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "OTHER", "CT_SOM5 TOP"]}, Reason.LOCALIZER),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "REFORMATTED"]}, Reason.DERIVED),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM7 MIP"]}, Reason.DERIVED),
        ({"BurnedInAnnotation": "yes"}, Reason.BURNED_IN),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, Reason.LOCALIZER),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]}, Reason.SECONDARY),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, Reason.DERIVED),
        ({"BurnedInAnnotation": "YES"}, Reason.BURNED_IN),
        ({"NumberOfFrames": 2}, Reason.MULTI_FRAME),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, Reason.NOT_GREYSCALE),
        ({"SamplesPerPixel": 3}, Reason.NOT_GREYSCALE),
        ({"Rows": 8}, Reason.NOT_SQUARE),
        ({"Rows": 65535, "Columns": 65535}, Reason.TOO_LARGE),
        ({"Rows": 0, "Columns": 0}, Reason.TOO_LARGE),
        ({"Rows": None}, Reason.UNREADABLE),
        ({"ImagePositionPatient": None}, Reason.NO_POSITION),
        ({"ImagePositionPatient": [1, 2]}, Reason.NO_POSITION),
        ({"ImageOrientationPatient": None}, Reason.NO_POSITION),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, Reason.NO_POSITION),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 2, 0]}, Reason.NO_POSITION),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, Reason.NOT_AXIAL),
        ({"PatientID": None}, Reason.NO_CASE),
        ({"PatientID": ""}, Reason.NO_CASE),
    ],
)
def test_a_tag_decides(source, reader, tags, reason):
    write_ct(source / "covid19" / "a.dcm", HU, **tags)
    assert outcome(reader(), "covid19/a.dcm") is reason


@pytest.mark.parametrize(
    "tags",
    [
        {"Modality": None},
        {"Modality": "ct", "PhotometricInterpretation": "monochrome2"},
        {"SOPClassUID": None},
        {"SOPClassUID": "1.2.3"},
        {"SOPClassUID": f"{CT_IMAGE}.2"},
        {"ImageType": None},
        {"NumberOfFrames": 0},
        {"DataSetTrailingPadding": b"\0" * 30},
    ],
)
def test_what_is_odd_and_still_ct_is_kept(source, reader, tags):
    write_ct(source / "covid19" / "a.dcm", HU, **tags)
    assert outcome(reader(), "covid19/a.dcm") == "kept"


@pytest.mark.parametrize(
    "tags",
    [
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
        {"ImageType": ["ORIGINAL", "PRIMARY", "MPR"]},
    ],
)
def test_captures_and_reformats_are_kept_on_request(source, reader, tags):
    write_ct(source / "covid19" / "a.dcm", HU, **tags)
    assert outcome(reader(derived="keep"), "covid19/a.dcm") == "kept"


def test_derived_images_are_kept_on_request(source, reader):
    write_ct(source / "covid19" / "a.dcm", HU, ImageType=["DERIVED", "SECONDARY", "AXIAL"])
    assert outcome(reader(derived="keep"), "covid19/a.dcm") == "kept"


def test_other_case_rules_do_without_patient_id(source, reader):
    write_ct(source / "covid19" / "p7" / "a.dcm", HU, PatientID=None)
    write_ct(source / "covid19" / "b.dcm", HU, PatientID=None, StudyInstanceUID=None)
    assert outcome(reader(case_id="study_uid"), "covid19/p7/a.dcm") == "kept"
    assert outcome(reader(case_id="folder"), "covid19/p7/a.dcm") == "kept"
    assert outcome(reader(case_id="folder"), "covid19/b.dcm") is Reason.NO_CASE
    assert outcome(reader(case_id="study_uid"), "covid19/b.dcm") is Reason.NO_CASE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.NOT_DICOM),
        (b"a text file", Reason.NOT_DICOM),
        (b"\0" * 128 + b"DICM", Reason.TRUNCATED),
        (b"\x08\0 and text", Reason.NOT_DICOM),
        (b"\0" * 128 + b"DICM" + b"\xff" * 64, Reason.UNREADABLE),
    ],
)
def test_what_is_no_dicom_is_left_out(source, reader, content, reason):
    path = source / "covid19" / "a.dcm"
    path.parent.mkdir()
    path.write_bytes(content)
    assert outcome(reader(), "covid19/a.dcm") in (reason, Reason.TRUNCATED)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("start", [b"\x02\0", b"\x08\0"])
def test_a_file_without_preamble_gives_the_same_slice(source, reader, syntax, start):
    path = write_ct(source / "covid19" / "a.dcm", HU, syntax=syntax)
    whole, content = row_of(reader(), "covid19/a.dcm"), path.read_bytes()
    path.write_bytes(content[content.index(start, 132) :])
    assert row_of(reader(), "covid19/a.dcm") == whole | {
        "file_sha256": row_of(reader(), "covid19/a.dcm")["file_sha256"]
    }


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_transfer_syntax_that_is_missing_is_seen(source, reader, syntax):
    path = write_ct(source / "covid19" / "a.dcm", HU, syntax=syntax)
    whole, content = row_of(reader(), "covid19/a.dcm"), path.read_bytes()
    at = content.index(b"\x02\0\x10\0UI")
    path.write_bytes(content[:at] + content[at + 8 + int.from_bytes(content[at + 6 : at + 8], "little") :])
    assert row_of(reader(), "covid19/a.dcm")["pixel_sha256"] == whole["pixel_sha256"]


def test_a_bare_dataset_of_compressed_pixels_is_refused(source, reader):
    content = file_bytes(ct_file(HU, syntax=RLELossless))
    path = source / "covid19" / "a.dcm"
    path.parent.mkdir()
    path.write_bytes(content[content.index(b"\x08\0", 132) :])
    assert outcome(reader(), "covid19/a.dcm") is Reason.DECODER_FAILED


@pytest.mark.parametrize("share", [0.3, 0.7, 0.9])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_a_file_that_ends_in_its_pixels_is_called_truncated(source, reader, syntax, share):
    path = write_ct(source / "covid19" / "a.dcm", HU, syntax=syntax)
    content = path.read_bytes()
    start = content.rindex(b"\xe0\x7f\x10\0") + 20
    path.write_bytes(content[: start + int(share * (len(content) - start))])
    assert outcome(reader(), "covid19/a.dcm") is Reason.TRUNCATED


def test_a_huge_file_is_not_read(source, reader):
    path = source / "covid19" / "a.dcm"
    path.parent.mkdir()
    with path.open("wb") as stream:
        stream.truncate(2**40)
    assert outcome(reader(), "covid19/a.dcm") is Reason.TOO_LARGE


def test_folders_mark_classes(source, reader):
    for name in ("other/a.dcm", "covid19/normal/a.dcm", "COVID-19 subjects/x/a.dcm", "covid19.dcm"):
        write_ct(source / name, HU)
    assert outcome(reader(), "other/a.dcm") is Reason.NO_CLASS
    assert outcome(reader(), "covid19.dcm") is Reason.NO_CLASS
    assert outcome(reader(), "covid19/normal/a.dcm") is Reason.CLASS_CONFLICT
    assert row_of(reader(), "COVID-19 subjects/x/a.dcm")["class_name"] == "covid19"
    unlabelled = row_of(reader(unlabelled=True), "other/a.dcm")
    assert (unlabelled["label"], unlabelled["class_name"]) == (-1, "")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_a_file_cut_anywhere_is_left_out_or_whole(source, reader, syntax):
    path = write_ct(source / "covid19" / "a.dcm", HU, syntax=syntax)
    content, whole = path.read_bytes(), row_of(reader(), "covid19/a.dcm")
    for length in [*range(0, 400, 13), *range(400, len(content), 29), len(content) - 1]:
        path.write_bytes(content[:length])
        result = read_or_refuse(reader(), "covid19/a.dcm")
        if not isinstance(result, Excluded):  # only the end of an encapsulated frame may be missing
            assert result[0]["pixel_sha256"] == whole["pixel_sha256"]
            assert len(content) - length < 16


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_damaged_bytes_never_stop_the_run_nor_show_a_value(source, reader, changes):
    content = bytearray(GOOD)
    for place, value in changes:
        content[int(place * len(content))] = value
    path = source / "covid19" / "a.dcm"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    result = read_or_refuse(reader(), "covid19/a.dcm")
    if isinstance(result, Excluded):
        assert SECRET not in result.detail


def _good():
    stream = BytesIO()
    ct_file(HU, PatientName=f"{SECRET}^X", StudyDate="20200101").save_as(stream, enforce_file_format=True)
    return stream.getvalue()


GOOD = _good()


def test_links_out_of_the_source_are_not_followed(source, tmp_path):
    outside = write_ct(tmp_path / "outside" / "a.dcm", HU)
    inside = write_ct(source / "covid19" / "b.dcm", HU)
    (source / "covid19" / "out.dcm").symlink_to(outside)
    (source / "covid19" / "in.dcm").symlink_to(inside)
    (source / "covid19" / "folder").symlink_to(outside.parent)
    (source / "covid19" / "broken.dcm").symlink_to(tmp_path / "nothing")
    found = {path: refused and refused.reason for path, refused in files_below(source, follow_links=False)}
    assert found == {
        "covid19/b.dcm": None,
        "covid19/broken.dcm": Reason.UNREADABLE,
        "covid19/folder": Reason.SYMLINK,
        "covid19/in.dcm": None,
        "covid19/out.dcm": Reason.SYMLINK,
    }
    followed = dict(files_below(source, follow_links=True))
    assert followed["covid19/out.dcm"] is None and followed["covid19/folder"] is not None


def test_pipes_and_sockets_are_not_opened(source, monkeypatch):
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(source)  # a socket's path has a short limit
        server.bind("socket")
    assert {refused.reason for _, refused in files_below(source, follow_links=True)} == {Reason.NOT_A_FILE}


def test_every_reason_is_explained():
    import inspect

    source = inspect.getsource(Reason)
    for reason in Reason:
        assert f'{reason.name} = "{reason.value}"\n    """' in source


def test_position_does_not_depend_on_how_the_columns_run(source, reader):
    tilt = np.radians(20)
    upright = write_ct(source / "covid19" / "a.dcm", HU, z=12.5)
    turned = write_ct(source / "covid19" / "b.dcm", HU, z=12.5, ImageOrientationPatient=[1, 0, 0, 0, -1, 0])
    tilted = write_ct(
        source / "covid19" / "c.dcm", HU, ImagePositionPatient=[0, 0, 10],
        ImageOrientationPatient=[1, 0, 0, 0, round(np.cos(tilt), 6), round(np.sin(tilt), 6)],
    )  # fmt: skip
    z = [row_of(reader(), path.relative_to(source).as_posix())["z_mm"] for path in (upright, turned, tilted)]
    assert z[0] == z[1] == 12.5
    assert z[2] == pytest.approx(10 * np.cos(tilt), abs=1e-4)
