import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from dsn_saal.cli import COMMANDS, main
from dsn_saal.storage.tables import read_table, write_table


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    printed = capsys.readouterr().out
    assert stop.value.code == 0 and "example" in printed and f"dsn-saal {command}" in printed.split("example")[1]


def test_an_unknown_command_is_a_bad_request(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["trian"])
    assert stop.value.code == 2 and "trian" in capsys.readouterr().err


def test_help_loads_nothing_heavy():
    probe = (
        "import sys; from dsn_saal.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'torch', 'pandas', 'cv2', 'pydicom', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True)


def index(cases):
    rows = [(case, label) for case, label, n in cases for _ in range(n)]
    table = pd.DataFrame(rows, columns=["case", "label"]).assign(row=range(len(rows)))
    for column in ("study", "series", "sop", "file_sha256", "pixel_sha256", "path"):
        table[column] = [f"{column}{row}" for row in table["row"]]
    return table.assign(article="", official="", train_3000=False, number=-1, frame=0)


def write_cohort(folder, cases):
    """Index and grids of as many slices, all of them different."""
    table = index(cases)
    write_table(folder / "index.parquet", table)
    grids = np.random.default_rng(0).integers(0, 256 * 16, (len(table), 32, 32), dtype=np.int16)
    np.save(folder / "grids.npy", grids)


def split(folder, settings):
    paths = ["--index", str(folder / "index.parquet"), "--images", str(folder), "--out", str(folder)]
    return main(["split", "--settings", settings, "--protocol", "case_wise", *paths])


@pytest.fixture
def settings(tmp_path):
    laws = {
        "kind": "cases", "rule": "per_class", "train_share": 0.7, "seed": 7, "draws": 1, "train_slices": None,
    }  # fmt: skip
    near = {"hash_bits": 10, "correlation": 0.97}
    return json.dumps({"protocol": laws, "base": None, "certificate": near, "classes": ["covid19", "normal"]})


def test_split_writes_a_certified_split(tmp_path, settings):
    write_cohort(tmp_path, [(f"c{i}", i % 2, 3) for i in range(10)])
    assert split(tmp_path, settings) == 0
    made = read_table(tmp_path / "case_wise.parquet")
    assert made.groupby("case")["part"].nunique().max() == 1
    assert made.groupby(["part", "label"])["case"].nunique().to_dict() == {
        ("test", 0): 1,
        ("test", 1): 1,
        ("train", 0): 4,
        ("train", 1): 4,
    }
    certificate = json.loads((tmp_path / "case_wise.certificate.json").read_text())
    assert certificate["verdict"] == "PROVEN"
    assert certificate["counts"]["train"]["normal"] == {"cases": 4, "slices": 12}


def test_split_names_the_class_that_has_one_case(tmp_path, settings, capsys):
    write_cohort(tmp_path, [("a", 0, 3), ("b", 1, 3), ("c", 1, 3)])
    assert split(tmp_path, settings) == 1
    assert "class covid19" in capsys.readouterr().err
    assert not list(tmp_path.glob("case_wise*"))


def test_a_missing_index_is_a_bad_request(tmp_path, settings, capsys):
    assert split(tmp_path, settings) == 2
    assert "index.parquet" in capsys.readouterr().err
