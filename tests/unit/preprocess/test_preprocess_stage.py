"""A manifest to images, masks, index and their quality."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fake_dicom import SIDE, thorax, write_ct, write_tree
from scipy import ndimage

from dsn_saal.cli import main
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.dicom.reader import DicomReader, read_hu
from dsn_saal.ingest.manifest import manifest_table
from dsn_saal.preprocess.stage import preprocess_manifest
from dsn_saal.preprocess.store import ArrayWriter
from dsn_saal.storage.tables import read_table

from test_lungs import RECIPE  # isort: skip

FOLDERS = {"covid19": ("covid19",), "normal": ("normal",)}
FILES = ("images.npy", "surroundings.npy", "masks.npy", "grids.npy", "index.parquet", "mask_quality.json")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A small data set: source folder and its true masks."""
    monkeypatch.setenv("DSN_SAAL_KEY_FILE", str(tmp_path / "own.key"))
    source = tmp_path / "data" / "dicom"
    truths = write_tree(source, slices=3)
    for folder, masks in truths.items():
        path = tmp_path / "data" / "truth" / f"{folder}.npy"
        path.parent.mkdir(parents=True)
        np.save(path, np.packbits(np.stack(masks), axis=2))
    return source


def manifest_of(source):
    reader = DicomReader(source, FOLDERS, "patient_id", None, -1000, "exclude", "plain")
    paths = [path.relative_to(source).as_posix() for path in source.rglob("*.dcm")]
    return manifest_table([row for path in paths for row in reader.rows(path)])


def preprocess(source, out, manifest=None, workers=1, on_empty="keep", recipe=RECIPE):
    manifest = manifest_of(source) if manifest is None else manifest
    return preprocess_manifest(
        manifest, source, out, read_slice=partial(read_hu, source, -1000), recipe=recipe, on_empty=on_empty,
        workers=workers, progress=lambda items, total: items,
    )  # fmt: skip


@pytest.mark.parametrize("cut_out", [True, False])
def test_the_grid_is_of_the_acquired_size_whatever_the_network_takes(tree, tmp_path, cut_out):
    for side in (8, 64):
        preprocess(tree, tmp_path / str(side), recipe=replace(RECIPE, side=side, cut_out=cut_out))
    small, large = (np.load(tmp_path / side / "grids.npy") for side in ("8", "64"))
    np.testing.assert_array_equal(small, large)
    assert large.shape == (12, 32, 32) and large.dtype == np.int16 and large.std(axis=(1, 2)).min() > 0


def test_arrays_and_index_belong_together(tree, tmp_path):
    summary = preprocess(tree, tmp_path / "out")
    images, masks = (np.load(tmp_path / "out" / name) for name in ("images.npy", "masks.npy"))
    index = read_table(tmp_path / "out" / "index.parquet")
    assert images.shape == (12, 64, 64) and images.dtype == np.uint8
    assert masks.shape == (12, 512) and masks.dtype == np.uint8
    assert index["row"].tolist() == list(range(12)) and index["row"].dtype == np.int32
    types = {
        name: str(index[name].dtype) for name in ("lung_share", "n_regions", "empty", "touches_border", "asymmetry")
    }
    assert types == {
        "lung_share": "float32", "n_regions": "int8", "empty": "bool", "touches_border": "bool", "asymmetry": "float32",
    }  # fmt: skip
    unpacked = np.unpackbits(masks, axis=1, count=64 * 64).reshape(-1, 64, 64)
    rim = ndimage.binary_dilation(unpacked, np.ones((1, 3, 3)))
    assert not images[~rim].any() and unpacked.any(axis=(1, 2)).all()
    assert index.drop(columns=[*types, "row"]).equals(manifest_of(tree))
    assert summary == json.loads((tmp_path / "out" / "mask_quality.json").read_text())
    assert summary["slices"] == summary["kept"] == 12 and summary["empty"] == 0
    assert summary["classes"] == {"covid19": {"slices": 6, "empty": 0}, "normal": {"slices": 6, "empty": 0}}


def test_lungs_and_surroundings_are_the_slice_in_two_parts(tree, tmp_path):
    """At the acquired size every pixel is in exactly one of the two, and they add up to the windowed slice."""
    side = int(manifest_of(tree)["rows"].iloc[0])
    preprocess(tree, tmp_path / "cut", recipe=replace(RECIPE, side=side))
    preprocess(tree, tmp_path / "whole", recipe=replace(RECIPE, side=side, cut_out=False))
    lungs, around = (np.load(tmp_path / "cut" / name) for name in ("images.npy", "surroundings.npy"))
    masks = np.unpackbits(np.load(tmp_path / "cut" / "masks.npy"), axis=1).reshape(lungs.shape).astype(bool)
    np.testing.assert_array_equal(lungs + around, np.load(tmp_path / "whole" / "images.npy"))
    assert not around[masks].any() and around[~masks].any() and not lungs[~masks].any()
    assert np.load(tmp_path / "whole" / "surroundings.npy").shape == (0, side, side), "nothing is cut out there"


def test_overlap_with_the_true_lungs_is_measured_slice_by_slice(tree, tmp_path):
    """Truth lies in ascending z while file names run the other way: another order would show."""
    overlap = preprocess(tree, tmp_path / "out")["hull_iou"]
    assert overlap["slices"] == 12 and overlap["min"] > 0.95 and overlap["mean"] >= overlap["min"]


