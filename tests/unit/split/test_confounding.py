"""Cramer's V against scipy and known answers, and what --explain says of it."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from dsn_saal.split.certificate import certify
from dsn_saal.split.confounding import WARN_AT, associations, cramers_v
from dsn_saal.split.explain import explain, told
from dsn_saal.split.make import split_table


def test_one_tells_the_other_and_nothing_tells():
    assert cramers_v(np.diag([20, 30, 10])) == pytest.approx(1.0, abs=0.02)
    assert cramers_v(np.full((2, 3), 50)) == 0.0
    assert np.isnan(cramers_v(np.array([[5, 9]]))) and np.isnan(cramers_v(np.array([[5, 0], [9, 0]])))


def test_large_tables_agree_with_scipy_where_the_bias_vanishes():
    table = np.random.default_rng(0).integers(200, 4000, (3, 4))
    assert cramers_v(table) == pytest.approx(association(table, method="cramer", correction=False), abs=0.002)


def test_the_bias_is_taken_out_of_small_independent_tables():
    rng = np.random.default_rng(1)
    plain, ours = [], []
    for _ in range(200):
        pairs = np.zeros((3, 5), int)
        np.add.at(pairs, (rng.integers(0, 3, 60), rng.integers(0, 5, 60)), 1)
        plain.append(association(pairs, method="cramer", correction=False))
        ours.append(cramers_v(pairs))
    assert np.mean(ours) < 0.5 * np.mean(plain) and min(ours) >= 0


@pytest.fixture
def slices():
    n = 40
    return pd.DataFrame(
        {
            "row": range(n), "case": [f"c{at // 4}" for at in range(n)], "label": [at % 2 for at in range(n)],
            "manufacturer": ["SIEMENS", "GE"] * (n // 2), "kernel": ["B70f"] * n,
            "transfer_syntax": ["image/png RGBA" if at % 2 == 0 and at < 30 else "image/png L" for at in range(n)],
            "rows": 512, "columns": 512, "thickness_mm": 5.0, "path": [f"p{at}" for at in range(n)], "frame": 0,
        }
    )  # fmt: skip


def test_values_that_give_the_class_away_are_named(slices):
    found = {one.name: one for one in associations(slices, ("covid19", "normal"), ("manufacturer", "kernel"))}
    assert found["manufacturer"].warns and found["manufacturer"].cramers_v > 0.95
    assert found["manufacturer"].telling == [("GE", "normal", 1.0), ("SIEMENS", "covid19", 1.0)]
    assert np.isnan(found["kernel"].cramers_v) and not found["kernel"].warns


def test_the_explanation_warns_names_and_counts(slices):
    parts = np.where(np.arange(40) < 28, "train", "test")
    levels = {"case": slices["case"].tolist(), "pixel": [f"{at}" if at != 39 else "0" for at in range(40)]}
    certificate = certify(levels, [], [parts], labels=slices["label"].tolist(), names=slices["path"].tolist())
    split = split_table(slices, [parts])
    found = explain(slices, split, certificate, classes=("covid19", "normal"), draw=0, accept=["pixel"])
    text = told(found)
    assert "draw 0 of 1" in text and "7 / 14 (70.0 %)" in text
    assert "VIOLATED" in text and "pixel: p0 = p39 (accepted by params)" in text
    assert "same pixels: p0 = p39" in text
    assert "WARNING: the class can be told from manufacturer" in text and "GE: 100 % normal" in text
    assert "image/png RGBA: 100 % covid19" in text and "kernel" in text and "constant" in text
    assert {one["property"] for one in found["associations"] if one["warns"]} == {"manufacturer", "transfer_syntax"}
    calm = explain(
        slices.assign(manufacturer="GE", transfer_syntax="x"), split, certificate, classes=("covid19", "normal"),
        draw=0, accept=[],
    )  # fmt: skip
    assert told(calm).endswith("no warning") and WARN_AT < 1
