"""Snakemake and DVC in one folder: what the two say must agree, after a clone, an edit, a checkout, a kill."""

import pytest

pytestmark = pytest.mark.workflow

ALL_TRAINED = {"train one", "train two", "evaluate one", "evaluate two", "table"}


def status(toy):
    return toy.sh("dvc", "status")


def test_repro_after_snakemake_only_records(recorded):
    assert recorded.ran("dvc", "repro") == set()
    assert "up to date" in status(recorded)
    assert recorded.sh("git", "status", "--short") == ""


@pytest.mark.parametrize("cache_type", ["copy", "hardlink", "symlink"])
def test_the_life_of_a_clone(clone, cache_type):
    toy = clone(cache_type)
    assert toy.planned() == set() and "content:" not in toy.said
    assert "up to date" in status(toy)

    toy.params(lr={"one": 0.2, "two": 0.1})
    expected = {"train one", "evaluate one", "table"}
    assert toy.planned() == expected
    assert toy.ran("dvc", "repro") == expected
    toy.matches()

    toy.params(lr={"two": 0.3})
    assert toy.ran("dvc", "repro") == {"train two", "evaluate two", "table"}
    assert not toy.files("results", "*one*")
    assert "train/one" not in (toy.root / "provenance/train.json").read_text()
    assert "up to date" in status(toy)
    assert toy.all() == set()
    toy.commit("second")

    toy.sh("git", "checkout", "-q", "HEAD~1")
    toy.sh("dvc", "checkout", "-q")
    assert toy.planned() == set()
    toy.sh("git", "checkout", "-q", "main")
    assert toy.planned() >= {"train two", "evaluate two"}  # results of one commit under the params of another
    toy.sh("dvc", "checkout", "-q")
    assert toy.planned() == set()
    assert "up to date" in status(toy)


@pytest.mark.parametrize("cache_type", ["hardlink", "symlink"])
def test_an_edit_before_the_first_snakemake_of_a_clone(clone, cache_type):
    toy = clone(cache_type)
    toy.params(runs=3)
    assert toy.ran("dvc", "repro") == ALL_TRAINED
    toy.matches()
    toy.params(runs=1)
    assert toy.ran("dvc", "repro") == ALL_TRAINED
    toy.matches()
    assert len(toy.files("results/train", "run-*.txt")) == 2
    assert "up to date" in status(toy)


def test_an_edit_of_what_only_the_second_stage_reads(clone):
    toy = clone("hardlink")
    toy.params(title="second")
    assert toy.ran("dvc", "repro") == {"evaluate one", "evaluate two", "table"}
    toy.matches()
    assert "up to date" in status(toy)


def test_an_old_commit_with_other_code_that_made_the_same_bytes(clone):
    toy = clone("copy")
    (toy.root / "package/loop.py").write_text("epochs = 4\n")
    assert toy.ran("dvc", "repro") == {"train one", "train two"}
    toy.commit("other code")
    toy.sh("git", "checkout", "-q", "HEAD~1")
    assert toy.planned() == set()
    assert "up to date" in status(toy)


def test_pulling_after_a_first_look(clone):
    toy = clone("copy")
    toy.sh("rm", "-rf", "results/train", "results/evaluate")
    assert toy.planned() == ALL_TRAINED
    toy.sh("dvc", "checkout", "-q")
    assert toy.planned() == set()


def test_an_altered_result_is_seen_by_both(recorded):
    (recorded.root / "results/evaluate/one.txt").write_text("run 1 was better\n")
    assert "results/evaluate" in status(recorded)
    assert recorded.planned() == {"evaluate one", "table"}
    refused = recorded.sh(
        "dsn-saal", "provenance", "export", "--out", "provenance/x.json", "results/evaluate", check=False
    )
    assert "an output is not what its record says" in refused
    assert recorded.ran("dvc", "repro") == {"evaluate one", "table"}
    recorded.matches()
    assert "up to date" in status(recorded)


def test_from_raw_data_alone_the_records_are_the_same(recorded):
    before = recorded.sh("git", "rev-parse", "HEAD:provenance", "HEAD:dvc.lock")
    recorded.sh("rm", "-rf", ".snakemake", ".dsn_saal", "results", "provenance")
    assert recorded.ran("dvc", "repro") == ALL_TRAINED
    recorded.sh("git", "add", "-A")
    recorded.sh("git", "commit", "-qm", "again", "--allow-empty")
    assert recorded.sh("git", "rev-parse", "HEAD:provenance", "HEAD:dvc.lock") == before
