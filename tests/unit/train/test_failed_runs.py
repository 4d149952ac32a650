"""A run that diverges is written down with its evidence, the others go on, and it is not tried again."""

import json

import pandas as pd
import pytest
import torch
from tiny_experiment import settings

from dsn_saal.cli import main
from dsn_saal.storage.listing import differences
from dsn_saal.train import single


@pytest.fixture
def broken(monkeypatch):
    """Runs with these seeds start from a weight that is no number; counts how often a run is begun."""
    begun, new_run = [], single.new_run

    def breaking(seeds):
        def start(job, *, seed, **more):
            begun.append(seed)
            run = new_run(job, seed=seed, **more)
            if seed in seeds:
                with torch.no_grad():
                    next(run.network.parameters()).fill_(torch.nan)
            return run

        monkeypatch.setattr(single, "new_run", start)
        return begun

    return breaking


def test_one_run_diverges_and_the_others_are_those_of_an_unbroken_job(place, unbroken, broken, capsys):
    whole = unbroken(runs=3)
    broken({1})
    here = place()
    content = here.train(runs=3)
    assert sorted(name for name in content if name.startswith("run-01")) == ["run-01/failed.json", "run-01/history.csv"]
    rest = [name for name in whole if name.startswith(("run-00", "run-02"))]
    assert {name: content[name] for name in rest} == {name: whole[name] for name in rest} and len(rest) == 6
    assert "run 2/3 diverged at epoch 1, step 1" in capsys.readouterr().err
    assert differences(here.out) == [] and not here.state.exists()


def test_the_evidence_is_epoch_step_term_identity_and_the_history_to_the_end(place):
    content = place().train(lr=1e30, deep=False)
    failed = json.loads(content["run-00/failed.json"])
    assert (failed["epoch"], failed["step"], failed["term"]) == (1, 2, "ce of output final")
    assert {"identity", "settings", "seed", "device", "counts", "files"} <= set(failed)
    lines = content["run-00/history.csv"].decode().splitlines()
    assert lines[0].startswith("epoch,lr,loss") and lines[1].startswith("1,") and "nan" in lines[1] and len(lines) == 2


def test_the_command_goes_on_and_exits_with_nothing_wrong(place, capsys):
    here = place()
    assert main([*here.arguments(), "--settings", settings(lr=1e30, deep=False, runs=2)]) == 0
    said = capsys.readouterr().err
    assert "run 1/2 diverged" in said and "run 2/2 diverged" in said and "the other runs go on" in said
    assert (here.out / "SHA256SUMS").is_file()


def test_a_failed_run_is_not_tried_again_until_its_identity_changes(place, broken, capsys):
    begun = broken({0})
    here = place()
    first = here.train(deep=False)
    (here.out / "SHA256SUMS").unlink()  # as Snakemake does before the job
    assert here.train(deep=False) == first and begun == [0]
    assert "there already, diverged" in capsys.readouterr().err
    here.train(deep=False, code="other")
    assert begun == [0, 0]


def test_a_mended_run_leaves_nothing_of_its_failure(place, unbroken):
    here = place()
    here.train(deep=False, lr=1e30)
    assert here.train(deep=False) == unbroken(deep=False)


def test_weights_that_break_in_the_last_step_are_seen_too(place, monkeypatch):
    """No loss looks at them any more."""
    from dsn_saal.train import loop

    end_epoch = loop.end_epoch

    def breaking(run, *rest):
        end_epoch(run, *rest)
        if run.epoch == 2:
            with torch.no_grad():
                next(run.network.parameters())[0] = torch.nan

    monkeypatch.setattr(loop, "end_epoch", breaking)
    failed = json.loads(place().train(deep=False)["run-00/failed.json"])
    assert (failed["epoch"], failed["step"]) == (2, 3) and "weights after the last step" in failed["term"]


def test_a_validation_loss_that_is_no_number_is_a_divergence(place, monkeypatch):
    monkeypatch.setattr("dsn_saal.train.loop.validation_loss", lambda *a: float("inf"))
    content = place().train(deep=False, select_epoch="best_validation", validation_share=0.3)
    failed = json.loads(content["run-00/failed.json"])
    assert (failed["epoch"], failed["term"]) == (1, "cross-entropy of the validation part")


def test_an_altered_failure_is_trained_again(place):
    here = place()
    first = here.train(deep=False, lr=1e30)
    path = here.out / "run-00" / "history.csv"
    path.write_text(path.read_text() + "x")
    assert here.train(deep=False, lr=1e30) == first


def test_a_failed_run_is_evaluated_to_nothing_and_counted(place, broken):
    """From training to the summary: no row of it, no number of it."""
    broken({1})
    here = place()
    here.train(runs=3, deep=False)
    summary = here.evaluate(runs=3, deep=False)
    assert (summary["n_runs"], summary["n_failed"], summary["finished"]) == (3, 1, [0, 2])
    accuracy = summary["metrics"]["accuracy.overall"]
    assert len(accuracy["values"]) == 2 and accuracy["mean"] == pytest.approx(sum(accuracy["values"]) / 2)
    tables = [pd.read_parquet(here.root / "evaluated" / f"run-0{run}" / "predictions.parquet") for run in (0, 1)]
    assert len(tables[0]) == 6 and len(tables[1]) == 0 and tables[1].dtypes.equals(tables[0].dtypes)
    metrics = json.loads((here.root / "evaluated" / "run-01" / "metrics.json").read_text())
    assert (
        metrics["metrics"] is None and metrics["failed"]["epoch"] == 1 and metrics["training"]["weights_sha256"] is None
    )
    assert metrics["training"]["record"]["seed"] == 1


def test_where_no_run_finishes_every_mean_is_missing(place):
    here = place()
    here.train(runs=2, deep=False, lr=1e30)
    summary = here.evaluate(runs=2, deep=False)
    assert (summary["n_failed"], summary["finished"]) == (2, [])
    assert len(summary["metrics"]) > 20
    missing = {"mean": None, "sd": None, "values": [], "interval": None}
    assert all(metric == missing for metric in summary["metrics"].values())