def test_without_truth_there_is_a_reason(tree, tmp_path):
    (tree.parent / "truth").rename(tree.parent / "elsewhere")
    summary = preprocess(tree, tmp_path / "out")
    assert summary["hull_iou"] is None and "no true masks" in summary["hull_iou_missing_because"]
    (tree.parent / "elsewhere").rename(tree.parent / "truth")
    short = preprocess(tree, tmp_path / "out", manifest_of(tree).iloc[[0, 3, 6, 9]])
    assert short["hull_iou"] is None and "as many" in short["hull_iou_missing_because"]


def test_bytes_do_not_depend_on_the_number_of_processes(tree, tmp_path):
    for workers in (1, 2):
        preprocess(tree, tmp_path / f"out{workers}", workers=workers)
    for name in FILES:
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


def empty_slice(tree):
    hu, _ = thorax(lungs=False)
    write_ct(tree / "normal" / "case0" / "neck" / "a.dcm", hu, PatientID="normal-0", SeriesInstanceUID="1.5")


def test_slices_without_lungs_are_kept_and_counted(tree, tmp_path):
    empty_slice(tree)
    summary = preprocess(tree, tmp_path / "out")
    index = read_table(tmp_path / "out" / "index.parquet")
    assert summary["empty"] == 1 and summary["kept"] == 13
    assert summary["classes"]["normal"] == {"slices": 7, "empty": 1}
    row = int(index.loc[index["empty"], "row"].item())
    assert np.load(tmp_path / "out" / "images.npy")[row].any(), "kept unmasked"
    assert not np.load(tmp_path / "out" / "masks.npy")[row].any()
    around = np.load(tmp_path / "out" / "surroundings.npy")
    assert not around[row].any() and len(around) == 13, "nobody knows what surrounds lungs that were not found"


def test_slices_without_lungs_are_dropped_on_request(tree, tmp_path):
    empty_slice(tree)
    summary = preprocess(tree, tmp_path / "out", on_empty="drop")
    index = read_table(tmp_path / "out" / "index.parquet")
    assert (
        summary["slices"] == 13 and summary["kept"] == len(index) == len(np.load(tmp_path / "out" / "images.npy")) == 12
    )
    assert index["row"].tolist() == list(range(12)) and not index["empty"].any()


def test_a_slice_without_lungs_stops_the_run_on_request(tree, tmp_path):
    empty_slice(tree)
    with pytest.raises(CheckFailed, match="no lungs") as refused:
        preprocess(tree, tmp_path / "out", on_empty="fail")
    assert refused.value.where == "normal/case0/neck/a.dcm" and "on_empty" in refused.value.next_step
    assert list((tmp_path / "out").iterdir()) == []


def test_a_case_without_lungs_is_counted_and_a_data_set_without_refused(tree, tmp_path):
    hu, _ = thorax(lungs=False)
    write_ct(tree / "normal" / "head" / "a.dcm", hu, PatientID="head", SeriesInstanceUID="1.6")
    assert preprocess(tree, tmp_path / "out")["cases_without_lungs"] == 1
    only = manifest_of(tree).query("path == 'normal/head/a.dcm'")
    with pytest.raises(CheckFailed, match="no slice of the data set has lungs"):
        preprocess(tree, tmp_path / "none", only)
    assert list((tmp_path / "none").iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_changed_file_is_named_and_nothing_is_left(tree, tmp_path, workers):
    manifest = manifest_of(tree)
    changed = manifest["path"].iloc[7]
    write_ct(tree / changed, thorax(noise=99)[0], z=1.0)
    with pytest.raises(CheckFailed, match="changed") as refused:
        preprocess(tree, tmp_path / "out", manifest, workers)
    assert changed in refused.value.text()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_full_disk_leaves_nothing_half_written(tree, tmp_path, monkeypatch):
    append = ArrayWriter.append

    def full(self, row):
        if self.length == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, row)

    monkeypatch.setattr(ArrayWriter, "append", full)
    with pytest.raises(CheckFailed, match="the disk is full"):
        preprocess(tree, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_command_preprocesses_what_ingest_wrote(tree, tmp_path, capsys):
    write_tree(tree, classes=("bacterial_pneumonia",), slices=2)
    out = tmp_path / "results"
    source = ["--source", str(tree), "--workers", "1"]
    assert main(["ingest", "--dataset", "covid19_diag", "--out", str(out / "ingest"), *source]) == 0
    manifest = str(out / "ingest" / "manifest.parquet")
    assert (
        main(
            [
                "preprocess",
                "--dataset",
                "covid19_diag",
                "--manifest",
                manifest,
                "--out",
                str(out / "preprocess"),
                *source,
            ]
        )
        == 0
    )
    assert "16 slices, 0 without lungs, 16 kept" in capsys.readouterr().out
    assert all((out / "preprocess" / name).is_file() for name in FILES)
    assert len(read_table(out / "preprocess" / "index.parquet")) == 16
    assert SIDE == 128


@pytest.mark.parametrize("wrong", ["--source", "--manifest"])
def test_a_missing_input_is_a_bad_request(tree, tmp_path, capsys, wrong):
    paths = {"--source": str(tree), "--manifest": str(tmp_path / "manifest.parquet")} | {
        wrong: str(tmp_path / "nowhere")
    }
    call = ["preprocess", "--dataset", "covid19_diag", *(word for pair in paths.items() for word in pair)]
    assert main([*call, "--out", str(tmp_path / "o")]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    assert main([*call[:1], *call[3:], "--out", str(tmp_path / "o")]) == 2
