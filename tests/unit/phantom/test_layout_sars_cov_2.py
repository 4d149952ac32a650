"""The stand-in for SARS-CoV-2 CT-scan, read back with Pillow: numbers, modes, the pair of copies, neighbours."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from stand_ins import plans_of

PREFIX = {"COVID": "Covid", "non-COVID": "Non-Covid"}


@pytest.fixture(scope="module")
def root(stand_in):
    return stand_in("sars_cov_2") / "set"


@pytest.mark.parametrize("folder", PREFIX)
def test_numbers_run_from_one_without_a_gap(root, folder):
    names = {path.name for path in (root / folder).iterdir()}
    assert names == {f"{PREFIX[folder]} ({number}).png" for number in range(1, len(names) + 1)}


def test_the_first_two_covid_files_are_copies_and_no_others_are(root):
    digests = Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*.png"))
    assert sorted(digests.values())[-2:] == [1, 2]
    assert (root / "COVID" / "Covid (1).png").read_bytes() == (root / "COVID" / "Covid (2).png").read_bytes()


def test_a_file_without_a_fourth_channel_is_always_covid(root):
    modes = {folder: set() for folder in PREFIX}
    for path in root.rglob("*.png"):
        with Image.open(path) as image:
            modes[path.parent.name].add(image.mode)
            assert 182 <= image.width <= 534
            assert ("dpi" in image.info) == (image.mode == "RGB")
            rgb = np.asarray(image)[..., :3]
            assert (rgb == rgb[..., :1]).all()
    assert modes == {"COVID": {"RGB", "RGBA"}, "non-COVID": {"RGBA"}}


def test_consecutive_numbers_are_slices_of_one_patient(root):
    plans = [plan for plan in plans_of("sars_cov_2") if plan.folder == "non-COVID"]
    first, widths = 1, []
    for plan in plans:
        own = [
            Image.open(root / "non-COVID" / f"Non-Covid ({number}).png").width
            for number in range(first, first + plan.n_slices)
        ]
        first += plan.n_slices
        assert len(set(own)) == 1  # a patient's pictures are cut alike
        widths += set(own)
    assert len(set(widths)) == len(plans)
