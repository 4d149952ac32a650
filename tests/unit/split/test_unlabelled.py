"""The certificate of unlabelled slices finds what was planted at every level, and names it."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest

from dsn_saal.cli import main
from dsn_saal.preprocess.grid import grey_grid
from dsn_saal.split import unlabelled
from dsn_saal.split.certificate import DECISIVE
from dsn_saal.storage.tables import write_table

LIMITS = {"hash_bits": 10, "correlation": 0.97}
IDS = ("case", "study", "series", "sop")


def pictures(count, seed):
    """Smooth random pictures (count, 64, 64): no two resemble each other."""
    drawn = np.random.default_rng(seed).integers(0, 256, (count, 9, 9), dtype=np.uint8)
    return np.stack([cv2.resize(one, (64, 64), interpolation=cv2.INTER_CUBIC) for one in drawn])


def index(count, prefix):
    table = {"row": np.arange(count, dtype=np.int32), "label": np.arange(count, dtype=np.int8) % 2}
    table |= {level: [f"{prefix}-{level}-{at // 2}" for at in range(count)] for level in ("case", "study", "series")}
    table |= {"sop": [f"{prefix}-sop-{at}" for at in range(count)], "article": [""] * count}
    table |= {f"{kind}_sha256": [f"{prefix}-{kind}-{at}" for at in range(count)] for kind in ("file", "pixel")}
    return pd.DataFrame(table | {"path": [f"{prefix}/{at}.dcm" for at in range(count)], "frame": 0})


@pytest.fixture
def sets():
    """Index, pictures and split of eight slices, of which 4 to 7 are tested, and index and pictures of five others."""
    parts = ["train", "train", "unused", "train", "test", "test", "validation", "test"]
    split = pd.DataFrame({"row": np.arange(8), "case": "c", "label": 0, "draw": 0, "part": parts})
    return index(8, "own"), pictures(8, 0), split, index(5, "more"), pictures(5, 1)


def certified(sets, ids_comparable=True):
    own, images, split, more, others = sets
    tested = own[own["row"].isin(unlabelled.tested_rows(split))]
    grids = [
        np.stack([grey_grid(image, None) for image in of])
        for of in (images[tested["row"].to_numpy()], others)
    ]  # fmt: skip
    return unlabelled.certify_unlabelled(
        tested, more, split, grids, name="more", ids_comparable=ids_comparable, **LIMITS
    )


def test_strangers_are_proven_apart(sets):
    found = certified(sets)
    assert found["verdict"] == "PROVEN" and found["slices"] == {"tested": 4, "unlabelled": 5}
    assert {level: entry["verdict"] for level, entry in found["levels"].items()} == dict.fromkeys(
        [*IDS, "file", "pixel", "near_duplicate"], "PROVEN"
    )


@pytest.mark.parametrize("at, tested", [(0, False), (2, False), (4, True), (6, True), (7, True)])
def test_a_near_duplicate_of_a_tested_slice_is_found_and_named(sets, at, tested):
    own, images, split, more, others = sets
    others[3] = cv2.imdecode(cv2.imencode(".jpg", images[at], [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 0)
    found = certified((own, images, split, more, others))
    names = [finding["name"] for finding in found["levels"]["near_duplicate"]["findings"]]
    assert names == ([f"near_duplicate: more/more/3.dcm = own/{at}.dcm"] if tested else [])
    assert found["verdict"] == ("VIOLATED" if tested else "PROVEN")
    assert all("labels" not in finding for finding in found["levels"]["near_duplicate"]["findings"])


@pytest.mark.parametrize(
    "column, level", [*zip(IDS, IDS, strict=True), ("file_sha256", "file"), ("pixel_sha256", "pixel")]
)
def test_what_both_share_is_found_at_its_level(sets, column, level):
    own, images, split, more, others = sets
    more.loc[2, column] = own.loc[5, column]
    found = certified((own, images, split, more, others))
    assert found["verdict"] == "VIOLATED" and found["levels"][level]["verdict"] == "VIOLATED"
    named = found["levels"][level]["findings"][0]["name"]
    assert named == (
        f"{level}: more/more/2.dcm = own/5.dcm" if level in ("file", "pixel") else f"{level}: {own.loc[5, column]}"
    )
    assert [key for key, entry in found["levels"].items() if entry["found"]] == [level]
    more.loc[2, column] = own.loc[1, column]  # the same in the training part is no leak
    assert certified((own, images, split, more, others))["verdict"] == "PROVEN"


def test_any_draw_that_tests_a_slice_counts(sets):
    own, images, split, more, others = sets
    second = split.assign(draw=1, part=["test", "train", "unused", "train", "train", "train", "train", "train"])
    more.loc[1, "file_sha256"] = own.loc[0, "file_sha256"]
    found = certified((own, images, pd.concat([split, second]), more, others))
    assert found["draws"] == 2 and found["slices"]["tested"] == 5
    assert found["levels"]["file"]["findings"][0]["draws"] == [1]


def test_ids_of_another_key_prove_nothing(sets):
    own, images, split, more, others = sets
    found = certified(sets, ids_comparable=False)
    assert found["verdict"] == "UNPROVABLE" and "case" in DECISIVE
    assert {found["levels"][level]["verdict"] for level in IDS} == {"UNPROVABLE"}
    assert found["levels"]["case"]["missing"] == 5
    more.loc[2, "pixel_sha256"] = own.loc[5, "pixel_sha256"]
    assert certified((own, images, split, more, others), ids_comparable=False)["verdict"] == "VIOLATED"


def test_a_set_against_itself_is_violated_at_every_level(sets):
    own, images, split, _, _ = sets
    found = certified((own, images, split, own, images))
    assert {entry["verdict"] for entry in found["levels"].values()} == {"VIOLATED"}
    assert found["levels"]["near_duplicate"]["found"] == 4 and found["levels"]["sop"]["found"] == 4


def test_the_command_writes_what_training_asks_for(sets, tmp_path, capsys):
    own, images, split, more, others = sets
    for name, table, stack in (("own", own, images), ("more", more, others)):
        (tmp_path / name).mkdir()
        write_table(tmp_path / name / "index.parquet", table)
        np.save(tmp_path / name / "images.npy", stack)
        np.save(tmp_path / name / "grids.npy", np.stack([grey_grid(image, None) for image in stack]))
    write_table(tmp_path / "split.parquet", split)
    job = {"unlabelled": "more", "certificate": LIMITS, "ids_comparable": True}
    arguments = [
        "certify", "--images", str(tmp_path / "own"), "--unlabelled-images", str(tmp_path / "more"),
        "--split", str(tmp_path / "split.parquet"), "--out", str(tmp_path / "c.json"),
    ]  # fmt: skip
    assert main([*arguments, "--settings", json.dumps(job)]) == 0
    assert "5 slices of more against 4 tested: PROVEN" in capsys.readouterr().out
    written = json.loads((tmp_path / "c.json").read_text())
    assert set(written["certified"]) == {"images_sha256", "split_sha256", "unlabelled_sha256"}
    assert written["levels"] == certified(sets)["levels"]
    assert main([*arguments[:-2], "--settings", json.dumps(job)]) == 2
    assert main([*arguments, "--dataset", "covid19_diag", "--unlabelled", "luna"]) == 2
    assert "luna" in capsys.readouterr().err
