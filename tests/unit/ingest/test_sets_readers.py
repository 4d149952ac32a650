"""Each reader on a stand-in that the program wrote, then on copies of it with something missing, added or wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom import dcmread

from dsn_saal.cli import main
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.ingest.sets import covid_ct, covid_ct_md, covidx_ct, published
from dsn_saal.ingest.sets.registry import set_reader
from dsn_saal.ingest.stage import ingest_tree
from dsn_saal.params.reading import read_settings
from dsn_saal.storage.tables import read_table

PARAMS = Path(__file__).parents[3] / "params.yaml"
SETS = ("covid_ct_md", "covidx_ct", "covid_ct", "sars_cov_2")
COHORT = {"cases": 4, "slices": 12, "slices_per_case": (2, 4)}


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    """Small stand-ins of all four sets, by name, with the params' marks of the classes."""
    root, settings = tmp_path_factory.mktemp("sets"), read_settings(PARAMS)
    for name in SETS:
        classes = settings.datasets[name].classes
        block = {
            "reader": name, "seed": 1, "mild_share": 0.0,
            "cohort": {
                "cases": dict.fromkeys(classes, COHORT["cases"]), "slices": dict.fromkeys(classes, COHORT["slices"]),
                "slices_per_case": COHORT["slices_per_case"],
            },
            "folders": {key: entry.folders[0] for key, entry in classes.items()},
            "drawn_as": {key: entry.phantom for key, entry in classes.items()},
        }  # fmt: skip
        call = ["phantom", "--dataset", name, "--out", str(root / name), "--workers", "1"]
        assert main([*call, "--settings", json.dumps(block)]) == 0
    return root, {name: {k: e.folders for k, e in settings.datasets[name].classes.items()} for name in SETS}


@pytest.fixture
def copy(stand_ins, tmp_path):
    """A copy of a set that a test may damage, and how to ingest it."""
    root, folders = stand_ins

    def make(name, **change):
        shutil.copytree(root / name / "set", tmp_path / "set", dirs_exist_ok=True)
        for cached in (covidx_ct.read_lists, covid_ct.read_lists, covid_ct.read_patients, covid_ct_md.read_labels):
            cached.cache_clear()
        return Copy(name, tmp_path, folders[name], change)

    return make


class Copy:
    def __init__(self, name, root, folders, change):
        self.set, self.out = root / "set", root / "out"
        options = {"slices": "all", "counts": "published", "air_hu": -1000} | change
        self.reader = set_reader(name, root=self.set, folders=folders, **options)

    def ingest(self):
        counts = ingest_tree(self.reader, self.out, workers=1, progress=lambda items, total: items)
        return counts, read_table(self.out / "manifest.parquet"), self.excluded()

    def excluded(self):
        table = pd.read_csv(self.out / "exclusions.csv")
        return dict(zip(table["path"], table["reason"], strict=True))


@pytest.mark.parametrize("name", SETS)
def test_a_stand_in_is_read_whole_and_called_a_phantom(copy, name):
    counts, manifest, excluded = copy(name).ingest()
    assert excluded == {} and counts["slices"] >= 24 and set(manifest["origin"]) == {"phantom"}
    assert "published" not in counts["findings"] and "incomplete" not in counts["findings"]
    assert not manifest["path"].str.contains("#").any()
    assert manifest["pixel_sha256"].str.len().eq(64).all()


def test_covidx_lists_boxes_patients_and_the_short_list_are_carried(copy):
    _, manifest, _ = copy("covidx_ct").ingest()
    assert manifest.groupby("case")["official"].nunique().max() == 1
    assert set(manifest["official"]) == {"train", "validation", "test"}
    short = manifest[manifest["train_3000"]]
    assert set(short["official"]) == {"train"} and short.groupby("label").size().nunique() == 1
    assert (manifest["box_x1"] > manifest["box_x0"]).all() and manifest["number"].min() >= 0
    assert manifest["case"].nunique() == 12 and (manifest["series"] != "").all()


def test_colour_mode_and_container_are_recorded_and_gone_from_the_pixels(copy):
    _, manifest, _ = copy("covid_ct").ingest()
    kinds = manifest.groupby("class_name")["transfer_syntax"].agg(set)
    assert "image/png RGBA" in kinds["covid19"] and "image/png RGBA" not in kinds["non_covid19"]
    assert manifest["path"].str.contains("%").any()
    assert (manifest["case"] != "").all() and (manifest["article"] != "").any()


def test_sars_numbers_run_on_and_nothing_else_is_known(copy):
    counts, manifest, _ = copy("sars_cov_2").ingest()
    for _, part in manifest.groupby("label"):
        assert sorted(part["number"]) == list(range(1, len(part) + 1))
    assert set(manifest["case"]) == {""} == set(manifest["series"]) and counts["cases"] == 0
    assert counts["findings"]["copies"] == {"of a file": 1, "of pixels": 1}


