"""A DICOMDIR as source: what it names is read, and never anything outside its folder."""

from __future__ import annotations

import shutil
import warnings
from io import BytesIO
from pathlib import Path

import pytest
from fake_dicom import ct_file, thorax, write_ct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from dsn_saal.domain.errors import BadRequest
from dsn_saal.ingest.dicom import dicomdir
from dsn_saal.ingest.dicom.dicomdir import is_dicomdir, listed_files, source_root
from dsn_saal.ingest.reasons import Reason
from dsn_saal.ingest.stage import ingest_tree
from dsn_saal.storage.tables import read_table

HU, _ = thorax(16)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A real file set of two cases, written by pydicom: DICOMDIR and PT000000/ST000000/SE000000/IM000000."""
    root, media = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("media")
    file_set = FileSet()
    for case in range(2):
        for z in (0, 5):
            path = write_ct(
                root / f"{case}-{z}.dcm", HU + case, z=z, PatientID=f"Canary{case}", PatientName="Canary^Carla",
                StudyInstanceUID=f"1.2.{case}", SeriesInstanceUID=f"1.2.{case}.1", StudyDate="19470911",
                StudyTime="120000", StudyID="1", AccessionNumber="4711", SeriesNumber=1, InstanceNumber=z + 1,
            )  # fmt: skip
            file_set.add(path)
    file_set.write(media)
    return media


@pytest.fixture
def media(made, tmp_path):
    """A copy of the file set that a test may break."""
    return Path(shutil.copytree(made, tmp_path / "media"))


def listed(root, *, name="DICOMDIR", follow_links=False):
    entries = listed_files(root, name, follow_links=follow_links)
    return {path: None if refused is None else refused.reason for path, refused in entries}


def rewritten(root, change):
    """Let `change` edit the records that name files, and write the DICOMDIR again."""
    dataset = dcmread(root / "DICOMDIR")
    named = [record for record in dataset.DirectoryRecordSequence if "ReferencedFileID" in record]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        change(named)
        dataset.save_as(root / "DICOMDIR")


def test_the_files_that_are_named_are_read(media, reader, tmp_path):
    assert source_root(media / "DICOMDIR") == (media, "DICOMDIR")
    (media / "README.txt").write_text("viewer")
    one = reader(root=media, dicomdir="DICOMDIR", unlabelled=True)
    counts = ingest_tree(one, tmp_path / "out", workers=1, progress=lambda items, total: items)
    assert counts["slices"] == 4 and counts["cases"] == 2
    assert counts["excluded"] == {"UNLISTED": 1} and counts["files"] == 5
    manifest = read_table(tmp_path / "out" / "manifest.parquet")
    assert sorted(manifest["path"]) == sorted(
        path.relative_to(media).as_posix() for path in media.rglob("IM*") if path.is_file()
    )


def test_a_dicomdir_is_known_by_its_content(media, tmp_path):
    other = media / "list of files.bin"
    (media / "DICOMDIR").rename(other)
    assert is_dicomdir(other) and source_root(other) == (media, other.name)
    assert len(listed(media, name=other.name)) == 4
    image = next(media.rglob("IM*"))
    assert not is_dicomdir(image) and source_root(image) == (image, None)
    (tmp_path / "DICOMDIR").write_bytes(b"not at all")
    assert not is_dicomdir(tmp_path / "DICOMDIR") and not is_dicomdir(tmp_path / "absent") and not is_dicomdir(media)
    assert source_root(media) == (media, None)


def test_names_are_found_whatever_their_case(media):
    for path in sorted(media.rglob("*"), reverse=True):  # children first
        if path.name != "DICOMDIR":
            suffix = ".dcm" if path.is_file() and path.name.endswith("1") else ""
            path.rename(path.with_name(path.name.lower() + suffix))
    found = listed(media)
    assert len(found) == 4 and set(found.values()) == {None}
    assert all((media / path).is_file() for path in found)
    assert sum(path.endswith(".dcm") for path in found) == 2


@pytest.mark.parametrize("lower", [True, False])
def test_the_same_name_goes_before_one_in_another_case(media, lower):
    image = sorted(media.rglob("IM*"))[0]
    twin = image.with_name(image.name.lower())
    twin.write_bytes(image.read_bytes())
    named, other = (path.relative_to(media).as_posix() for path in ((twin, image) if lower else (image, twin)))
    rewritten(media, lambda records: setattr(records[0], "ReferencedFileID", named.split("/")))
    found = listed(media)
    assert found[named] is None and found[other] is Reason.UNLISTED


@pytest.mark.parametrize(
    "file_id",
    [
        ["..", "secret.dcm"], ["..", "media", "..", "secret.dcm"], "../secret.dcm", ["", "etc", "passwd"],
        "/etc/passwd", "\\etc\\passwd", "..\\secret.dcm", ["PT000000", "..", "..", "secret.dcm"], ".", "..",
        "C:\\secret.dcm", "C:/secret.dcm", "PT000000//secret.dcm",
    ],
)  # fmt: skip
def test_no_reference_leaves_the_folder(media, file_id):
    write_ct(media.parent / "secret.dcm", HU)
    rewritten(media, lambda records: setattr(records[0], "ReferencedFileID", file_id))
    found = listed(media)
    assert list(found.values()).count(Reason.OUTSIDE) == 1
    for path, reason in found.items():
        if reason in (None, Reason.UNLISTED):
            assert (media / path).resolve().is_relative_to(media.resolve()) and ".." not in Path(path).parts


def test_no_reference_goes_through_a_link(media, tmp_path):
    outside = tmp_path / "outside"
    write_ct(outside / "IM0", HU)
    (media / "LINKED").symlink_to(outside, target_is_directory=True)
    (media / "IMLINK").symlink_to(outside / "IM0")
    (media / "IMINSIDE").symlink_to(sorted(media.rglob("IM0*"))[0])

    def change(records):
        for record, file_id in zip(records, (["LINKED", "IM0"], "IMLINK", "IMINSIDE"), strict=False):
            record.ReferencedFileID = file_id

    rewritten(media, change)
    found = listed(media)
    assert found["LINKED/IM0"] is Reason.OUTSIDE
    assert found["IMLINK"] is Reason.OUTSIDE and found["IMINSIDE"] is None
    assert listed(media, follow_links=True)["IMLINK"] is None, "a cache of links may be read when asked for"
    assert listed(media, follow_links=True)["LINKED/IM0"] is Reason.OUTSIDE


def test_what_is_not_there_is_missing_and_what_is_not_named_unlisted(media):
    gone, *_ = sorted(media.rglob("IM*"))
    gone.unlink()
    write_ct(media / "EXTRA", HU)
    found = listed(media)
    assert found[gone.relative_to(media).as_posix()] is Reason.MISSING
    assert found["EXTRA"] is Reason.UNLISTED
    assert sorted(found) == list(found)


def test_a_folder_is_no_file(media):
    rewritten(media, lambda records: setattr(records[0], "ReferencedFileID", "PT000000"))
    assert listed(media)["PT000000"] is Reason.MISSING


def test_a_file_named_twice_is_read_once_and_a_broken_record_costs_itself(media):
    def change(records):
        records[1].ReferencedFileID = records[0].ReferencedFileID
        records[2].ReferencedFileID = ""
        records[3].ReferencedFileID = ["", "", ""]

    rewritten(media, change)
    assert sorted(str(reason) for reason in listed(media).values()) == sorted(
        ["None", "UNREADABLE", "UNREADABLE", "UNLISTED", "UNLISTED", "UNLISTED"]
    )


def test_a_dicomdir_without_records_or_with_too_many_is_refused(media, monkeypatch):
    monkeypatch.setattr(dicomdir, "MAX_RECORDS", 3)
    with pytest.raises(BadRequest, match="too many records") as refused:
        listed(media)
    assert "--source" in refused.value.next_step
    monkeypatch.setattr(dicomdir, "MAX_DICOMDIR_BYTES", 100)
    with pytest.raises(BadRequest, match="too large"):
        listed(media)
    image = ct_file(HU)
    image.save_as(media / "DICOMDIR", enforce_file_format=True)
    with pytest.raises(BadRequest, match="cannot be read"):
        listed(media)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_damaged_dicomdir_never_leaves_its_folder_nor_says_what_it_holds(made, tmp_path, data):
    content = bytearray((made / "DICOMDIR").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(132, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    root = tmp_path / "broken"
    root.mkdir(exist_ok=True)
    (root / "DICOMDIR").write_bytes(content[: data.draw(st.integers(200, len(content)))])
    try:
        found = listed(root)
    except BadRequest as refused:
        assert "Canary" not in refused.text() and refused.next_step
    else:
        assert set(found.values()) <= {Reason.MISSING, Reason.OUTSIDE, Reason.UNREADABLE}


def test_a_record_deep_in_records_does_not_overflow(media):
    inner = Dataset()
    for _ in range(2000):
        outer = Dataset()
        outer.DirectoryRecordSequence = [inner]
        inner = outer
    stream = BytesIO()
    try:
        inner.save_as(stream, implicit_vr=False, little_endian=True)
    except RecursionError:
        depth = b"\x04\x00\x20\x12SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 2000
    else:
        depth = stream.getvalue()
    content = (media / "DICOMDIR").read_bytes()
    start = content.index(b"\x04\x00\x20\x12SQ")
    (media / "DICOMDIR").write_bytes(content[:start] + depth)
    with pytest.raises(BadRequest, match="cannot be read"):
        listed(media)
