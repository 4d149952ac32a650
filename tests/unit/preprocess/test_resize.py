"""Resizing against its definition, and the same bytes with and without the processor's extensions."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import dsn_saal
from dsn_saal.preprocess.resize import resize, resize_mask

IMAGE = np.random.default_rng(11).integers(0, 256, (96, 96), dtype=np.uint8)
KINDS = ["bilinear", "area", "cubic"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [32, 48, 96, 128])
def test_a_constant_image_stays_constant(kind, side):
    for value in (0, 1, 128, 255):
        assert np.unique(resize(np.full((96, 96), value, np.uint8), side, interpolation=kind)).tolist() == [value]


@pytest.mark.parametrize("side", [32, 41, 64, 128])
@pytest.mark.parametrize(
    ("kind", "theirs"), [("bilinear", cv2.INTER_LINEAR), ("area", cv2.INTER_AREA), ("cubic", cv2.INTER_CUBIC)]
)
def test_every_kind_is_what_its_name_says(kind, theirs, side):
    if kind == "area" and side > 96:
        theirs = cv2.INTER_NEAREST  # a pixel that is not shared is copied
        side = 192
    reference = cv2.resize(IMAGE, (side, side), interpolation=theirs)
    assert np.abs(resize(IMAGE, side, interpolation=kind).astype(int) - reference).max() <= 1


def test_area_is_the_mean_of_whole_blocks():
    blocks = IMAGE.reshape(32, 3, 32, 3).astype(int).sum(axis=(1, 3))
    # Weights carry 11 bits: a third is not whole in them.
    assert np.abs(resize(IMAGE, 32, interpolation="area") - blocks / 9).max() < 0.75


def test_a_mask_stays_binary_and_keeps_its_area():
    mask = np.zeros((512, 512), np.uint8)
    cv2.circle(mask, (250, 260), 120, 255, cv2.FILLED)
    small = resize_mask(mask, 64)
    assert set(np.unique(small)) == {0, 255}
    assert np.count_nonzero(small) * 64 == pytest.approx(np.count_nonzero(mask), rel=0.02)


def digests():
    """What this process makes of a few slices: one line a result."""
    from fake_dicom import thorax
    from test_lungs import PAPER, RECIPE, joined_by_the_trachea

    from dsn_saal.preprocess.slices import preprocess_slice

    lines = []
    for seed, change in enumerate(
        ({}, {"lung": PAPER}, {"formula": "dicom_linear", "rounding": "round"}, {"side": 224})
    ):
        for kind in KINDS:
            recipe = type(RECIPE)(**(vars(RECIPE) | change | {"interpolation": kind}))
            hu, _ = thorax(512, noise=25, seed=seed)
            result = preprocess_slice(hu, recipe)
            content = result.image.tobytes() + result.mask.tobytes() + repr(result.quality).encode()
            lines.append(hashlib.sha256(content).hexdigest())
    airways = preprocess_slice(joined_by_the_trachea(noise=25)[0], RECIPE)
    return [*lines, hashlib.sha256(airways.mask.tobytes()).hexdigest()]


AVX2, SSE41 = 11, 6
"""Numbers of two processor features in OpenCV."""


def test_bytes_do_not_depend_on_the_processor():
    """The same slices in a process in which NumPy and OpenCV may use no extension of the processor."""
    from numpy._core import _multiarray_umath as core

    usable = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
    environment = os.environ | {
        "NPY_DISABLE_CPU_FEATURES": " ".join(usable),
        "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2,AVX,FP16,SSE4.2,SSE4.1,SSSE3,FMA3",
        "OPENCV_IPP": "disabled",
        "PYTHONPATH": os.pathsep.join(
            map(str, [Path(__file__).parent, Path(__file__).parents[1], Path(dsn_saal.__file__).parents[1]])
        ),
    }
    program = (
        "import cv2, test_resize as t; from numpy._core import _multiarray_umath as core;"
        "print(cv2.checkHardwareSupport(t.AVX2), cv2.checkHardwareSupport(t.SSE41),"
        " any(core.__cpu_features__[name] for name in core.__cpu_dispatch__)); print(*t.digests())"
    )
    plain = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    features, theirs = plain.stdout.splitlines()
    assert features == "False False False", "the extensions were not switched off"
    assert theirs.split() == digests()
