"""The documented table of parameter counts is what the script prints, and the script holds the paper's bound."""

import runpy
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def main(monkeypatch):
    monkeypatch.chdir(ROOT)
    return runpy.run_path(str(ROOT / "benchmarks/parameters.py"))["main"]


def test_the_documented_table_is_the_printed_one(main, capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    models = yaml.safe_load((ROOT / "params.yaml").read_text())["models"]
    assert [line.split(" ")[1] for line in printed.splitlines()[2:]] == list(models)
    added = {name for name, model in models.items() if model["deep_supervision"]}
    assert {line.split(" ")[1] for line in printed.splitlines() if line.endswith("| within |")} == added
    documented = (ROOT / "docs/training.md").read_text()
    assert f"\n\n{printed}" in documented
    assert documented.endswith(printed) or documented.split(printed)[1].startswith("\n")  # no row that is not printed


def test_more_than_the_paper_says_is_an_error(main, tmp_path, capsys):
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    raw["models"]["dsn_vgg16_bn"]["deep_supervision"]["fuse_channels"] = 21
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    assert main(["--params", str(tmp_path / "params.yaml")]) == 1
    said = [line for line in capsys.readouterr().out.splitlines() if line.endswith("| MORE |")]
    assert len(said) == 1 and said[0].startswith("| dsn_vgg16_bn |")
