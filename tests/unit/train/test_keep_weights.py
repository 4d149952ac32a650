"""Runs whose weights are not kept leave their logits, and the same predictions to the last byte."""

import csv
import io
import json

import pandas as pd
import pytest
from safetensors.numpy import load, save_file
from tiny_experiment import SELECTING, settings

from dsn_saal.cli import main
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.params.jobs import TrainJob, parse_job
from dsn_saal.storage.listing import differences, write_listing
from dsn_saal.train import single
from dsn_saal.train.keep import runs_to_keep
from dsn_saal.train.results import FinishedRun, read_run

WEIGHTS, LOGITS = "weights.safetensors", "test_logits.safetensors"


def with_weights(content):
    return sorted(name.split("/")[0] for name in content if name.endswith(WEIGHTS))


def with_logits(content):
    return sorted(name.split("/")[0] for name in content if name.endswith(LOGITS))


def last_loss(content, run):
    return float(list(csv.DictReader(io.StringIO(content[f"{run}/history.csv"].decode())))[-1]["loss"])


@pytest.mark.parametrize("deep", [True, False])
def test_predictions_are_the_same_bytes_with_and_without_weights(place, deep):
    """Three images a step do not divide the six test slices of a batch of four: the last batch is another size."""
    whole, slim = place("whole"), place("slim")
    whole.train(runs=2, deep=deep)
    content = slim.train(runs=2, deep=deep, keep_weights="none")
    assert with_weights(content) == [] and with_logits(content) == ["run-00", "run-01"]
    for predict_from in ("final", "mean_softmax"):
        for here in (whole, slim):
            here.evaluate(runs=2, deep=deep, predict_from=predict_from)
        names = [f"run-0{run}/{file}" for run in (0, 1) for file in ("predictions.parquet", "metrics.json")]
        for name in [*names, "summary.json"]:
            assert (slim.root / "evaluated" / name).read_bytes() == (whole.root / "evaluated" / name).read_bytes(), name


def test_logits_bear_their_rows_and_are_of_all_outputs(place):
    here = place()
    content = here.train(keep_weights="none")
    held = load(content[f"run-00/{LOGITS}"])
    assert held["logits"].shape == (6, 6, 3) and held["logits"].dtype == "float32"
    assert held["rows"].tolist() == [row for row in range(24) if row % 8 >= 6]
    assert differences(here.out) == [] and not here.state.exists()


def test_the_median_by_training_loss_keeps_its_weights(place, unbroken):
    whole = unbroken(runs=3)
    runs = sorted((f"run-0{run}" for run in range(3)), key=lambda run: last_loss(whole, run))
    content = place().train(runs=3, keep_weights="median")
    assert with_weights(content) == [runs[1]] and with_logits(content) == sorted([runs[0], runs[2]])
    assert content[f"{runs[1]}/{WEIGHTS}"] == whole[f"{runs[1]}/{WEIGHTS}"]
    record = json.loads(content[f"{runs[0]}/run.json"])
    assert record["weights_sha256"] == json.loads(whole[f"{runs[0]}/run.json"])["files"][WEIGHTS]


class Lost(FinishedRun):
    def training_loss(self):
        return self.record["loss"]


@pytest.mark.parametrize(
    ("losses", "failed", "kept"),
    [
        ([3.0, 1.0, 2.0], (), {"run-2"}),
        ([4.0, 1.0, 2.0, 3.0], (), {"run-2"}),  # the lower middle
        ([1.0, 1.0, 1.0], (), {"run-1"}),
        ([3.0, 1.0, 2.0], (2,), {"run-1"}),
        ([3.0], (0,), set()),
    ],
)
def test_who_is_the_median(tmp_path, losses, failed, kept):
    runs = {f"run-{n}": Lost(tmp_path, {"loss": loss}, n in failed) for n, loss in enumerate(losses)}
    assert runs_to_keep("median", runs) == kept and runs_to_keep("none", runs) == set()
    assert runs_to_keep("all", runs) == {name for name, run in runs.items() if not run.failed}


def test_the_loss_of_a_run_is_that_of_the_epoch_whose_weights_it_has(place):
    here = place()
    content = here.train(**SELECTING, deep=False, epochs=3)
    record = json.loads(content["run-00/run.json"])
    rows = list(csv.DictReader(io.StringIO(content["run-00/history.csv"].decode())))
    assert read_run(here.out / "run-00").training_loss() == float(rows[record["selected_epoch"] - 1]["loss"])


def test_what_is_kept_is_no_part_of_the_identity_and_dropping_trains_nothing(place, unbroken, monkeypatch):
    here, trained = place(), []
    here.train(runs=3)
    monkeypatch.setattr("dsn_saal.train.experiment.train_run", lambda *a: trained.append(a))
    content = here.train(runs=3, keep_weights="median")
    assert (
        trained == []
        and len(with_weights(content)) == 1
        and len(with_logits(content)) == 2
        and differences(here.out) == []
    )
    assert here.train(runs=3, keep_weights="median") == content


def test_weights_that_are_wanted_again_are_trained_again_to_the_same_bytes(place, unbroken, capsys):
    here = place()
    here.train(runs=3, keep_weights="none")
    assert here.train(runs=3) == unbroken(runs=3)
    assert "it is trained again" in capsys.readouterr().err


def test_killed_while_weights_are_dropped(place, monkeypatch):
    whole = place("whole").train(runs=3, keep_weights="none")

    class Killed(Exception):
        pass

    from dsn_saal.train import experiment

    drop, dropped = experiment.drop_weights, []

    def half(*args):
        if dropped:
            raise Killed
        dropped.append(drop(*args))

    here = place("here")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(experiment, "drop_weights", half)
        here.train(runs=3, keep_weights="none")
    assert not here.out.exists()
    monkeypatch.setattr(single, "train", None)  # nothing may be trained any more
    assert here.train(runs=3, keep_weights="none") == whole


def test_altered_logits_are_not_trusted(place):
    here = place()
    here.train(keep_weights="none", deep=False)
    path = here.out / "run-00" / LOGITS
    held = load(path.read_bytes())
    save_file({**held, "rows": held["rows"][::-1].copy()}, path)
    with pytest.raises(CheckFailed, match=r"test_logits\.safetensors was altered"):
        here.evaluate(deep=False)
    write_listing(here.out)
    with pytest.raises(CheckFailed, match="other slices"):
        here.evaluate(deep=False)


def test_a_split_without_a_test_part_is_refused_before_training(place):
    here = place()
    here.write_split(pd.read_parquet(here.split).assign(part="train"))
    with pytest.raises(CheckFailed, match="no test slice"):
        here.train(keep_weights="none")
    assert not here.state.exists()


def test_the_command_prints_the_disk(capsys):
    assert main(["train", "--plan", "--experiment", "vgg16_bn_ce"]) == 0
    printed = capsys.readouterr().out
    assert "peak MB" in printed and "train.keep_weights: all" in printed


def test_a_job_that_predicts_knows_the_batch_size():
    assert parse_job(TrainJob, settings(keep_weights="none")).predict_batch == 4
    assert parse_job(TrainJob, settings()).predict_batch is None
