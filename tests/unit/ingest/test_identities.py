"""No identity leaves ingest: secrets in every text, in every outcome, through the real program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from fake_dicom import ct_file, thorax
from pydicom import datadict, dcmread
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet
from pydicom.uid import JPEGLosslessSV1, RLELossless

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.identity import keyed_hash
from dsn_saal.ingest.places import hashed_path, located, matching, reading_places
from dsn_saal.ingest.reasons import Reason
from dsn_saal.params.image_jobs import ingest_job
from dsn_saal.params.reading import read_settings
from dsn_saal.storage.tables import read_table

HU, _ = thorax(32)
ROOT = Path(__file__).parents[3]

SECRETS = ("Canary", "Kanarienvögel", "カナリア", "47114711", "19470911", "047Y")
"""A name, one outside ASCII, one that DICOM writes with escapes, a number, a date, an age."""

FOLDER = "Canary^Kanarienvögel 47114711 19470911"
JAPANESE = "Canary^Kanarien=カナリア^カナリア"

_WHAT_IS_READ = {
    "SpecificCharacterSet", "Modality", "ImageType", "FrameType", "QualityControlImage", "BurnedInAnnotation",
    "PhotometricInterpretation", "RescaleType", "SOPClassUID",
}  # fmt: skip
"""Texts that decide what becomes of a file: a secret there would make every file the same case."""

_TEXT = {
    "PN": "Canary^Kanarienvögel", "LO": "Canary Kanarienvögel", "SH": "47114711", "ST": "Canary\r\n19470911",
    "LT": "Kanarienvögel\r\nCanary 47114711", "UT": "Canary " * 50, "UC": "Canary", "UR": "http://canary/Canary",
    "DA": "19470911", "DT": "19470911120000", "AS": "047Y", "AE": "Canary", "CS": "CANARY47114711",
    "UI": "1.2.47114711.19470911",
}  # fmt: skip


def every_text():
    """A dataset with a secret in each text attribute of the standard, in a sequence and in private ones."""
    dataset = Dataset()
    for tag, (vr, _, _, _, keyword) in datadict.DicomDictionary.items():
        if vr in _TEXT and keyword and keyword not in _WHAT_IS_READ and tag >> 16 not in (0, 2, 4):
            setattr(dataset, keyword, _TEXT[vr])
    inner = Dataset()
    inner.PatientName, inner.ImageComments, inner.StudyDate = "Canary^Inner", "Canary 47114711", "19470911"
    middle = Dataset()
    middle.RequestAttributesSequence = [inner]
    dataset.ReferencedStudySequence = dataset.RequestAttributesSequence = [middle]
    private = dataset.private_block(0x0009, "Canary 47114711", create=True)
    private.add_new(0x01, "LO", "Canary")
    private.add_new(0x02, "SQ", [inner])
    return dataset


@pytest.fixture(scope="module")
def planted():
    """Computed once: it holds more than a thousand attributes."""
    return every_text()


def write(path, planted, hu=HU, **tags):
    """A slice with secrets everywhere but in another character set; `tags` win. Returns its path."""
    dataset = ct_file(hu, **tags)
    if "SpecificCharacterSet" not in tags:
        dataset.SpecificCharacterSet = "ISO_IR 192"
        kept = {element.tag for element in dataset.group_dataset(0x0028)} | {0x7FE00010, 0x00080060}
        for element in planted:
            if element.keyword not in tags and element.tag not in kept:
                dataset.add(element)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def ids(case, series="1"):
    """Identifiers of one case, each with a secret in it."""
    return {
        "PatientID": f"Canary 47114711-{case}", "StudyInstanceUID": f"1.2.47114711.{case}",
        "SeriesInstanceUID": f"1.2.47114711.{case}.{series}", "SOPInstanceUID": f"1.47114711.{case}.{series}.19470911",
    }  # fmt: skip


def build(source, planted, outside):
    """A source in which every reason happens that a file can be left out for."""
    covid, normal = source / "covid19" / FOLDER, source / "normal" / f"{FOLDER} カナリア"
    good = write(covid / "Canary 1.dcm", planted, **ids(1))
    write(covid / "Kanarienvögel.dcm", planted, z=5.0, **ids(1))
    write(normal / "Canary.dcm", planted, **ids(2))
    write(normal / "47114711.dcm", planted, hu=HU + 1, z=5.0, **ids(3, "canary"))
    write(
        normal / "latin.dcm",
        planted,
        hu=HU + 4,
        SpecificCharacterSet="ISO_IR 100",
        PatientName="Kanarienvögel",
        **ids(4),
    )
    write(
        normal / "escapes.dcm", planted, hu=HU + 5, SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName=JAPANESE,
        ImageComments="カナリア", Manufacturer="カナリア", ConvolutionKernel="カナリア", **ids(5),
    )  # fmt: skip
    content = good.read_bytes()
    (covid / "copy.dcm").write_bytes(content)  # DUPLICATE
    write(covid / "thin.dcm", planted, SliceThickness=1, **ids(1, "2"))  # OTHER_SERIES
    write(source / f"nowhere {FOLDER}" / "a.dcm", planted, **ids(6))  # NO_CLASS
    write(source / "normal" / "covid19" / f"{FOLDER}.dcm", planted, **ids(6))  # CLASS_CONFLICT
    write(covid / "nobody.dcm", planted, **(ids(7) | {"PatientID": ""}))  # NO_CASE
    (covid / "Canary link.dcm").symlink_to(write(outside / "Canary.dcm", planted))  # SYMLINK
    os.mkfifo(covid / "Canary pipe.dcm")  # NOT_A_FILE
    (covid / "meta.dcm").write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"47114711.19470911.47"))
    (covid / "Canary.txt").write_text("Canary 47114711")  # NOT_DICOM
    (covid / "cut.dcm").write_bytes(content[: len(content) - 700])  # TRUNCATED
    for name, tags in {
        "TOO_LARGE": {"Rows": 65535, "Columns": 65535}, "NOT_CT": {"Modality": "CANARY"},
        "LOCALIZER": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER", "CANARY"]},
        "DERIVED": {"ImageType": ["DERIVED", "PRIMARY", "CANARY"]}, "BURNED_IN": {"BurnedInAnnotation": "YES"},
        "SECONDARY": {"ImageType": ["DERIVED", "SECONDARY", "CANARY"]}, "NOT_SQUARE": {"Rows": 16},
        "MULTI_FRAME": {"NumberOfFrames": 2}, "NOT_GREYSCALE": {"PhotometricInterpretation": "CANARY"},
        "NO_POSITION": {"ImagePositionPatient": None}, "NO_RESCALE": {"RescaleSlope": None},
        "NOT_AXIAL": {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "NO_PIXELS": {"PixelData": None},
        "IMPLAUSIBLE_HU": {"RescaleIntercept": 9000}, "UNREADABLE": {"Rows": None},
    }.items():  # fmt: skip
        write(covid / f"Canary {name}.dcm", planted, **(ids(8) | tags))
    broken = write(covid / "broken.dcm", planted, syntax=RLELossless, **ids(9))  # DECODER_FAILED
    broken.write_bytes(broken.read_bytes()[:-400] + b"Canary" * 66 + b"\0\0\0\0")


@pytest.fixture(scope="module")
def everything(tmp_path_factory, planted):
    """The source of `build`, for tests that only read it."""
    root = tmp_path_factory.mktemp("everything")
    build(root / "source", planted, root / "outside")
    write(root / "source" / "sequences.dcm", planted, **ids(20))
    return root / "source"


@pytest.fixture
def crashing(tmp_path):
    """Environment in which one file ends its process as a decoder in C can, and one meets a bug that quotes it."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os\n"
        "import dsn_saal.ingest.dicom.reader as reader\n"
        "real = reader.read_content\n"
        "def read_content(path):\n"
        "    if path.name == 'crash.dcm': os.abort()\n"
        "    if path.name == 'surprise.dcm': raise KeyError(f'Canary in {path}')\n"
        "    return real(path)\n"
        "reader.read_content = read_content\n"
    )
    (tmp_path / "own.key").write_text("a secret of enough length, the same in each run")
    inherited = os.environ.get("PYTHONPATH", "")
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path / "site"), inherited])),
        "DSN_SAAL_KEY_FILE": str(tmp_path / "own.key"),
    }


