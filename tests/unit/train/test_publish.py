"""Finished runs take their place in the results: moved, not copied, and never in neither place."""

import errno
import shutil
from pathlib import Path

import pytest
from tiny_experiment import Place

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.storage.listing import differences
from dsn_saal.train import experiment, publish
from dsn_saal.train.results import read_run


class Interrupt(Exception):
    """Stands for the end of the process inside a test."""


def occupied(root):
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def test_no_run_lies_on_the_disk_twice(place, unbroken, monkeypatch):
    here, inodes, whole = place(), {}, unbroken(runs=2, deep=False)
    move = publish._move

    def watched(run, where):
        before = occupied(here.root)
        inodes[where] = (run.folder / "weights.safetensors").stat().st_ino
        move(run, where)
        assert occupied(here.root) == before

    monkeypatch.setattr(publish, "_move", watched)
    assert here.train(runs=2, deep=False) == whole and len(inodes) == 2
    assert all((where / "weights.safetensors").stat().st_ino == inode for where, inode in inodes.items())


def other_device(monkeypatch):
    def rename(self, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "rename", rename)


def test_across_file_systems_runs_are_copied_and_at_most_one_is_there_twice(place, unbroken, monkeypatch):
    here, left = place(), []
    whole, copy = unbroken(runs=2, deep=False), publish._copy

    def watched(run, where):
        copy(run, where)
        left.append(sorted(path.name for path in here.state.iterdir()))

    other_device(monkeypatch)
    monkeypatch.setattr(publish, "_copy", watched)
    assert here.train(runs=2, deep=False) == whole
    assert left == [["run-01"], []] and differences(here.out) == []


@pytest.mark.parametrize("name", ["weights.safetensors", "history.csv", "run.json"])
def test_interrupted_copies_are_repeated_without_training(place, unbroken, monkeypatch, name):
    here, trained = place(), []
    with monkeypatch.context() as patched, pytest.raises(Interrupt):
        other_device(patched)

        def half(source, target):
            shutil.copyfile(source, target)
            if source.name == name and source.parent.name == "run-01":
                raise Interrupt

        patched.setattr(publish, "shutil", type("Half", (), {"copyfile": half, "rmtree": shutil.rmtree}))
        here.train(runs=2, deep=False)
    monkeypatch.setattr(experiment, "train_run", lambda *args: trained.append(args))
    assert here.train(runs=2, deep=False) == unbroken(runs=2, deep=False) and trained == []


@pytest.mark.parametrize("step", ["_remove", "_move"])
def test_interrupted_moves_lose_no_run(place, unbroken, monkeypatch, step):
    """The place was another run's: it is emptied first."""
    here, trained = place(), []
    here.train(runs=2, deep=False, lr=0.02)
    whole = getattr(publish, step)
    with monkeypatch.context() as patched, pytest.raises(Interrupt):

        def then_stop(*args):
            whole(*args)
            raise Interrupt

        patched.setattr(publish, step, then_stop)
        here.train(runs=2, deep=False)
    places = [
        [read_run(folder / name) is not None for folder in (here.out, here.state)] for name in ("run-00", "run-01")
    ]
    assert all(any(held) for held in places)
    monkeypatch.setattr(experiment, "train_run", lambda *args: trained.append(args))
    assert here.train(runs=2, deep=False) == unbroken(runs=2, deep=False) and trained == []


def test_what_stands_in_the_way_is_removed_and_what_cannot_be_moved_is_told(tmp_path, unbroken, monkeypatch):
    here = Place(tmp_path / "file")
    here.out.mkdir()
    (here.out / "run-00").write_text("no folder")
    assert here.train(deep=False) == unbroken(deep=False)
    other = Place(tmp_path / "refused")
    monkeypatch.setattr(Path, "rename", lambda *args: (_ for _ in ()).throw(OSError(errno.EACCES, "Permission denied")))
    with pytest.raises(CheckFailed, match="could not be moved") as caught:
        other.train(deep=False)
    assert "Permission denied" in caught.value.text() and read_run(other.state / "run-00") is not None
