"""Planted near copies are found, look-alikes are not, on phantoms' own slices."""

import cv2
import numpy as np
import pytest

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.phantom.cohort import choose_levels, plan_cohort
from dsn_saal.phantom.patient import draw_patient
from dsn_saal.phantom.section import draw_slice
from dsn_saal.preprocess.grid import GRID, grey_grid
from dsn_saal.preprocess.resize import resize
from dsn_saal.preprocess.window import apply_window
from dsn_saal.split.near_duplicates import near_pairs, perceptual_hash

LIMITS = {"hash_bits": 10, "correlation": 0.98}
"""As params.yaml has them."""


@pytest.fixture(scope="module")
def pictures():
    """Eighteen slices of nine phantoms, 224 x 224."""
    plans = plan_cohort(
        seed=5, mild_share=0.0, cases={"covid19": 5, "normal": 4}, slices={"covid19": 10, "normal": 8},
        slices_per_case=(2, 2), folders={"covid19": "a", "normal": "b"},
    )  # fmt: skip
    found, cases = [], []
    for plan in plans:
        patient = draw_patient(plan.class_name, plan.mild, plan.maker, plan.n_slices, plan.generator(0))
        for level in choose_levels(2, patient.levels, plan.generator(1)):
            hu = draw_slice(patient, level, plan.generator(3, level)).hu
            found.append(
                resize(
                    apply_window(hu, level_hu=-400, width_hu=1500, formula="exact", rounding="trunc"),
                    224,
                    interpolation="area",
                )
            )
            cases.append(plan.name)
    return found, cases


def pairs(images, cases, **limits):
    grids = np.stack([grey_grid(image, None) for image in images])
    hashes = np.array([perceptual_hash(grid) for grid in grids], dtype=np.uint64)
    return near_pairs(grids, hashes, cases, **(LIMITS | limits))


def recompressed(image):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_GRAYSCALE)