def program(*arguments, env, code=0):
    """Standard output and error of `dsn-saal ingest` as bytes."""
    command = [sys.executable, "-c", "import sys; from dsn_saal.cli import main; sys.exit(main())", "ingest"]
    done = subprocess.run([*command, *map(str, arguments)], env=env, capture_output=True, timeout=300)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout + b"\n" + done.stderr


def clinical(**change):
    """The job of a hospital's folder: paths hashed."""
    job = ingest_job(read_settings(ROOT / "params.yaml"), "covid19_diag").model_dump(mode="json")
    job |= {"published": False, "folders": {"covid19": ["covid19"], "normal": ["normal"]}} | change
    return json.dumps(job)


def require_silence(printed, out=None):
    """No secret stands in what was printed, nor in any byte of a file, decoded or not."""
    everything = [printed]
    for path in sorted(out.rglob("*")) if out else []:
        everything += [path.name.encode(), path.read_bytes() if path.is_file() else b""]
        if path.suffix == ".parquet":
            everything.append(read_table(path).to_csv().encode())
    whole = b"\n".join(everything).lower()
    for secret in SECRETS:
        spellings = [secret.encode(), secret.encode("unicode_escape"), ascii(secret)[1:-1].encode()]
        for codec in ("latin-1", "iso2022_jp", "shift_jis", "utf-16-le", "utf-16-be"):
            try:
                spellings.append(secret.encode(codec))
            except UnicodeEncodeError:
                continue
        for spelling in spellings:
            assert spelling.lower() not in whole, (secret, spelling)


