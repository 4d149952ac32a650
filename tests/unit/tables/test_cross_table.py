"""The table of data sets that networks met: numbers, order and gaps."""

import json

import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.table_jobs import table_job
from dsn_saal.tables.cross import COLUMNS, make_table


def cell(area, own=False, interval=(0.5, 0.9), cut_out=True):
    names = ("auc", "balanced_accuracy", "sensitivity", "specificity")
    metrics = {name: {"mean": area, "sd": 0.01, "values": [area]} for name in names}
    metrics["balanced_accuracy_interval"] = interval
    return {"title": "x", "cut_out": cut_out, "own": own, "origin": "phantom", "slices": 20, "positives": 8, "cases": 9,
            "metrics": metrics}  # fmt: skip


@pytest.fixture
def probes(small_settings, tmp_path):
    settings = small_settings()
    tests = {"covid_ct": cell(0.6, interval=None, cut_out=False), "covid19_diag": cell(0.9, own=True)}
    held = {"experiment": "vgg16_bn_ce", "own": "covid19_diag", "runs": [0, 2], "of_runs": 3, "missing_because": None,
            "tests": tests}  # fmt: skip
    path = tmp_path / "vgg16_bn_ce.json"
    path.write_text(json.dumps(held))
    return table_job(settings, "cross"), path, held


def test_the_own_data_set_stands_first_and_gaps_are_gaps(probes):
    job, path, _ = probes
    table = make_table(job, probes={"vgg16_bn_ce": path})
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table.rows]
    assert [row["tested on"] for row in rows] == ["COVID19-Diag", "COVID19-CT"] and table.origin == "phantom"
    assert rows[0]["AUC"] == "0.900 ± 0.010" and rows[0]["its interval"] == "[0.500, 0.900]"
    assert rows[1]["its interval"] == "–" and (rows[0]["input"], rows[1]["input"]) == ("lungs", "whole picture")
    assert any("over 2 of 3 runs" in note for note in table.footnotes)


def test_what_was_not_tested_has_dashes_and_the_reason(probes):
    job, path, held = probes
    bare = {name: {**entry, "metrics": None} for name, entry in held["tests"].items()}
    path.write_text(json.dumps(held | {"tests": bare, "runs": [], "missing_because": "every run diverged"}))
    table = make_table(job, probes={"vgg16_bn_ce": path})
    assert all(row[4:] == ("–",) * 8 for row in table.rows) and table.origin is None
    assert "VGG-16: not tested, every run diverged." in table.footnotes


def test_foreign_and_missing_files_are_refused(probes):
    job, path, held = probes
    path.write_text(json.dumps(held | {"experiment": "dsn_saal"}))
    with pytest.raises(CheckFailed, match="not the probe of"):
        make_table(job, probes={"vgg16_bn_ce": path})
    with pytest.raises(BadRequest):
        make_table(job, probes={})
