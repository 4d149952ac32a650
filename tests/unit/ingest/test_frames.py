"""Enhanced CT: a manifest row a frame, each with its own position, rescale and kind."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from fake_dicom import ct_file, enhanced_ct_file, file_bytes, thorax
from pydicom import uid

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.dicom import frames as frames_module
from dsn_saal.ingest.dicom import reader as reader_module
from dsn_saal.ingest.dicom.reader import read_hu
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.stage import ingest_tree
from dsn_saal.storage.tables import read_table

SLICES = [thorax(32, gap=0.18 + 0.02 * number)[0] for number in range(3)]
PATH = "covid19/enhanced.dcm"
ELSEWHERE = {"PlanePositionSequence": {"ImagePositionPatient": [-100, -100, 10.0]}}


@pytest.fixture
def write(source):
    """Writes an enhanced file and gives back the SHA-256 of its bytes."""

    def make(dataset):
        path = source / PATH
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(file_bytes(dataset))
        return hashlib.sha256(path.read_bytes()).hexdigest()

    return make


def refusal(reader, **change):
    with pytest.raises(Excluded) as refused:
        reader(**change).rows(PATH)
    return refused.value


def pixel_hash(hu):
    return hashlib.sha256(hu.astype("<i2").tobytes()).hexdigest()


@pytest.mark.parametrize(
    "syntax",
    [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian, uid.RLELossless,
     uid.JPEG2000Lossless],
)  # fmt: skip
def test_every_frame_is_a_row_with_its_own_place_and_pixels(source, reader, write, syntax):
    digest = write(enhanced_ct_file(SLICES, syntax=syntax))
    rows = reader().rows(PATH)
    assert [row["frame"] for row in rows] == [0, 1, 2]
    assert [row["z_mm"] for row in rows] == [0.0, 5.0, 10.0]
    assert [row["pixel_sha256"] for row in rows] == [pixel_hash(hu) for hu in SLICES]
    for row in rows:
        assert (row["spacing_row_mm"], row["spacing_col_mm"], row["thickness_mm"]) == (0.7, 0.8, 5.0)
        assert (row["kernel"], row["path"], row["file_sha256"]) == ("B31f", PATH, digest)
    for number in (2, 0, 1):
        np.testing.assert_array_equal(read_hu(source, -1000, PATH, number, digest), SLICES[number])


def test_sequences_of_undefined_length_are_read_as_well(source, reader, write):
    dataset = enhanced_ct_file(SLICES)
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        dataset[keyword].is_undefined_length = True
        for item in dataset[keyword].value:
            item.is_undefined_length_sequence_item = True
    write(dataset)
    assert [row["z_mm"] for row in reader().rows(PATH)] == [0.0, 5.0, 10.0]


def test_a_frames_own_groups_come_before_the_shared_ones(source, reader, write):
    own = {1: {"PixelValueTransformationSequence": {"RescaleSlope": 1, "RescaleIntercept": -1000},
               "PixelMeasuresSequence": {"PixelSpacing": [0.5, 0.5], "SliceThickness": 1},
               "CTReconstructionSequence": {"ConvolutionKernel": "LUNG"}}}  # fmt: skip
    write(enhanced_ct_file(SLICES, own=own))
    first, second, third = reader().rows(PATH)
    assert second["pixel_sha256"] == pixel_hash(SLICES[1] + 24)
    assert (second["thickness_mm"], second["kernel"], second["spacing_row_mm"]) == (1.0, "LUNG", 0.5)
    assert first["thickness_mm"] == third["thickness_mm"] == 5.0


def test_the_top_level_of_an_enhanced_file_tells_nothing_of_a_frame(source, reader, write):
    """The standard has neither rescale nor position there; what some converter left must not be believed."""
    top = {"RescaleSlope": 1, "RescaleIntercept": 0, "ImagePositionPatient": [0, 0, 999]}
    write(enhanced_ct_file(SLICES, ImageType=["MIXED", "DERIVED"], **top))
    assert [row["pixel_sha256"] for row in reader().rows(PATH)] == [pixel_hash(hu) for hu in SLICES]
    write(enhanced_ct_file(SLICES, shared={"PixelValueTransformationSequence": None}, **top))
    refused = refusal(reader)
    assert refused.reason is Reason.NO_RESCALE and refused.detail.startswith("3 of 3 frames: ")


@pytest.mark.parametrize(
    ("shared", "reason"),
    [
        ({"CTImageFrameTypeSequence": {"FrameType": ["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]}}, Reason.LOCALIZER),
        ({"CTImageFrameTypeSequence": {"FrameType": ["DERIVED", "PRIMARY", "VOLUME", "MPR"]}}, Reason.DERIVED),
        ({"PlaneOrientationSequence": None}, Reason.NO_POSITION),
        ({"PlaneOrientationSequence": {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}}, Reason.NOT_AXIAL),
        ({"PixelValueTransformationSequence": {"RescaleSlope": 1, "RescaleIntercept": 0}}, Reason.IMPLAUSIBLE_HU),
        ({"PixelValueTransformationSequence": {"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "Z_EFF"}},
         Reason.NO_RESCALE),
    ],
)  # fmt: skip
def test_what_groups_say_decides(source, reader, write, shared, reason):
    write(enhanced_ct_file(SLICES, shared=shared))
    assert refusal(reader).reason is reason


def test_without_frame_type_the_image_type_counts(source, reader, write):
    write(enhanced_ct_file(SLICES, shared={"CTImageFrameTypeSequence": None}, ImageType=["DERIVED", "PRIMARY"]))
    assert refusal(reader).reason is Reason.DERIVED


def test_frames_that_cannot_be_read_are_counted_beside_those_that_can(source, reader, write, tmp_path):
    own = {0: {"CTImageFrameTypeSequence": {"FrameType": ["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]}},
           2: {"PixelValueTransformationSequence": {"RescaleSlope": 1, "RescaleIntercept": 0}}}  # fmt: skip
    write(enhanced_ct_file([*SLICES, SLICES[1]], own=own | {3: own[0] | ELSEWHERE}))
    counts = ingest_tree(reader(unlabelled=True), tmp_path / "out", workers=1, progress=lambda items, total: items)
    assert counts["excluded"] == {"IMPLAUSIBLE_HU": 1, "LOCALIZER": 1}
    manifest = read_table(tmp_path / "out" / "manifest.parquet")
    assert manifest["frame"].tolist() == [1] and manifest["z_mm"].tolist() == [5.0]
    written = (tmp_path / "out" / "exclusions.csv").read_text()
    assert "2 of 4 frames: ImageType says LOCALIZER" in written and "1 of 4 frames: no air" in written


def test_one_place_and_equal_pixels_are_a_duplicate_within_a_file_too(source, reader, write, tmp_path):
    write(enhanced_ct_file([*SLICES, SLICES[2]], own={3: ELSEWHERE}))
    counts = ingest_tree(reader(unlabelled=True), tmp_path / "out", workers=1, progress=lambda items, total: items)
    assert counts["excluded"] == {"DUPLICATE": 1} and counts["slices"] == 3


def test_several_frames_without_places_are_left_out(source, reader, write):
    stored = np.stack([hu + 1024 for hu in SLICES]).astype(np.uint16)
    write(ct_file(SLICES[0], NumberOfFrames=3, PixelData=stored.tobytes()))
    assert refusal(reader).reason is Reason.MULTI_FRAME


@pytest.mark.parametrize(
    ("frames", "reason"),
    [(2, Reason.UNREADABLE), (4, Reason.UNREADABLE), (0, Reason.TOO_LARGE), (-1, Reason.TOO_LARGE)],
)
def test_a_number_of_frames_that_is_a_lie_is_found(source, reader, write, frames, reason):
    write(enhanced_ct_file(SLICES, NumberOfFrames=frames))
    assert refusal(reader).reason is reason


def test_frames_times_rows_times_columns_is_bounded(source, reader, write, monkeypatch):
    write(enhanced_ct_file(SLICES))
    monkeypatch.setattr(frames_module, "MAX_PIXELS", 3 * 32 * 32)
    assert len(reader().rows(PATH)) == 3
    monkeypatch.setattr(frames_module, "MAX_PIXELS", 3 * 32 * 32 - 1)
    assert refusal(reader).reason is Reason.TOO_LARGE
    write(enhanced_ct_file(SLICES, NumberOfFrames=2**31 - 1))
    assert refusal(reader).reason is Reason.TOO_LARGE


def test_a_file_that_ends_before_its_last_frame_is_left_out(source, reader, write):
    write(enhanced_ct_file(SLICES, PixelData=np.stack(SLICES[:2]).tobytes()))
    assert refusal(reader).reason is Reason.TRUNCATED


def test_two_items_in_a_group_leave_the_frame_out(source, reader, write):
    dataset = enhanced_ct_file(SLICES)
    group = dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    group.append(group[0])
    write(dataset)
    assert refusal(reader).reason is Reason.UNREADABLE


def test_a_file_of_many_frames_is_read_and_hashed_once(source, reader, write, monkeypatch):
    digest, reads = write(enhanced_ct_file(SLICES)), []
    original = reader_module.read_content
    monkeypatch.setattr(reader_module, "read_content", lambda path: reads.append(path) or original(path))
    for number in range(3):
        read_hu(source, -1000, PATH, number, digest)
    assert len(reads) == 1
    write(enhanced_ct_file(SLICES[::-1]))
    with pytest.raises(CheckFailed, match="changed"):
        read_hu(source, -1000, PATH, 0, digest)


@pytest.mark.parametrize("number", [3, -1])
def test_a_frame_that_is_not_there_is_refused(source, reader, write, number):
    digest = write(enhanced_ct_file(SLICES))
    with pytest.raises(CheckFailed, match="no such frame"):
        read_hu(source, -1000, PATH, number, digest)


def test_identities_in_functional_groups_reach_no_row(source, reader, write):
    dataset = enhanced_ct_file(SLICES)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.PatientName = shared.PatientID = "CANARY^4711"
    dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].PatientName = "CANARY^4711"
    dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].StudyDate = "19010203"
    write(dataset)
    rows = reader().rows(PATH)
    assert len(rows) == 3 and len({row["case"] for row in rows}) == 1
    assert not any(word in str(rows) for word in ("CANARY", "19010203"))