@pytest.mark.parametrize(
    ("name", "gone"),
    [("covidx_ct", "images/NCP*.png"), ("covid_ct", "CT_COVID/*.png"), ("sars_cov_2", "COVID/*(3).png")],
)
def test_a_missing_file_is_named_and_stops_the_run(copy, name, gone, tmp_path, capsys):
    one = copy(name)
    lost = sorted(one.set.glob(gone))[0]
    lost.unlink()
    with pytest.raises(Exception, match="not the published data set"):
        one.ingest()
    assert [path for path, reason in one.excluded().items() if reason == "MISSING" and path.endswith(lost.name)]


@pytest.mark.parametrize(("name", "extra", "reason"), [
    ("covidx_ct", "images/NCP_P999_S1_0001.png", "UNLISTED"), ("covid_ct", "CT_COVID/new-p1-1.png", "UNLISTED"),
    ("sars_cov_2", "COVID/Non-Covid (1).png", "NO_CLASS"), ("covidx_ct", "images/other.png", "NO_CLASS"),
])  # fmt: skip
def test_an_extra_file_is_named_and_left_out(copy, name, extra, reason):
    one = copy(name)
    shutil.copy(next(one.set.rglob("*.png")), one.set / extra)
    assert one.ingest()[2] == {extra: reason}


@pytest.mark.parametrize("extra", ["COVID/Covid (1).tif", "COVID/no suffix", "Covid\n(5).png"])
def test_an_extra_file_is_named_whatever_its_suffix(copy, extra):
    one = copy("sars_cov_2")
    shutil.copy(one.set / "COVID/Covid (1).png", one.set / extra)
    assert one.ingest()[2] == {extra: "NO_CLASS"}


def test_a_second_copy_of_a_file_is_named_and_another_picture_of_its_name_stops_the_run(copy):
    one = copy("covidx_ct")
    first, other = sorted(one.set.glob("images/*.png"))[:2]
    (one.set / "old").mkdir()
    shutil.copy(first, one.set / "old" / first.name)
    _, manifest, excluded = one.ingest()
    assert excluded == {f"old/{first.name}": "DUPLICATE"} and not manifest["path"].str.startswith("old").any()
    shutil.copy(other, one.set / "old" / first.name)
    with pytest.raises(CheckFailed, match=f"images/{first.name}, old/{first.name}"):
        one.ingest()


def as_clinical(path):
    """Take a phantom's mark off a PNG file."""
    with Image.open(path) as image:
        image.load()
        image.info = {}
        image.save(path)


def test_a_number_that_was_never_published_is_extra_and_promises_no_other(copy):
    one = copy("sars_cov_2", counts="any")
    for path in one.set.rglob("*.png"):
        as_clinical(path)
    (one.set / "COVID/Covid (12).png").rename(one.set / "COVID/Covid (2000).png")
    _, manifest, excluded = one.ingest()
    assert set(manifest["origin"]) == {"clinical"} and excluded.pop("COVID/Covid (2000).png") == "UNLISTED"
    assert set(excluded.values()) == {"MISSING"} and len(excluded) == 2481 - len(manifest)


@pytest.mark.parametrize("change", [b"\xef\xbb\xbf%s", b"%s\r\n\r\n"])
def test_a_list_with_a_byte_order_mark_or_other_line_ends_is_the_same_list(copy, change):
    for name, pattern in (("covid_ct", "Data-split/*/*.txt"), ("covidx_ct", "*_COVIDx*.txt")):
        one = copy(name)
        whole = one.ingest()[1]
        for path in one.set.glob(pattern):
            path.write_bytes(change % path.read_bytes().replace(b"\n", b"\r\n"))
        pd.testing.assert_frame_equal(copied(one).ingest()[1], whole)
        shutil.rmtree(one.set)


def copied(one):
    for cached in (covidx_ct.read_lists, covid_ct.read_lists):
        cached.cache_clear()
    return one


@pytest.mark.parametrize(("name", "path"), [
    ("covid_ct", "Data-split/COVID/trainCT_COVID.txt"), ("covid_ct", "meta/COVID-CT-MetaInfo.csv"),
    ("covidx_ct", "test_COVIDx_CT-1.txt"),
])  # fmt: skip
def test_a_list_that_is_no_utf_8_is_said_and_not_taken_for_bad_pictures(copy, name, path):
    one = copy(name)
    listed = one.set / path if (one.set / path).exists() else next(one.set.rglob(Path(path).name))
    listed.write_bytes(listed.read_bytes() + b"\xff\xfe\n")
    with pytest.raises(BadRequest, match="no UTF-8"):
        one.ingest()


def test_a_patient_of_the_index_that_is_not_there_is_named(copy):
    one = copy("covid_ct_md")
    patient = pd.read_csv(one.set / "Index.csv")["Folder/ID"][0]
    shutil.rmtree(next(one.set.glob(f"*/{patient}")))
    with pytest.raises(CheckFailed, match=f"1 patients of Index.csv are missing, first {patient}"):
        one.ingest()
    assert one.excluded() == {patient: "MISSING"}


def test_a_folder_with_lists_and_no_picture_says_so(copy):
    one = copy("covid_ct", counts="any")
    for path in [*one.set.rglob("*.png"), *one.set.rglob("*.jpg")]:
        path.unlink()
    with pytest.raises(CheckFailed, match="no usable CT slice") as error:
        one.ingest()
    assert "MISSING" in error.value.text()


