"""Benchmarks beside their bars: parameter counts against the paper's bound, and for which size a ratio has one."""

import runpy
import tomllib
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


def test_a_ratio_is_held_against_its_bar_at_the_bars_size_alone():
    told = runpy.run_path(str(ROOT / "benchmarks/deep_supervision.py"))["told_bar"]
    assert "at 224 px and width 1: this run was not of that size" in told(64, 0.25, 1.0)
    assert "not of that size" in told(224, 0.25, 1.0)
    assert told(224, 1.0, 1.05).endswith("of that size, and holds it")
    assert told(224, 1.0, 1.06).endswith("of that size, and DOES NOT hold it")
    command = "python benchmarks/deep_supervision.py --image-size 224 --width 1 --batch 16 --rounds 5"
    assert command in (ROOT / "docs/training.md").read_text()
    assert command in (ROOT / "benchmarks/deep_supervision.py").read_text()


def test_what_is_not_installed_comes_with_a_command_that_installs_it():
    command = runpy.run_path(str(ROOT / "benchmarks/training.py"))["INSTALL_TIMM"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert command.endswith("--editable '.[benchmarks]'") and extras["benchmarks"][0].startswith("timm==")
    assert "timm" not in (ROOT / "requirements.lock").read_text()


def test_the_weights_of_saal_hold_their_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["saal_weights.py"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "benchmarks/saal_weights.py"), run_name="__main__")
    assert ended.value.code == 0 and capsys.readouterr().out.endswith("held\n")


def test_weights_that_lose_digits_miss_it(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["saal_weights.py"])
    monkeypatch.setattr(
        "dsn_saal.losses.class_weights", lambda raw, counts: (1 - raw.sigmoid()) / (1 - raw.sigmoid() ** counts)
    )
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "benchmarks/saal_weights.py"), run_name="__main__")
    assert ended.value.code == 1 and capsys.readouterr().out.endswith("missed\n")
