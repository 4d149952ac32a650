"""Tag names of a source: all of them, and nothing else."""

from __future__ import annotations

import struct

import pytest
from fake_dicom import ct_file, enhanced_ct_file, thorax, write_ct
from pydicom import dcmread
from pydicom.datadict import RepeatersDictionary, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dsn_saal.ingest.basic_profile import BASIC_PROFILE
from dsn_saal.ingest.dicom.tags import READ_TAGS
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.report import HASHED_TAGS, TagReport, file_tags, tag_report
from dsn_saal.ingest.tree import files_below

HU, _ = thorax(32)


def names(path):
    found = file_tags(path.parent, path.name)
    return {name for _, name in found.names}


def report(root, **change):
    entries = files_below(root, follow_links=False)
    return tag_report(root, entries, **({"workers": 1, "progress": lambda items, total: items} | change))


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian], ids=lambda uid: uid.keyword
)
def test_every_name_is_found_in_every_coding(source, syntax):
    inner, middle = Dataset(), Dataset()
    inner.ImageComments = "x"
    middle.RequestAttributesSequence = [inner]
    path = write_ct(source / "a.dcm", HU, syntax=syntax, ReferencedStudySequence=[middle], PatientAge="047Y")
    assert {"PatientAge", "ReferencedStudySequence", "RequestAttributesSequence", "ImageComments"} <= names(path)


def test_frames_are_walked_as_pydicom_walks_them(source):
    file = enhanced_ct_file([HU, HU])
    file.save_as(source / "a.dcm", enforce_file_format=True)
    again = dcmread(source / "a.dcm")
    walked = {element.keyword for part in (again, again.file_meta) for element in part.iterall()}
    assert names(source / "a.dcm") == walked and "PixelData" in walked


def test_private_and_unknown_attributes_have_no_name(source):
    dataset = ct_file(HU)
    dataset.private_block(0x0043, "CANARY", create=True).add_new(0x27, "LO", "CANARY")
    dataset.add_new(0x42424E41, "UN", b"CANARY")  # the group is even, and its number is text
    dataset.save_as(source / "a.dcm", enforce_file_format=True)
    found = file_tags(source, "a.dcm").names
    assert ("(0043,----)", "private") in found and ("(----,----)", "not in the dictionary") in found
    text = "\n".join(report(source).lines())
    assert "CANARY" not in text and "4242" not in text and "4E41" not in text


def test_files_are_counted_once_each_and_those_not_read_by_reason(source):
    write_ct(source / "a.dcm", HU, PatientAge="047Y")
    write_ct(source / "b.dcm", HU, BurnedInAnnotation="YES")
    write_ct(source / "c.dcm", HU, BurnedInAnnotation="CANARY")
    (source / "d.txt").write_text("no DICOM")
    (source / "e.dcm").symlink_to("/dev/null")
    found = report(source)
    assert found.files == 5 and found.refused == {"NOT_DICOM": 1, "SYMLINK": 1}
    assert found.burned_in == {"YES": 1, "not said": 2}
    assert found.tags["(0010,1010)", "PatientAge"] == 1 and found.tags["(0008,0060)", "Modality"] == 3
    assert list(report(source, workers=2).lines()) == list(found.lines())


def test_an_empty_source_has_an_empty_report(source):
    assert next(iter(report(source).lines())) == "0 files; not read: none"
    assert list(TagReport().lines())[-1].startswith("tag")


@pytest.mark.parametrize("stated", [True, False])
def test_sequences_without_end_are_refused(source, stated):
    """3 MB of empty items would be a gigabyte of objects."""
    path = write_ct(source / "a.dcm", HU)
    content, body = path.read_bytes(), b"\xfe\xff\x00\xe0\0\0\0\0" * 400_000
    length = len(body) if stated else 0xFFFFFFFF
    sequence = struct.pack("<HH2s2xI", 0x0040, 0x0275, b"SQ", length) + body
    if not stated:
        sequence += b"\xfe\xff\xdd\xe0\0\0\0\0"
    at = content.index(b"\xe0\x7f\x10\x00OW")
    path.write_bytes(content[:at] + sequence + content[at:])
    refused = file_tags(source, "a.dcm")
    assert isinstance(refused, Excluded) and refused.reason is Reason.TOO_LARGE


def test_what_the_profile_removes_is_read_only_to_be_hashed():
    assert set(BASIC_PROFILE) & set(READ_TAGS) == set(HASHED_TAGS)


@pytest.mark.parametrize(
    ("keyword", "code"),
    [
        ("PatientName", "Z"), ("PatientID", "Z"), ("PatientBirthDate", "Z"), ("PatientAge", "X"),
        ("StudyInstanceUID", "U"), ("StudyDate", "Z"), ("SeriesDate", "X/D"), ("AcquisitionDate", "X/Z"),
        ("ContentDate", "Z/D"), ("InstitutionName", "X/Z/D"), ("OperatorsName", "X/Z/D"),
        ("DeviceSerialNumber", "X/Z/D"), ("SeriesDescription", "X"), ("ReferencedImageSequence", "X/Z/U*"),
    ],
)  # fmt: skip
def test_codes_as_the_standard_prints_them(keyword, code):
    assert BASIC_PROFILE[keyword] == code


def test_every_attribute_of_the_profile_is_one():
    repeating = {entry[4] for entry in RepeatersDictionary.values()}
    assert all(tag_for_keyword(keyword) or keyword in repeating for keyword in BASIC_PROFILE)