def test_a_damaged_picture_is_left_out_by_name(copy):
    one = copy("sars_cov_2", counts="any")
    (one.set / "COVID/Covid (2).png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (one.set / "COVID/Covid (3).png").write_bytes(b"no picture")
    _, _, excluded = one.ingest()
    assert excluded["COVID/Covid (3).png"] == "NOT_AN_IMAGE"
    assert excluded["COVID/Covid (2).png"] in ("DECODER_FAILED", "TRUNCATED")


@pytest.mark.parametrize(("line", "message"), [
    ("NCP_P001_S1_0007.png 2 1 2 3", "not `name class"), ("NCP_P777_S1_0007.png 0 1 2 3 4", "not `name class"),
    ("somebody.png 2 1 2 3 4", "not `name class"), ("NCP_P777_S1_0007.png 2 1 2 x 4", "not `name class"),
])  # fmt: skip
def test_a_wrong_line_of_a_covidx_list_is_refused(copy, line, message):
    one = copy("covidx_ct")
    with (one.set / "train_COVIDx_CT-1.txt").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(BadRequest, match=message):
        one.ingest()


def test_another_version_of_covidx_and_a_repeated_line_are_refused(copy):
    one = copy("covidx_ct")
    text = (one.set / "val_COVIDx_CT-1.txt").read_text()
    (one.set / "val_COVIDx_CT-1.txt").write_text(text + text)
    with pytest.raises(BadRequest, match="stands twice"):
        one.ingest()
    (one.set / "val_COVIDx_CT-1.txt").rename(one.set / "val_COVIDx_CT-2A.txt")
    covidx_ct.read_lists.cache_clear()
    with pytest.raises(BadRequest) as error:
        one.ingest()
    assert "later version: val_COVIDx_CT-2A.txt" in error.value.text()


def test_the_older_lists_of_covid_ct_are_known(copy):
    one = copy("covid_ct")
    for key, count in (("train", 233), ("val", 56), ("test", 102)):
        names = "".join(f"{key}{number}.jpg\n" for number in range(count))
        (one.set / f"Data-split/NonCOVID/{key}CT_NonCOVID.txt").write_text(names)
    with pytest.raises(BadRequest) as error:
        one.ingest()
    assert "older lists" in error.value.text() and "234 train, 58 validation, 105 test" in error.value.text()


def test_slice_labels_follow_the_instance_numbers_and_lesion_leaves_out_the_rest(copy):
    one = copy("covid_ct_md")
    labels = np.load(one.set / "Slice-level-labels.npy")
    labels[:, 1:] *= 0  # each patient's lowest instance number shows the disease, the others do not
    labels[:, 0] = 1
    np.save(one.set / "Slice-level-labels.npy", labels)
    _, every, _ = one.ingest()
    for patient, slices in every.groupby(every["path"].map(lambda path: Path(path).parent.name)):
        numbers = [int(dcmread(one.set / path, stop_before_pixels=True).InstanceNumber) for path in slices["path"]]
        first = [int(number == min(numbers)) for number in numbers]
        assert list(slices["slice_label"]) == ([-1] * len(slices) if patient.startswith("normal") else first)
    one = Copy("covid_ct_md", one.set.parent, one.reader.folders, {"slices": "lesion"})
    _, shown, excluded = one.ingest()
    assert set(excluded.values()) == {"LESION_FREE"}
    assert len(shown) + len(excluded) == len(every)
    assert set(shown.loc[shown["class_name"] != "normal", "slice_label"]) == {1}


def test_labels_are_not_used_where_slices_of_a_patient_are_missing(copy):
    one = copy("covid_ct_md")
    labels = np.load(one.set / "Slice-level-labels.npy")
    labels[0, 10] = 1  # a slice beyond those that are there
    np.save(one.set / "Slice-level-labels.npy", labels)
    _, manifest, _ = one.ingest()
    patient = pd.read_csv(one.set / "Index.csv")["Folder/ID"][0]
    assert set(manifest.loc[manifest["path"].str.contains(f"/{patient}/"), "slice_label"]) == {-1}


def test_labels_that_need_pickle_or_fit_no_table_are_refused(copy):
    one = copy("covid_ct_md")
    np.save(one.set / "Slice-level-labels.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(BadRequest, match="no plain array"):
        one.ingest()
    np.save(one.set / "Slice-level-labels.npy", np.zeros((3, 200), int))
    with pytest.raises(BadRequest, match="do not belong together"):
        one.ingest()


def test_published_numbers_add_up_to_what_the_papers_print():
    assert sum(sum(counts.values()) for counts in published.COVIDX_CT.values()) == 104_009
    assert [sum(counts.values()) for counts in published.COVIDX_CT.values()] == [61_782, 21_036, 21_191]
    assert sum(published.SARS_COV_2.values()) == 2481
    per_class = pd.DataFrame(published.COVID_CT).sum(axis=1)
    assert per_class.to_dict() == {"CT_COVID": 349, "CT_NonCOVID": 397}