def test_no_secret_leaves_the_program_whatever_becomes_of_a_file(everything, tmp_path, crashing):
    out = tmp_path / "out"
    printed = program("--settings", clinical(), "--source", everything, "--out", out, "--workers", "2", env=crashing)
    require_silence(printed, out)
    exclusions = pd.read_csv(out / "exclusions.csv")
    dicomdir_only = {"OUTSIDE", "MISSING", "UNLISTED"}
    pictures_only = {"NOT_AN_IMAGE", "LESION_FREE"}
    assert set(exclusions["reason"]) == {reason.value for reason in Reason} - dicomdir_only - pictures_only
    manifest = read_table(out / "manifest.parquet")
    assert len(manifest) == 6
    assert exclusions["path"].str.fullmatch("#[0-9a-f]{16}").all()
    assert manifest["path"].str.fullmatch("#[0-9a-f]{16}").all()
    assert set(manifest["manufacturer"]) == {"other", "SIEMENS"} and set(manifest["kernel"]) == {"other", "B31f"}


def test_no_secret_leaves_a_decoder_that_dies_nor_a_bug(source, tmp_path, planted, crashing):
    for number, name in enumerate(("covid19/good", "normal/good", "covid19/crash", "normal/surprise"), 1):
        write(source / f"{name}.dcm", planted, **ids(number))
    out = tmp_path / "out"
    arguments = ("--source", source, "--workers", "1")
    printed = program("--settings", clinical(), "--out", out, *arguments, env=crashing)
    require_silence(printed, out)
    assert sorted(pd.read_csv(out / "exclusions.csv")["detail"]) == [
        "reading it ended the process", "reading it stopped with KeyError",
    ]  # fmt: skip
    assert len(read_table(out / "manifest.parquet")) == 2


