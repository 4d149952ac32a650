"""The scripts for a GPU machine run, at toy size, with no more libraries than such a machine has."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "benchmarks/gpu"
BARRED = ("pydantic", "pydicom", "snakemake", "dvc", "yaml", "cv2", "skimage", "matplotlib", "typst", "scipy")
BAR = (
    "import runpy, sys\n"
    f"sys.modules.update(dict.fromkeys({BARRED!r}))\n"
    "sys.argv = sys.argv[1:]\n"
    f"sys.path.insert(0, {str(SCRIPTS)!r})\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


def call(script, *arguments):
    """Run a script in a process that cannot import what is barred."""
    command = [sys.executable, "-c", BAR, str(SCRIPTS / script), *map(str, arguments)]
    environment = {"PYTHONPATH": "src", "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def scripts(monkeypatch):
    """The scripts' modules can be imported."""
    monkeypatch.syspath_prepend(str(SCRIPTS))


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_bar_bars():
    with pytest.raises(AssertionError, match="import of pydantic halted"):
        call("../../src/dsn_saal/params/base.py")


def in_process(monkeypatch, script, *arguments):
    """Run a script here, where torch is loaded already."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS / f"{script}.py"), *map(str, arguments)])
    importlib.import_module(script).main()


def test_throughput_measures_every_network_and_goes_on_where_it_stopped(scripts, tmp_path, monkeypatch):
    out = tmp_path / "throughput.jsonl"
    said = call("throughput.py", "--smoke", "--out", out)
    lines = lines_of(out)
    assert len({line["key"] for line in lines}) == len(lines) == 21
    measured = [line for line in lines if "images_per_s" in line]
    assert len(measured) == 17 and all(line["images_per_s"] > 0 and line["bytes_per_image"] > 0 for line in measured)
    assert "| dsn_vgg16_bn, naive | bf16 | 2 |" in said and "pool first / naive, dsn_vgg16_bn, bf16, batch 2: " in said
    out.write_text(out.read_text()[:-40])  # killed while it wrote the last line
    in_process(monkeypatch, "throughput", "--smoke", "--out", out)
    again = lines_of(out)
    assert again[:-1] == lines[:-1] and again[-1]["key"] == lines[-1]["key"]


def test_throughput_begins_nothing_when_the_time_is_up(scripts, tmp_path, monkeypatch, capsys):
    in_process(monkeypatch, "throughput", "--smoke", "--out", tmp_path / "x.jsonl", "--minutes", 0)
    assert "time is up" in capsys.readouterr().out and not (tmp_path / "x.jsonl").exists()


def test_a_compilation_begins_only_where_its_time_is_left(scripts, tmp_path, monkeypatch, capsys):
    import throughput

    keys = ["a, bf16, batch 2", "a, bf16, compiled, batch 2", "a, tf32, batch 2", "b, bf16, compiled, batch 2"]
    fake = [(key, lambda key=key: {"failed": key}) for key in keys]
    monkeypatch.setattr(throughput, "measurements", lambda *_: iter(fake))
    out, arguments = tmp_path / "x.jsonl", ("--smoke", "--out", tmp_path / "x.jsonl", "--minutes", 3)
    in_process(monkeypatch, "throughput", *arguments)
    assert [line["key"] for line in lines_of(out)] == [keys[0], keys[2]]
    assert "time is up for 2 of them, a, bf16, compiled, batch 2 first" in capsys.readouterr().out
    in_process(monkeypatch, "throughput", *arguments, "--compile-minutes", 2)
    assert [line["key"] for line in lines_of(out)] == [keys[0], keys[2], keys[1], keys[3]]
    assert "time is up" not in capsys.readouterr().out
    in_process(monkeypatch, "throughput", "--smoke", "--out", tmp_path / "y.jsonl", "--minutes", 0)
    assert not (tmp_path / "y.jsonl").exists()


def test_profile_says_where_the_time_goes(scripts, tmp_path, monkeypatch, capsys):
    out = tmp_path / "profile.jsonl"
    in_process(monkeypatch, "throughput", "--smoke", "--profile", "--out", out)
    profiles = lines_of(out)
    assert [line["network"] for line in profiles] == ["dsn_vgg16_bn", "dsn_vgg16_bn, naive", "vgg16_bn"]
    for line in profiles:
        shares = [row["share"] for row in line["operations"]]
        assert shares == sorted(shares, reverse=True) and 0.5 < sum(shares) <= 1.001
        assert "aten::convolution_backward" in {row["name"] for row in line["operations"]}
    assert "| `aten::convolution_backward` |" in capsys.readouterr().out


def test_shares_of_the_ceilings_and_ratios(scripts):
    from throughput_table import told

    common = {"device": "NVIDIA H200", "torch": "x", "date": "2026-01-01"}
    line = {**common, "arithmetic": "bf16", "batch": 128, "size": 224, "tflops": 300.0, "bytes_per_image": 4e8}
    text = told(
        [
            {**common, "key": "matrix product, bf16", "tflops": 800.0},
            {**common, "key": "copy", "gb_per_s": 4000.0},
            {**line, "key": "a", "network": "dsn_vgg16_bn", "images_per_s": 3300.0},
            {**line, "key": "b", "network": "dsn_vgg16_bn, naive", "images_per_s": 3000.0},
            {**common, "key": "c", "failed": "OutOfMemoryError: no"},
        ]
    )
    assert "| dsn_vgg16_bn | bf16 | 128 | 3300 | 300.00 | 37.5% | 0.4000 | 33% |" in text
    assert "pool first / naive, dsn_vgg16_bn, bf16, batch 128: 1.100x" in text
    assert "3300 images/s: 1.10 of 3000, 0.75 of 4400" in text and "FAILED: c: OutOfMemoryError: no" in text


def test_traffic_is_every_operand_once_and_no_view(scripts):
    from ceilings import Traffic

    left = torch.zeros(8, 4)
    with Traffic() as counted:
        left.t().contiguous()  # 128 bytes read, 128 written
        left.view(4, 8).detach()
    assert counted.bytes == 256


def test_benchmarks_train_what_params_name(scripts):
    import workload

    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert params["models"]["dsn_vgg16_bn"]["deep_supervision"] == workload.SIDE
    assert params["losses"]["saal"] == workload.SAAL and params["losses"]["ce"] == workload.CE
    fixed = ("optimizer", "weight_decay", "drop_last", "augmentation", "freeze_after", "vote_epochs")
    assert all(params["regimens"]["paper"][key] == workload.REGIMEN[key] for key in fixed)


def test_twin_and_killed_runs_are_bit_identical(scripts, tmp_path, monkeypatch):
    out = tmp_path / "determinism.jsonl"
    call("determinism.py", "--smoke", "--out", out)
    lines = lines_of(out)
    assert [(line["precision"], line["verdict"]) for line in lines] == [
        ("fp32", "bit-identical"),
        ("bf16", "bit-identical"),
    ]
    assert all(0 < line["checkpoint_after"] < line["killed_after"] < line["steps"] for line in lines)
    assert lines[0]["sha256"]["weights"] != lines[1]["sha256"]["weights"]
    for verdict, code in (("bit-identical", False), ("DIFFERENT", True)):
        out.write_text(out.read_text().replace("bit-identical", verdict))
        lines = lines_of(out)
        with pytest.raises(SystemExit) as ended:
            in_process(monkeypatch, "determinism", "--smoke", "--out", out)
        assert ended.value.code == code and lines_of(out) == lines  # nothing is tried twice


def test_what_is_known_of_one_arithmetic_stays_when_the_next_is_cut_off(scripts, tmp_path, monkeypatch, capsys):
    import determinism

    out, called = tmp_path / "determinism.jsonl", []

    def cut_off_at(limit):
        def fake(tasks, *, killed):
            called.append(([(task["precision"], task.get("killed_after", 0) > 0) for task in tasks], killed))
            if len(called) == limit:
                raise KeyboardInterrupt
            for task in tasks:
                (tmp_path / task["out"]).write_text(json.dumps({"weights": task["precision"]}))

        return fake

    monkeypatch.setattr(determinism, "call", cut_off_at(5))
    with pytest.raises(KeyboardInterrupt):
        in_process(monkeypatch, "determinism", "--smoke", "--out", out)
    assert [line["precision"] for line in lines_of(out)] == ["fp32"]
    assert called[1] == ([("fp32", False), ("fp32", True)], True)
    monkeypatch.setattr(determinism, "call", cut_off_at(-1))
    ended(monkeypatch, out, "--minutes", 0)
    assert "time is up" in capsys.readouterr().out and len(called) == 5
    ended(monkeypatch, out)
    assert [line["precision"] for line in lines_of(out)] == ["fp32", "bf16"] and len(called) == 8
    assert {task[0] for tasks, _ in called[5:] for task in tasks} == {"bf16"}


def ended(monkeypatch, out, *arguments):
    """Determinism to its end, at which nothing differs."""
    with pytest.raises(SystemExit) as code:
        in_process(monkeypatch, "determinism", "--smoke", "--out", out, *arguments)
    assert code.value.code == 0


def test_a_single_bit_is_seen(scripts, tmp_path):
    from determinism import compared
    from digests import digest_of

    one, other = torch.ones(3), torch.ones(3)
    other[1] = torch.nextafter(other[1], torch.tensor(2.0))
    assert digest_of({"w": one}) == digest_of({"w": torch.ones(3)}) != digest_of({"w": other})
    written = {name: tmp_path / name for name in ("first", "second", "resumed")}
    for name, tensor in (("first", one), ("second", one), ("resumed", other)):
        written[name].write_text(json.dumps({"weights": digest_of({"w": tensor}), "history": "x"}))
    found = compared(written)
    assert found["verdict"] == "DIFFERENT" and found["differing"] == {"second": [], "resumed": ["weights"]}
