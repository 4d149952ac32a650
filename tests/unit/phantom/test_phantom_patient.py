"""What the slices show: lungs where the truth says, lesions in the ill only and never at apex and base."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from dsn_saal.phantom.cohort import PREFIXES
from dsn_saal.phantom.disease import HIGHEST_LESION, LOWEST_LESION
from dsn_saal.phantom.patient import draw_patient
from dsn_saal.phantom.scanner import MODELS
from dsn_saal.phantom.section import draw_slice

ILL = ["covid19", "bacterial_pneumonia"]


def patient_of(class_name, seed=3, maker="SIEMENS", mild=False):
    return draw_patient(class_name, mild, maker, 8, np.random.default_rng(seed))


def slice_of(patient, share):
    return draw_slice(patient, int(share * (patient.levels - 1)), np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(4))
def test_true_lungs_are_filled_with_air_and_vessels_and_the_rest_of_the_body_is_not(seed):
    patient = patient_of("normal", seed)
    drawn = slice_of(patient, 0.55)
    inside = drawn.hu[drawn.lungs]
    assert -900 < np.median(inside) < -780
    assert np.mean(inside < -500) > 0.85
    assert np.mean(inside > -150) > 0.002  # vessels belong to the lungs
    rows, columns = np.nonzero(drawn.lungs)
    row = int(rows.mean())
    columns_between = drawn.hu[row - 20 : row + 20, columns.min() : columns.max()]
    assert columns_between.max() > 0  # the mediastinum does not
    assert drawn.hu[0, 256] < -900


def test_lungs_lie_on_both_sides_and_shrink_towards_the_apex():
    patient = patient_of("normal")
    areas = [int(slice_of(patient, share).lungs.sum()) for share in (0.4, 0.8, 1.0)]
    assert areas[0] > areas[1] > areas[2] > 0
    lungs = slice_of(patient, 0.5).lungs
    assert lungs[:, :256].any() and lungs[:, 256:].any()


def test_neighbouring_slices_show_the_same_patient():
    patient = patient_of("normal")
    here, there, far = (draw_slice(patient, level, np.random.default_rng(0)) for level in (20, 21, 35))

    def alike(one, other):
        both = one.lungs & other.lungs
        return np.corrcoef(one.hu[both], other.hu[both])[0, 1]

    assert alike(here, there) > alike(here, far) + 0.1


@pytest.mark.parametrize("class_name", ILL)
@pytest.mark.parametrize("mild", [False, True])
def test_the_ill_have_lesions_but_not_at_apex_and_base(class_name, mild):
    for seed in range(3):
        patient = patient_of(class_name, seed, mild=mild)
        heights = [patient.height_of(level) for level in range(patient.levels)]
        lesions = [draw_slice(patient, level, np.random.default_rng(0)).lesion for level in range(0, patient.levels, 3)]
        shown = [height for height, lesion in zip(heights[::3], lesions, strict=True) if lesion]
        assert shown and min(shown) >= LOWEST_LESION and max(shown) <= HIGHEST_LESION
        assert heights[0] < LOWEST_LESION < HIGHEST_LESION < heights[-1]


def test_mild_cases_show_less():
    def density(mild):
        found = []
        for seed in range(4):
            patient = patient_of("covid19", seed, mild=mild)
            drawn = slice_of(patient, 0.35)
            found.append(np.mean(drawn.hu[drawn.lungs] > -700))
        return np.mean(found)

    assert density(True) < density(False)


def test_the_normal_have_none():
    patient = patient_of("normal")
    assert not any(draw_slice(patient, level, np.random.default_rng(0)).lesion for level in range(0, patient.levels, 4))


def test_covid_is_bilateral_and_peripheral_and_pneumonia_mostly_one_sided_and_dense():
    covid, pneumonia = [], []
    for seed in range(12):
        haze = patient_of("covid19", seed).disease.haze
        covid.append(min((haze[:, 0] > 0).sum(), (haze[:, 0] < 0).sum()))
        dense = patient_of("bacterial_pneumonia", seed).disease
        pneumonia.append(min((dense.dense[:, 0] > 0).sum(), (dense.dense[:, 0] < 0).sum()) == 0)
        assert dense.dense_strength > 0.85
    assert min(covid) >= 3
    assert np.mean(pneumonia) >= 0.5


@pytest.mark.parametrize("maker", list(MODELS))
def test_nothing_but_the_lesions_depends_on_the_class(maker):
    patients = [patient_of(class_name, 11, maker) for class_name in PREFIXES]
    for other in patients[1:]:
        assert other.anatomy == patients[0].anatomy
        assert other.scan == patients[0].scan
        assert other.lungs == patients[0].lungs and other.levels == patients[0].levels
    outside = [draw_slice(patient, 0, np.random.default_rng(5)).hu for patient in patients]
    assert all(np.array_equal(outside[0], other) for other in outside[1:])


def test_crazy_paving_brightens_the_ground_glass_and_nothing_else():
    for seed in range(20):
        patient = patient_of("covid19", seed)
        if patient.disease.paving > 0.8:
            break
    plain = replace(patient, disease=replace(patient.disease, paving=0.0))
    level = int(0.3 * patient.levels)
    paved, smooth = (draw_slice(one, level, np.random.default_rng(0)) for one in (patient, plain))
    gain = paved.hu.astype(int) - smooth.hu
    assert np.mean(gain[paved.lungs] > 40) > 0.005
    assert gain.min() > -60  # edge enhancement may undershoot beside a bright line
    beyond_blur = cv2.dilate(paved.lungs.astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
    assert not gain[beyond_blur].any()