def test_no_secret_leaves_a_run_that_fails(source, tmp_path, planted, crashing):
    """Unusable source, unusable class, and a case of two classes: exit 1 with counts and no names."""
    write(source / "covid19" / FOLDER / "Canary.dcm", planted, **ids(1))
    out = tmp_path / "out"
    arguments = ("--settings", clinical(), "--source", source, "--out", out, "--workers", "1")
    require_silence(program(*arguments, env=crashing, code=1), out)
    write(source / "normal" / FOLDER / "Canary.dcm", planted, z=5.0, **ids(1))
    printed = program(*arguments, env=crashing, code=1)
    assert b"2 CLASS_CONFLICT" in printed
    require_silence(printed, out)


def test_no_secret_leaves_a_dicomdir(tmp_path, planted, crashing):
    """Its records hold names and dates, and its references are paths."""
    file_set, media = FileSet(), tmp_path / "media"
    for case in (1, 2):
        tags = {"StudyID": "Canary", "SeriesNumber": 1, "InstanceNumber": 1, "StudyTime": "120000"}
        file_set.add(write(tmp_path / "files" / f"{case}.dcm", planted, **(ids(case) | tags)))
    file_set.write(media)
    directory = dcmread(media / "DICOMDIR")
    named = [record for record in directory.DirectoryRecordSequence if "ReferencedFileID" in record]
    named[0].ReferencedFileID = ["CANARY", "CANARY"]
    directory.save_as(media / "DICOMDIR")
    (media / "Canary unlisted.dcm").write_bytes(b"Canary")
    out, job = tmp_path / "out", clinical(folders={"covid19": ["covid19"], "normal": ["normal"]})
    arguments = ("--source", media / "DICOMDIR", "--workers", "1")
    printed = program("--settings", job, "--out", out, "--unlabelled", *arguments, env=crashing)
    require_silence(printed, out)
    assert set(pd.read_csv(out / "exclusions.csv")["reason"]) == {"MISSING", "UNLISTED"}
    require_silence(program("--report", *arguments, env=crashing))
    (media / "DICOMDIR").write_bytes((media / "DICOMDIR").read_bytes()[:900])
    require_silence(program("--settings", job, "--out", out, *arguments, env=crashing, code=1))
    (media / "DICOMDIR").write_bytes((media / "DICOMDIR").read_bytes()[:400])
    require_silence(program("--report", *arguments, env=crashing, code=2))


def test_the_report_names_tags_and_no_values(everything, crashing):
    printed = program("--report", "--source", everything, "--workers", "2", env=crashing)
    require_silence(printed)
    lines = {line.split()[0]: line.split()[1:] for line in printed.decode().splitlines() if line.startswith("(")}
    assert lines["(0010,0010)"][0] == "PatientName" and lines["(0010,0010)"][2] == "Z"
    assert lines["(0010,0020)"][2:] == ["Z", "as", "a", "keyed", "hash"]
    assert lines["(0008,0070)"][2:] == ["-", "known", "names", "only"]
    assert lines["(0020,000D)"][2] == "U" and lines["(0010,1010)"][2:] == ["X"]
    assert lines["(0009,----)"][0] == "private" and lines["(0009,----)"][2] == "X"
    assert lines["(0040,0275)"][0] == "RequestAttributesSequence"
    assert lines["(0018,0050)"][2:] == ["-", "yes"]
    assert b"1 YES" in printed and b"1 NOT_A_FILE" in printed
    assert "not read" in printed.decode().splitlines()[0]


