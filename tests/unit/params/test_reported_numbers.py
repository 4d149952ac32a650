"""The file of reported numbers: it holds its laws, and a file that breaks one is refused by name."""

from pathlib import Path

import pytest
import yaml

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.reported import read_reported

FILE = Path(__file__).parents[3] / "data/reported/hu2021.yaml"


@pytest.fixture
def raw():
    return yaml.safe_load(FILE.read_text())


@pytest.fixture
def written(tmp_path):
    def write(raw):
        path = tmp_path / "reported.yaml"
        path.write_text(yaml.safe_dump(raw))
        return path

    return write


def test_the_printed_row_is_what_the_paper_prints():
    row = read_reported(FILE).of_method("3", "DSN-SAAL (VGG-16)")
    assert {metric: (held.value, held.std, held.n_runs) for metric, held in row.items()} == {
        "ACC": (0.92, 0.004, 10), "F1": (0.873, 0.007, 10), "G-mean": (0.925, 0.006, 10),
    }  # fmt: skip


def test_table_2_adds_up_to_the_cohort():
    counts = {(held.method, held.metric): held.value for held in read_reported(FILE).of_table("2")}
    slices = sum(value for (_, metric), value in counts.items() if metric.endswith("_slices"))
    cases = sum(value for (_, metric), value in counts.items() if metric.endswith("_cases"))
    assert (slices, cases) == (6982, 225)


def test_shares_lie_between_0_and_1_whatever_their_unit():
    shares = [
        held.share for held in read_reported(FILE).reported if held.share is not None and "gain" not in held.metric
    ]
    assert shares and all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda raw: raw["reported"][3].update(valeu=1), "reported.3.valeu"),
        (lambda raw: raw["reported"][3].update(value="0.9"), "reported.3.value"),
        (lambda raw: raw["claims"][0].pop("statement"), "claims.0.statement"),
        (lambda raw: raw["confusion"][0]["matrix"].pop(), "confusion.0"),
        (lambda raw: raw["reported"].append(raw["reported"][0]), "whole file"),
        (lambda raw: raw.update(schema_version=2), "schema_version"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(raw, written, change, named):
    change(raw)
    path = written(raw)
    with pytest.raises(BadRequest) as caught:
        read_reported(path)
    assert named in caught.value.text() and str(path) in caught.value.text()


def test_what_is_no_file_or_no_yaml_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="no such file"):
        read_reported(tmp_path / "absent.yaml")
    path = tmp_path / "reported.yaml"
    path.write_text("reported: [")
    with pytest.raises(BadRequest, match="not YAML"):
        read_reported(path)
