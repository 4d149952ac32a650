"""The scripts for a GPU machine run, at toy size, with no more libraries than such a machine has."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BARRED = ("pydantic", "pydicom", "snakemake", "dvc", "cv2", "skimage", "matplotlib", "typst")
BAR = (
    "import runpy, sys\n"
    f"sys.modules.update(dict.fromkeys({BARRED!r}))\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


def call(script, *arguments):
    command = [sys.executable, "-c", BAR, str(ROOT / "benchmarks/gpu" / script), *arguments]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": "src", "PATH": ""}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_throughput_measures_every_network_and_goes_on_where_it_stopped(tmp_path):
    out = tmp_path / "throughput.jsonl"
    assert "time is up" in call("throughput.py", "--smoke", "--out", str(out), "--minutes", "0")
    assert not out.exists()
    call("throughput.py", "--smoke", "--out", str(out))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len({line["key"] for line in lines}) == len(lines) == 34
    assert all(line.get("images_per_s", 1) > 0 and line["smoke"] for line in lines)
    out.write_text("\n".join(json.dumps(line) for line in lines[:-1]) + "\n")
    assert json.loads(call("throughput.py", "--smoke", "--out", str(out)).strip())["key"] == lines[-1]["key"]
