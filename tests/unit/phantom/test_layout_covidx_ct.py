"""The stand-in for COVIDx-CT-1, read back with nothing but Pillow and string methods."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image

NAME = re.compile(r"(Normal|CP|NCP)_(\d+)_(\d+)_(\d{4})\.png")
DIGIT = {"Normal": "0", "CP": "1", "NCP": "2"}


@pytest.fixture(scope="module")
def root(stand_in):
    return stand_in("covidx_ct") / "set"


@pytest.fixture(scope="module")
def lists(root):
    return {
        part: [line.split(" ") for line in (root / f"{part}_COVIDx_CT-1.txt").read_text().splitlines()]
        for part in ("train", "val", "test")
    }


def test_every_listed_file_is_there_and_every_file_is_listed_once(root, lists):
    listed = [fields[0] for part in lists.values() for fields in part]
    assert sorted(listed) == sorted(path.name for path in root.rglob("*.png"))
    assert len(set(listed)) == len(listed)


def test_lines_are_name_class_and_box(lists):
    for fields in (fields for part in lists.values() for fields in part):
        assert len(fields) == 6 and fields[1] == DIGIT[NAME.fullmatch(fields[0])[1]]


def test_every_part_has_patients_of_every_class_and_shares_none(lists):
    patients = {part: {NAME.fullmatch(fields[0]).group(1, 2) for fields in lines} for part, lines in lists.items()}
    for found in patients.values():
        assert {mark for mark, _ in found} == set(DIGIT)
    assert sum(map(len, patients.values())) == len(set().union(*patients.values())) == 15


def test_ids_are_none_of_the_published_ones(root):
    names = [NAME.fullmatch(path.name) for path in root.rglob("*.png")]
    assert min(int(name[2]) for name in names) > 4044  # the largest number of a patient in the lists of version 1
    assert min(int(name[3]) for name in names) > 5779  # and of a scan
    scans = {(name[2], name[3]) for name in names}
    assert len({scan for _, scan in scans}) == len(scans) > len({patient for patient, _ in scans})


def test_the_short_list_is_a_balanced_part_of_the_train_list(root, lists):
    words = {digit: word for word, digit in DIGIT.items()}
    short = (root / "train_split_classification.txt").read_text().splitlines()
    named = [words[line[0]] + line[1:] for line in short]
    train = {fields[0] for fields in lists["train"]}
    assert set(named) < train and len(set(named)) == len(named)
    assert len(set(Counter(line[0] for line in short).values())) == 1 and {line[0] for line in short} == set("012")


def test_pictures_are_eight_bits_of_a_chest_in_its_box_and_the_mode_does_not_tell_the_class(root, lists):
    modes = Counter()
    for fields in (fields for part in lists.values() for fields in part):
        with Image.open(next(root.rglob(fields[0]))) as image:
            assert image.size == (512, 512) and image.mode in ("L", "RGB")
            modes[DIGIT[NAME.fullmatch(fields[0])[1]], image.mode] += 1
            grey = np.asarray(image.convert("L"))
        x0, y0, x1, y1 = map(int, fields[2:])
        assert 0 <= x0 < x1 <= 512 and 0 <= y0 < y1 <= 512
        inside = grey[y0:y1, x0:x1]
        assert np.mean(inside > 120) > 0.3 and np.mean(inside < 90) > 0.05  # soft tissue, lungs and corners
        assert np.mean(grey[:y0] > 120) < 0.02 if y0 else True
    assert set(modes) == {(digit, mode) for digit in "012" for mode in ("L", "RGB")}