def test_locate_prints_the_way_back_to_whoever_has_files_and_key(source, tmp_path, planted, crashing):
    write(source / "covid19" / FOLDER / "Canary.dcm", planted, **ids(1))
    write(source / "normal" / FOLDER / "カナリア.dcm", planted, z=5.0, **ids(2))
    settings = ("--settings", clinical(), "--source", source)
    program(*settings, "--out", tmp_path / "out", "--workers", "1", env=crashing)
    paths = read_table(tmp_path / "out" / "manifest.parquet").set_index("class_name")["path"]
    asked = (paths["covid19"], paths["normal"].lstrip("#"))
    printed = program("--locate", *asked, *settings, env=crashing).decode()
    assert f"{paths['covid19']}\t'covid19/{FOLDER}/Canary.dcm'" in printed
    assert f"{paths['normal']}\t'normal/{FOLDER}/カナリア.dcm'" in printed
    printed = program("--locate", "0123456789abcdef", asked[0], *settings, env=crashing, code=1).decode()
    assert f"{asked[0]}\t" in printed and "#0123456789abcdef" in printed and "key_file" in printed
    (tmp_path / "own.key").write_text("another secret of enough length")
    printed = program("--locate", asked[0], *settings, env=crashing, code=1)
    require_silence(printed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "https://user:Canary@pacs/Canary", "--out", "out"], "dsn-saal fetch"),
        (["--source", "set.tar.gz", "--out", "out"], "dsn-saal fetch"),
        (["--source", ".", "--out", "out"], "--dataset is missing"),
        (["--source", ".", "--out", "out", "--dataset", "nothing"], "covid19_diag"),
        (["--source", ".", "--dataset", "covid19_diag"], "--out is missing"),
        (["--source", "params.yaml", "--out", "out", "--dataset", "covid19_diag"], "not a folder"),
        (["--source", ".", "--out", "out", "--workers", "0"], "--workers"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_next_step(arguments, said, capsys, monkeypatch):
    from dsn_saal.cli import main

    monkeypatch.chdir(ROOT)
    assert main(["ingest", *arguments]) == 2
    message = capsys.readouterr().err
    assert said in message and "Canary" not in message


def test_paths_are_found_again_and_only_with_their_key(source):
    key = b"a key"
    for name in ("a/b.dcm", "a/c.dcm"):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes(b"")
    hashed = hashed_path("a/b.dcm", key)
    assert hashed == "#" + keyed_hash("path", "a/b.dcm", key) and hashed != hashed_path("a/b.dcm", b"another")
    assert matching(["a/b.dcm", "a/c.dcm"], [hashed, "#0"], key) == {hashed: "a/b.dcm"}
    assert located(source, [hashed, "plain/x.png"], key) == {hashed: "a/b.dcm"}
    with pytest.raises(CheckFailed, match="not below the source"):
        located(source, [hashed], b"another")


def test_an_error_while_reading_a_hashed_path_does_not_name_the_real_one():
    def read(path, frame, file_sha256):
        raise CheckFailed("gone", value="UNREADABLE", where=path, next_step="restore it")

    with pytest.raises(CheckFailed) as refused:
        reading_places(read, {"#12": "Canary/4711.dcm"}, "#12", 0, "")
    assert refused.value.where == "#12" and "Canary" not in refused.value.text()
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_a_compressed_image_with_secrets_in_its_comment_says_nothing(source, tmp_path, planted, crashing):
    """A code stream may hold a comment; a decoder's complaint about what follows must not come out."""
    for number, name in enumerate(("covid19", "normal")):
        write(source / name / f"{number}.dcm", planted, z=5.0 * number, **ids(number))
    size = (32).to_bytes(2, "big") * 2
    start = b"\xff\xd8\xff\xfe" + (2 + 14).to_bytes(2, "big") + b"Canary47114711"
    header = b"\xff\xc3\0\x0b\x10" + size + b"\x01\x01\x11\0"  # lossless, 16 bit, one component
    scan = b"\xff\xda\0\x08\x01\x01\0\x01\0\0" + b"Canary" * 9 + b"\xff\xd9"  # without its Huffman table
    path = source / "normal" / "Canary.dcm"
    ct_file(HU, syntax=JPEGLosslessSV1, frame=start + header + scan, **ids(3)).save_as(path, enforce_file_format=True)
    out = tmp_path / "out"
    printed = program("--settings", clinical(), "--source", source, "--out", out, "--workers", "1", env=crashing)
    require_silence(printed, out)
    assert set(pd.read_csv(out / "exclusions.csv")["reason"]) <= {"DECODER_FAILED", "TRUNCATED"}
    assert len(pd.read_csv(out / "exclusions.csv")) == 1