NOISE = np.random.default_rng(1).normal(0, 12, (224, 224))
COPIES = {
    "as it is": lambda image: image,
    "half the size": lambda image: cv2.resize(image, (112, 112), interpolation=cv2.INTER_AREA),
    "another aspect": lambda image: cv2.resize(image, (300, 190)),
    "recompressed": recompressed,
    "shifted": lambda image: np.roll(image, (1, -1), (0, 1)),  # some 2 pixels of 512; beyond that few are found
    "darker": lambda image: (image * 0.7).astype(np.uint8),
    "brighter": lambda image: np.minimum(image.astype(int) + 30, 255).astype(np.uint8),
    "noisy": lambda image: np.clip(image + np.random.default_rng(1).normal(0, 12, image.shape), 0, 255).astype(
        np.uint8
    ),
    "marked": lambda image: cv2.putText(image.copy(), "A", (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2),
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_planted_copy_is_found(pictures, kind):
    images, cases = pictures
    found = pairs([*images, COPIES[kind](images[3])], [*cases, "leak"])
    assert [pair[:2] for pair in found] == [(3, len(images))]


def test_different_patients_are_told_apart(pictures):
    assert pairs(*pictures) == []


def test_slices_of_one_case_may_look_alike_and_those_of_unknown_cases_are_compared(pictures):
    images, cases = pictures
    assert pairs([*images, images[3]], [*cases, cases[3]]) == []
    assert [pair[:2] for pair in pairs([*images, images[3]], [""] * (len(images) + 1))][-1][1] == len(images)


def test_pairs_do_not_depend_on_the_order_or_the_block(pictures, monkeypatch):
    images, cases = pictures
    images, cases = [*images, recompressed(images[5]), images[7]], [*cases, "x", "y"]
    order = np.random.default_rng(2).permutation(len(images))
    moved = pairs([images[at] for at in order], [cases[at] for at in order])
    whole = pairs(images, cases)
    assert {frozenset(order[list(pair[:2])].tolist()) for pair in moved} == {frozenset(pair[:2]) for pair in whole}
    monkeypatch.setattr("dsn_saal.split.near_duplicates.BLOCK", 3)
    assert pairs(images, cases) == whole and len(whole) == 2


@pytest.mark.parametrize("correlation", [0.3, 0.9, 0.98])
def test_what_is_spared_the_comparison_could_not_have_counted(pictures, correlation):
    """Every pair by brute force, on phantoms with copies of all strengths and on noise of every coarseness."""
    images, generator = [*pictures[0]], np.random.default_rng(3)
    copied = [
        np.clip(images[at].astype(int) + generator.normal(0, deviation, images[at].shape), 0, 255).astype(np.uint8)
        for at in range(6)
        for deviation in (5, 60, 200)
    ]
    noise = [
        cv2.resize(generator.integers(0, 256, (side, side), dtype=np.uint8), (96, 96)) for side in (2, 3, 5, 9, 40) * 8
    ]
    grids = np.stack([grey_grid(image, None) for image in (*images, *copied, *noise)])
    hashes = np.array([perceptual_hash(grid) for grid in grids], dtype=np.uint64)
    found = near_pairs(grids, hashes, [""] * len(grids), hash_bits=64, correlation=correlation)
    of_all = np.corrcoef(grids.reshape(len(grids), -1))
    wanted = [(i, j) for i, j in zip(*np.triu_indices(len(grids), 1), strict=True) if of_all[i, j] >= correlation]
    assert [pair[:2] for pair in found] == wanted and len(wanted) >= 6


def test_too_many_pairs_are_refused_before_they_fill_the_memory(pictures, monkeypatch):
    monkeypatch.setattr("dsn_saal.split.near_duplicates.MOST_PAIRS", 5)
    assert len(pairs([pictures[0][0]] * 3, ["a", "b", "c"])) == 3
    with pytest.raises(CheckFailed, match="more than 5 pairs of 4 pictures"):
        pairs([pictures[0][0]] * 4, ["a", "b", "c", "d"])


def test_the_crop_is_the_rectangle_of_the_lungs():
    image = np.zeros((100, 120), np.uint8)
    image[20:60, 30:90] = np.arange(60, dtype=np.uint8) + 100
    mask = np.zeros(image.shape, bool)
    mask[20:60, 30:90] = True
    np.testing.assert_array_equal(grey_grid(image, mask), grey_grid(image[20:60, 30:90].copy(), None))
    assert grey_grid(image, np.zeros_like(mask)).tolist() == grey_grid(image, None).tolist()


@pytest.mark.parametrize("shape", [(1, 1), (5, 200), (32, 32), (33, 47), (400, 31)])
def test_the_grid_holds_the_means_of_any_shape(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    grid = grey_grid(image, None)
    assert grid.shape == (GRID, GRID)
    large = np.repeat(np.repeat(image, -(-2 * GRID // shape[0]), axis=0), -(-2 * GRID // shape[1]), axis=1)
    edges = [np.arange(GRID + 1) * side // GRID for side in large.shape]
    block = large[edges[0][3] : edges[0][4], edges[1][31] : edges[1][32]]
    assert abs(int(grid[3, 31]) - 16 * block.mean()) <= 0.5
    assert (grey_grid(np.full(shape, 77, np.uint8), None) == 77 * 16).all()
    if shape[0] % GRID == 0 == shape[1] % GRID:
        assert abs(grid.mean() / 16 - image.mean()) < 0.05


def test_pictures_of_one_grey_are_no_pair():
    flat = [np.full((64, 64), value, np.uint8) for value in (0, 0, 90)]
    assert pairs(flat, ["a", "b", "c"]) == []


def test_the_hash_sees_structure_and_not_its_mean():
    grid = grey_grid(np.random.default_rng(0).integers(0, 128, (64, 64), dtype=np.uint8), None)
    assert perceptual_hash(grid) == perceptual_hash(grid + 500)
    other = grey_grid(np.random.default_rng(1).integers(0, 128, (64, 64), dtype=np.uint8), None)
    assert 16 < np.bitwise_count(perceptual_hash(grid) ^ perceptual_hash(other)) < 48
