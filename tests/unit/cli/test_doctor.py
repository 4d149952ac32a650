"""`dsn-saal doctor` looks, says what is missing and where to get it, and changes nothing."""

import json
from pathlib import Path

import pytest
import yaml

from dsn_saal.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def look(*arguments, **sources):
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        for name, change in sources.items():
            params["datasets"][name] |= change
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        assert main(["doctor", *arguments, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        return {what: (state, words) for findings in found.values() for what, state, words in findings}

    return look


def test_phantoms_are_said_to_stand_in_and_a_missing_lock_is_said(doctor):
    found = doctor()
    for name in ("covid19_diag", "covid_ct_md", "covidx_ct", "covid_ct", "sars_cov_2"):
        assert found[name][0] == "note" and "stand in" in found[name][1] and "docs/datasets.md" in found[name][1]
    assert found["packages"][0] == "missing" and found["python"][0] == "good"


def test_the_environment_is_held_against_the_lock(doctor, tmp_path):
    assert doctor("--lock", str(ROOT / "requirements.lock"))["packages"] == (
        "good", f"as {ROOT / 'requirements.lock'} pins them",
    )  # fmt: skip
    lock = tmp_path / "other.lock"
    lock.write_text("numpy==0.1 \\\n    --hash=sha256:00\nno-such-thing==1.0 ; python_version < '3'\ngone-package==2\n")
    state, words = doctor("--lock", str(lock))["packages"]
    assert state == "wrong" and "2 differ" in words and "numpy" in words and "gone-package is missing" in words


def test_sources_are_counted_against_what_was_published(doctor, tmp_path):
    for folder in ("COVID", "non-COVID"):
        (tmp_path / "sars" / folder).mkdir(parents=True)
    (tmp_path / "sars/COVID/Covid (1).png").touch()
    (tmp_path / "series.zip").touch()
    (tmp_path / "dicom").mkdir()
    (tmp_path / "dicom/a").touch()
    found = doctor(
        sars_cov_2={"source": str(tmp_path / "sars")},
        covid_ct={"source": "/nowhere"},
        covid19_diag={"source": str(tmp_path / "dicom")},
        covid_ct_md={"source": str(tmp_path / "series.zip")},
    )
    assert found["sars_cov_2"][0] == "wrong" and "1 of 2481 published" in found["sars_cov_2"][1]
    assert found["covid_ct"][0] == "missing" and "docs/datasets.md" in found["covid_ct"][1]
    assert found["covid19_diag"] == ("good", f"1 files in {tmp_path / 'dicom'}")
    assert "archive" in found["covid_ct_md"][1]
    calm = doctor(sars_cov_2={"source": str(tmp_path / "sars"), "counts": "any"})
    assert calm["sars_cov_2"][0] == "note"


def test_every_data_set_has_its_place_in_the_documents():
    text = (ROOT / "docs/datasets.md").read_text()
    for name in yaml.safe_load((ROOT / "params.yaml").read_text())["datasets"]:
        assert f"`{name}`" in text


def test_weights_that_paper_scale_needs_are_named(tmp_path, monkeypatch, capsys):
    params = yaml.safe_load((ROOT / "params.yaml").read_text()) | {"scale": "paper"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    monkeypatch.setenv("DSN_SAAL_WEIGHTS", str(tmp_path))
    assert main(["doctor", "--params", str(tmp_path / "params.yaml")]) == 0
    printed = capsys.readouterr().out
    assert "missing" in printed and "vgg16_bn-6c64b313.pth" in printed and str(tmp_path) in printed
