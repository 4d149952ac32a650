"""Killed anywhere, started again: the same bytes as an unbroken job."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch
from tiny_experiment import AFFINITY, CENTER, SELECTING, settings

from dsn_saal.params.jobs import TrainJob, parse_job
from dsn_saal.train import checkpoint as checkpoint_module
from dsn_saal.train import single
from dsn_saal.train.assemble import new_run
from dsn_saal.train.checkpoint import read_identity, restore, write_checkpoint
from dsn_saal.train.machine import prepare


class Interrupt(Exception):
    """Stands for the end of the process inside a test."""


PLAIN, CHOOSING = {"deep": False}, {**SELECTING, "batch_size": 5}
"""Three steps an epoch each: 18 images in eights, 12 in fives."""


@pytest.mark.parametrize(
    "change", [{}, PLAIN, CHOOSING, AFFINITY], ids=["deep", "plain", "best_validation", "prototypes"]
)
@pytest.mark.parametrize("steps", range(1, 7))
def test_interrupted_after_any_step(place, unbroken, monkeypatch, change, steps):
    here, done = place(), []

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        done.append((run.epoch, run.step))
        if len(done) == steps:
            raise Interrupt

    monkeypatch.setattr(single, "write_checkpoint", write_then_stop)
    with pytest.raises(Interrupt):
        here.train(checkpoint_seconds=0, **change)
    assert done[-1] == ((steps - 1) // 3, (steps - 1) % 3 + 1) and not here.out.exists()
    monkeypatch.setattr(single, "write_checkpoint", write_checkpoint)
    assert here.train(**change) == unbroken(**change) and not here.state.exists()


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_centers_of_the_classes_are_resumed(place, unbroken, monkeypatch, steps):
    here, change, done = place(), {"deep": False, "loss": CENTER}, []

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        done.append(run.loss.centers.clone())
        if len(done) == steps:
            raise Interrupt

    with monkeypatch.context() as patched, pytest.raises(Interrupt):
        patched.setattr(single, "write_checkpoint", write_then_stop)
        here.train(checkpoint_seconds=0, **change)
    assert done[-1].abs().sum() > 0 and (steps == 1 or not torch.equal(done[-1], done[-2]))
    whole = unbroken(**change)
    assert here.train(**change) == whole
    assert whole["run-00/weights.safetensors"] != unbroken(deep=False)["run-00/weights.safetensors"]


KILLER = textwrap.dedent(
    """
    import os, shutil, signal, sys
    import dsn_saal.train.checkpoint as checkpoint
    import dsn_saal.train.results as results
    import dsn_saal.train.single as single
    from dsn_saal.cli import main

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    kind, seen = sys.argv[1], 0
    write_checkpoint, save_file, begun_writing = single.write_checkpoint, checkpoint.save_file, []

    def every_second(path, run, identity):  # the steps after a checkpoint are lost
        global seen
        seen += 1
        if seen % 2 == 0:
            write_checkpoint(path, run, identity)
        if kind == "lost steps" and seen == 5:
            die()

    def half_a_file(tensors, part, metadata):
        begun_writing.append(part)
        save_file(tensors, part, metadata=metadata)
        if kind == "half a checkpoint" and len(begun_writing) == 2:
            part.write_bytes(part.read_bytes()[:1000])
            die()

    def copied(source, target, copyfile=shutil.copyfile):
        copyfile(source, target)
        if kind == "half a publication" and str(target).endswith(".json"):
            die()

    single.write_checkpoint, checkpoint.save_file, results.shutil.copyfile = every_second, half_a_file, copied
    sys.exit(main(sys.argv[2:]))
    """
)


@pytest.mark.parametrize("change", [{}, CHOOSING], ids=["last", "best_validation"])
def test_real_kills_one_after_another(place, unbroken, change):
    """SIGKILL with steps lost, inside the writing of a checkpoint, and half-way through publishing."""
    here = place()
    arguments = [*here.arguments(), "--checkpoint-seconds", "0", "--settings", settings(runs=2, **change)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    said = []
    for kind in ("lost steps", "half a checkpoint", "half a publication"):
        ended = subprocess.run(
            [sys.executable, "-c", KILLER, kind, *arguments], capture_output=True, text=True, env=environment
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert not (here.out / "SHA256SUMS").exists()
        said.append(ended.stderr)
    # The first was killed after five steps with a checkpoint of four: one step of the second epoch.
    assert "run 1/2 goes on at epoch 2, step 2" in said[1] and "goes on" not in said[0]
    assert here.train(runs=2, **change) == unbroken(runs=2, **change)
    assert not here.state.exists()


def test_one_run_more_trains_one_run_only(place, unbroken, monkeypatch):
    here, trained = place(), []
    here.train(runs=2)
    (here.out / "SHA256SUMS").unlink()  # as Snakemake does before the job
    train_run = single.train_run
    monkeypatch.setattr(
        "dsn_saal.train.experiment.train_run", lambda m, n, *a: trained.append(n) or train_run(m, n, *a)
    )
    kept = {name: path.stat().st_mtime_ns for name in here.content() for path in [here.out / name]}
    content = here.train(runs=3)
    assert trained == [2] and {name: content[name] for name in kept} == {
        name: data for name, data in unbroken(runs=2).items() if name != "SHA256SUMS"
    }
    assert all((here.out / name).stat().st_mtime_ns == time for name, time in kept.items())
    assert "run-02/run.json" in content["SHA256SUMS"].decode()


def test_one_run_less_leaves_no_orphan(place, unbroken):
    here = place()
    here.train(runs=2)
    (here.out / "run-00" / ".weights.safetensors.x.part").write_bytes(b"torn")
    (here.out / "notes" / "deep").mkdir(parents=True)
    (here.out / "notes" / "deep" / "old.txt").write_text("x")
    content = here.train(runs=1)
    assert sorted({name.split("/")[0] for name in content}) == ["SHA256SUMS", "run-00"]
    assert not (here.out / "notes").exists() and not (here.out / "run-01").exists()
    assert content["run-00/weights.safetensors"] == unbroken(runs=2)["run-00/weights.safetensors"]


@pytest.mark.parametrize("name", ["weights.safetensors", "history.csv", "run.json"])
def test_altered_result_is_trained_again(place, unbroken, name):
    here = place()
    here.train(deep=False)
    path = here.out / "run-00" / name
    path.write_bytes(path.read_bytes()[:-2] + b"??")
    assert here.train(deep=False) == unbroken(deep=False)


@pytest.mark.parametrize(
    "change, key",
    [
        ({"lr": 0.02}, "settings.regimen.lr"),
        ({"code": "other"}, "code"),
        ({"precision": "bf16"}, "precision"),
    ],
)
def test_what_other_inputs_began_is_discarded_by_name(place, monkeypatch, capsys, change, key):
    here = place()

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        raise Interrupt

    with monkeypatch.context() as patched, pytest.raises(Interrupt):
        patched.setattr(single, "write_checkpoint", write_then_stop)
        here.train(checkpoint_seconds=0, deep=False)
    content = here.train(deep=False, **change)
    assert key in capsys.readouterr().err
    assert content == place("fresh").train(deep=False, **change)
    here.train(deep=False)  # and so is a finished run
    assert key in capsys.readouterr().err


def test_checkpoint_holds_momentum_generators_and_position(tmp_path):
    machine = prepare("cpu", precision="fp32", threads=1)
    job = parse_job(TrainJob, settings())
    run = new_run(job, seed=3, counts=(6, 6, 6), machine=machine)
    torch.stack(run.network(torch.ones(2, 1, 32, 32))).sum().backward()
    for parameter in run.loss.parameters():
        parameter.grad = torch.ones_like(parameter)
    run.optimizer.step()
    run.epoch, run.step, run.history = 4, 2, [{"epoch": 1, "loss": 0.1 + 0.2}]
    write_checkpoint(tmp_path / "c.safetensors", run, {"seed": 3})
    other = new_run(job, seed=9, counts=(6, 6, 6), machine=machine)
    restore(tmp_path / "c.safetensors", other)
    assert read_identity(tmp_path / "c.safetensors") == {"seed": 3}
    assert (other.epoch, other.step, other.history) == (4, 2, run.history)
    assert torch.equal(other.generators["order"].get_state(), run.generators["order"].get_state())
    ours, theirs = (which.tensors() | checkpoint_module._of_optimizers(which) for which in (run, other))
    assert set(ours) == set(theirs) and sum(name.endswith(".momentum_buffer") for name in ours) > 100
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_unreadable_checkpoint_is_no_checkpoint(tmp_path):
    assert read_identity(tmp_path / "none") is None
    (tmp_path / "torn").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    assert read_identity(tmp_path / "torn") is None
