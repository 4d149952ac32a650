"""The stand-in for COVID-CT, read back with Pillow and csv: lists, tables, leaks, the picture with both labels."""

from __future__ import annotations

import csv
import re
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image

KINDS = {"COVID": "CT_COVID", "NonCOVID": "CT_NonCOVID"}
PARTS = ("train", "val", "test")


@pytest.fixture(scope="module")
def root(stand_in):
    return stand_in("covid_ct") / "set"


@pytest.fixture(scope="module")
def lists(root):
    return {
        (kind, part): (root / "Data-split" / kind / f"{part}CT_{kind}.txt").read_text().splitlines()
        for kind in KINDS
        for part in PARTS
    }


@pytest.fixture(scope="module")
def opened(root):
    found = {}
    for folder in KINDS.values():
        for path in sorted((root / folder).iterdir()):
            with Image.open(path) as image:
                image.load()
                found[folder, path.name] = image
    return found


def patients_of(root, kind):
    with (root / "meta" / f"{kind}-CT-MetaInfo.csv").open(encoding="utf-8", newline="") as stream:
        columns = ("File name", "Patient ID") if kind == "COVID" else ("image name", "patient id")
        return {row[columns[0]]: row[columns[1]] for row in csv.DictReader(stream)}


@pytest.mark.parametrize("kind", KINDS)
def test_lists_tables_and_files_name_the_same_pictures(root, lists, kind):
    there = sorted(path.name for path in (root / KINDS[kind]).iterdir())
    assert sorted(name for part in PARTS for name in lists[kind, part]) == there
    assert sorted(patients_of(root, kind)) == there
    assert all(lists[kind, part] for part in PARTS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_patient_stands_in_two_parts(root, lists, kind):
    patients = patients_of(root, kind)
    parts = [{patients[name] for name in lists[kind, part]} for part in PARTS]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 7


def test_each_two_parts_share_an_article(lists):
    articles = {
        part: {re.fullmatch(r"(.+?)-p\d+(?:-.*)?", name.removesuffix(".png"))[1] for name in lists["COVID", part]}
        for part in PARTS
    }
    for one, other in (("train", "val"), ("val", "test"), ("train", "test")):
        assert articles[one] & articles[other]
    assert len(articles["train"]) == len({name.split("-p")[1].split("-")[0] for name in lists["COVID", "train"]})


def test_modes_and_containers_give_the_class_away_as_in_the_set(opened):
    kinds = defaultdict(set)
    for (folder, name), image in opened.items():
        kinds[folder].add((image.format, image.mode, name[-4:]))
    assert kinds["CT_COVID"] == {
        ("PNG", "RGBA", ".png"), ("PNG", "RGB", ".png"), ("PNG", "L", ".png"), ("JPEG", "RGB", ".png")
    }  # fmt: skip
    assert kinds["CT_NonCOVID"] == {("PNG", "RGB", ".png"), ("JPEG", "RGB", ".jpg"), ("JPEG", "L", ".jpg")}
    for image in opened.values():
        assert image.mode != "RGBA" or np.asarray(image)[..., 3].min() == 255


def test_names_hold_percent_signs_and_say_phantom_or_lie_beyond_the_published_numbers(opened):
    for folder in KINDS.values():
        assert any("%" in name for at, name in opened if at == folder)
    for folder, name in opened:
        assert name.startswith("phantom-") if folder == "CT_COVID" else int(re.match(r"\d+", name)[0]) > 9000


def test_sizes_and_proportions_vary(opened):
    sizes = [image.size for image in opened.values()]
    assert len(set(sizes)) > len(sizes) // 2
    assert min(width for width, _ in sizes) >= 100 and max(width for width, _ in sizes) <= 700
    assert len({round(width / height, 2) for width, height in sizes}) > 8


def test_some_pictures_have_coloured_marks(opened):
    coloured = [key for key, image in opened.items() if image.mode != "L" and image.format == "PNG" and _colour(image)]
    assert coloured and len(coloured) < len(opened) / 2


def _colour(image):
    rgb = np.asarray(image.convert("RGB")).astype(int)
    return np.count_nonzero(np.ptp(rgb, axis=2) > 100) > 20


def test_one_picture_carries_both_labels_across_parts_and_no_other_does(lists, opened):
    def small(folder, name):
        values = np.asarray(opened[folder, name].convert("L").resize((16, 16), Image.Resampling.BOX)).astype(float)
        return (values - values.mean()) / values.std()

    found = []
    for one in (name for part in PARTS for name in lists["COVID", part]):
        for other in (name for part in PARTS for name in lists["NonCOVID", part]):
            alike = np.mean(small("CT_COVID", one) * small("CT_NonCOVID", other))
            found.append((alike, one, other))
    (best, one, other), second = sorted(found, reverse=True)[0], sorted(found, reverse=True)[1]
    assert best > 0.99 > second[0]
    assert one in lists["COVID", "test"] and other in lists["NonCOVID", "train"]
    first, copy = opened["CT_COVID", one], opened["CT_NonCOVID", other]
    assert copy.format == "JPEG" and copy.size != first.size
