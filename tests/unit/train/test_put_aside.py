"""What stands where a run is to begin is put aside, named, and gone when the run is finished."""

import shutil

import pytest
from tiny_experiment import settings

from dsn_saal.params.jobs import TrainJob, parse_job
from dsn_saal.train import single
from dsn_saal.train.checkpoint import flaw_of, write_checkpoint
from dsn_saal.train.plan import plan_experiment

PLAIN = {"deep": False}


class Interrupt(Exception):
    """Stands for the end of the process inside a test."""


@pytest.fixture
def begin(monkeypatch):
    """Trains to the second checkpoint and no further."""

    def to_the_second(here, checkpoints=2, **change):
        written = []

        def write_then_stop(path, run, identity):
            write_checkpoint(path, run, identity)
            written.append(path)
            if len(written) == checkpoints:
                raise Interrupt

        with monkeypatch.context() as patched, pytest.raises(Interrupt):
            patched.setattr(single, "write_checkpoint", write_then_stop)
            here.train(checkpoint_seconds=0, **PLAIN, **change)
        return written[-1]

    return to_the_second


def test_what_other_settings_began_lies_beside_and_goes_on_once_it_is_back(place, unbroken, begin, capsys):
    here = place()
    kept = begin(here).read_bytes()
    begin(here, lr=0.02)
    aside = here.state / "run-00.discarded"
    told = capsys.readouterr().err
    assert "settings.regimen.lr" in told and str(aside) in told and "renamed to run-00" in told
    assert (aside / "checkpoint.safetensors").read_bytes() == kept
    shutil.rmtree(here.state / "run-00")
    aside.rename(here.state / "run-00")
    assert here.train(**PLAIN) == unbroken(**PLAIN)
    assert "goes on at epoch 1, step 3" in capsys.readouterr().err and not here.state.exists()


def test_one_is_put_aside_the_latest(place, begin):
    here = place()
    begin(here)
    second = begin(here, lr=0.02).read_bytes()
    begin(here, lr=0.03)
    assert sorted(path.name for path in here.state.iterdir()) == ["run-00", "run-00.discarded"]
    assert (here.state / "run-00.discarded" / "checkpoint.safetensors").read_bytes() == second


def test_it_goes_when_its_run_is_finished_though_others_are_not(place, unbroken, begin):
    here = place()
    begin(here)
    begin(here, checkpoints=8, lr=0.02, runs=2)  # six steps a run: in the second one
    assert sorted(path.name for path in here.state.iterdir()) == ["run-00", "run-01"]
    assert here.train(**PLAIN, lr=0.02, runs=2) == unbroken(**PLAIN, lr=0.02, runs=2)
    assert not here.state.exists()


def test_a_finished_run_of_other_settings_is_put_aside_too(place, begin, unbroken):
    """It waited in the state for the others of its job."""
    here = place()
    begin(here, checkpoints=8, runs=2)
    begin(here, lr=0.02, runs=2)
    assert (here.state / "run-00.discarded" / "weights.safetensors").exists()
    shutil.rmtree(here.state / "run-00")
    (here.state / "run-00.discarded").rename(here.state / "run-00")
    assert here.train(**PLAIN, runs=2) == unbroken(**PLAIN, runs=2)


@pytest.mark.parametrize("content", [b"\x10\0\0\0\0\0\0\0{}", b"", None])
def test_a_torn_checkpoint_is_named_and_put_aside(place, unbroken, begin, capsys, content):
    here = place()
    path = begin(here)
    torn = path.read_bytes()[:-100] if content is None else content
    path.write_bytes(torn)
    begin(here)
    told = capsys.readouterr().err
    assert "checkpoint.safetensors of run-00 cannot be read (" in told and flaw_of(path) is None
    aside = here.state / "run-00.discarded" / "checkpoint.safetensors"
    assert aside.read_bytes() == torn and flaw_of(aside) in told and str(aside.parent) in told
    assert here.train(**PLAIN) == unbroken(**PLAIN) and not here.state.exists()


def test_a_checkpoint_that_names_no_run_has_that_flaw(tmp_path):
    from safetensors.torch import save_file

    save_file({}, tmp_path / "anonymous", metadata={"identity": "[]"})
    assert flaw_of(tmp_path / "anonymous") == "it names no run" and flaw_of(tmp_path / "none") is None


def test_neither_the_plan_nor_another_job_takes_it_for_a_run(place, begin):
    here = place()
    begin(here, checkpoints=8, runs=2)
    begin(here, lr=0.02, runs=2)
    job = parse_job(TrainJob, settings(**PLAIN, runs=2))
    plan = plan_experiment(job, here.places(), device="cpu", measure=False)
    assert (plan.done, plan.tracks.foreign) == (0, ())
