"""What every stand-in must be: marked, listed, as large as planned, the same bytes again, other phantoms in each."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PIL import Image
from stand_ins import SIZES, plans_of, write_stand_in

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.phantom.layouts.members import members
from dsn_saal.phantom.layouts.picture import Crop, body_box, encoded, windowed
from dsn_saal.phantom.layouts.registry import LAYOUTS
from dsn_saal.storage.listing import differences, read_listing

PICTURES = ("covidx_ct", "covid_ct", "sars_cov_2")


def images_below(root):
    return [path for path in sorted(root.rglob("*")) if path.suffix in (".png", ".jpg", ".dcm")]


@pytest.mark.parametrize("name", SIZES)
def test_a_stand_in_says_what_it_is_and_lists_every_file(stand_in, name):
    root = stand_in(name)
    said = (root / "set" / "STAND-IN.txt").read_text(encoding="utf-8")
    assert "phantoms" in said and "none of its images" in said
    assert differences(root) == []
    for file, digest in read_listing(root).items():
        assert hashlib.sha256((root / file).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("name", SIZES)
def test_a_stand_in_has_exactly_the_planned_slices_of_each_class(stand_in, name):
    _, slices, _ = SIZES[name]
    found = images_below(stand_in(name) / "set")
    classes = {plan.folder for plan in plans_of(name)}
    assert len(found) == slices * len(classes)
    for mark in classes:
        assert sum(f"/{mark}/" in path.as_posix() or path.name.startswith(f"{mark}_") for path in found) == slices


@pytest.mark.parametrize("name", SIZES)
def test_every_image_bears_the_mark_of_a_phantom(stand_in, name):
    for path in images_below(stand_in(name) / "set"):
        if path.suffix == ".dcm":
            assert pydicom.dcmread(path, stop_before_pixels=True).QualityControlImage == "YES"
            continue
        with Image.open(path) as image:
            image.load()
            if image.format == "PNG":
                assert image.text == {"QualityControlImage": "YES"}
            else:
                assert image.info["comment"] == b"QualityControlImage=YES"


@pytest.mark.parametrize("name", SIZES)
def test_two_processes_write_the_same_bytes(stand_in, name, tmp_path):
    again = write_stand_in(name, tmp_path / "again", 2)
    assert (again / "SHA256SUMS").read_bytes() == (stand_in(name) / "SHA256SUMS").read_bytes()


def test_another_seed_gives_other_pictures(stand_in, tmp_path):
    plans = plans_of("sars_cov_2", (1, 2, (2, 2)), seed=1)
    other = write_stand_in("sars_cov_2", tmp_path / "other", 1, plans)
    ours, theirs = ({path.read_bytes() for path in images_below(root)} for root in (stand_in("sars_cov_2"), other))
    assert ours.isdisjoint(theirs)


def test_no_two_sets_hold_the_same_phantom():
    first = [plans_of(name)[0] for name in SIZES]
    assert len({plan.seed for plan in first}) == len(SIZES)
    assert len({plan.generator(0).integers(1 << 60) for plan in first}) == len(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_a_class_that_the_layout_does_not_have_is_refused_with_those_it_has(name, tmp_path):
    plans = [replace(plan, folder="elsewhere") for plan in plans_of(name)]
    with pytest.raises(BadRequest, match="no such class") as caught:
        write_stand_in(name, tmp_path / "out", 1, plans)
    assert "elsewhere" in caught.value.text() and plans_of(name)[0].folder in caught.value.text()


@pytest.mark.parametrize("name", ["covidx_ct", "covid_ct"])
def test_too_few_cases_for_three_lists_are_refused(name, tmp_path):
    with pytest.raises(BadRequest, match="too few cases"):
        write_stand_in(name, tmp_path / "out", 1, plans_of(name, (2, 2, (1, 1))))
    assert not (tmp_path / "out" / "SHA256SUMS").exists()


@pytest.mark.parametrize("count", range(3, 40))
def test_parts_are_about_sixty_twenty_twenty_and_never_empty(count):
    plans = [plan for plan in plans_of("covidx_ct", (count, count, (1, 1))) if plan.folder == "CP"]
    parts = [member.part for member in members(plans, ("CP",))]
    assert len(parts) == count
    for part, share in (("train", 0.6), ("val", 0.2), ("test", 0.2)):
        assert parts.count(part) >= 1 and abs(parts.count(part) - share * count) <= 1


def test_a_second_run_removes_what_is_foreign_and_a_folder_of_something_else_is_left_alone(stand_in, tmp_path):
    plans = plans_of("sars_cov_2", (1, 1, (1, 1)))
    out = write_stand_in("sars_cov_2", tmp_path / "set_of_phantoms", 1, plans)
    before = (out / "SHA256SUMS").read_bytes()
    (out / "set" / "COVID" / "Covid (9).png").write_bytes(b"from another seed")
    (out / "set" / "STAND-IN.txt").unlink()
    write_stand_in("sars_cov_2", out, 1, plans)
    assert (out / "SHA256SUMS").read_bytes() == before and differences(out) == []
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years of work")
    with pytest.raises(BadRequest, match="holds something else"):
        write_stand_in("sars_cov_2", tmp_path / "thesis", 1, plans)


def test_an_interrupted_run_leaves_no_listing(tmp_path, monkeypatch):
    plans = plans_of("sars_cov_2", (1, 1, (1, 1)))
    out = write_stand_in("sars_cov_2", tmp_path / "out", 1, plans)

    def full(path, content):
        raise CheckFailed("the disk is full", where=path)

    monkeypatch.setattr("dsn_saal.phantom.write.write_bytes", full)
    with pytest.raises(CheckFailed, match="the disk is full"):
        write_stand_in("sars_cov_2", out, 2, plans)
    assert not (out / "SHA256SUMS").exists()


def test_the_window_is_the_publications():
    hu = np.array([[-2000, -1150, -1149, -400, 349, 350, 3000]], np.int16)
    assert windowed(hu).tolist() == [[0, 0, 0, 127, 254, 255, 255]]  # level -400, width 1500, truncated


def test_the_box_is_the_body_without_what_lies_beside_it():
    hu = np.full((100, 120), -1000, np.int16)
    hu[20:70, 30:90] = 40
    hu[40:50, 40:60] = -850
    hu[80:82, 5:115] = -120  # the couch
    assert body_box(hu) == (30, 20, 90, 70)


@pytest.mark.parametrize(
    ("margins", "wanted"), [((5, 6, 7, 8), (64, 72)), ((-5, -5, -5, -5), (40, 50)), ((99,) * 4, (100, 120))]
)
def test_a_crop_keeps_margins_within_the_slice_and_the_proportions(margins, wanted):
    grey = np.zeros((100, 120), np.uint8)
    rows, columns = wanted
    assert Crop(margins, columns, 1000).of(grey, (30, 20, 90, 70)).shape == (rows, columns)


@pytest.mark.parametrize(
    ("mode", "container"), [("L", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("L", "JPEG"), ("RGB", "JPEG")]
)
def test_a_picture_comes_back_in_its_mode_and_container(mode, container):
    grey = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    with Image.open(io.BytesIO(encoded(grey, mode, container))) as image:
        assert (image.mode, image.format, image.size) == (mode, container, (60, 40))
        back = np.asarray(image.convert("L")).astype(int)
    assert np.abs(back - grey).max() <= (0 if container == "PNG" else 6)


def test_every_reader_of_a_public_set_has_a_layout():
    from dsn_saal.ingest.sets.registry import PICTURE_SETS

    assert set(LAYOUTS) == set(SIZES) == {*PICTURE_SETS, "covid_ct_md"}
    assert set(PICTURES) == set(PICTURE_SETS)
