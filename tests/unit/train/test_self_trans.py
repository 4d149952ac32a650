"""Runs of Self-Trans: what they see, what they leave, and that no interruption changes a bit."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from safetensors.torch import save_file
from tiny_experiment import PLAIN, REGIMEN, SELECTING, Place, settings

from dsn_saal.cli import main
from dsn_saal.domain.errors import BadRequest
from dsn_saal.models.flops import count_flops
from dsn_saal.params.jobs import TrainJob, parse_job
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.listing import sha256_of
from dsn_saal.train import checkpoint, progress, single
from dsn_saal.train.checkpoint import write_checkpoint
from dsn_saal.train.plan import plan_experiment
from dsn_saal.train.pretrain import encoder_of

AUGMENTATION = {"crop_area": [0.5, 1.0], "flip": 0.5, "jitter": 0.2, "jitter_share": 1.0, "blur_share": 0.5}
CONTRAST = REGIMEN | {"rate": {"kind": "cosine"}, "augmentation": AUGMENTATION, "drop_last": True}
METHOD = {
    "kind": "self_trans",
    "regimen": "paper",
    "contrast": {"dim": 5, "queue": 12, "key_momentum": 0.9, "temperature": 0.07, "mlp_head": True},
    "unlabelled": ["other"],
    "input_normalise": None,
    "unlabelled_regimen": "contrast",
    "target_regimen": "contrast",
}
PHASES = [{"on": "unlabelled", "regimen": CONTRAST}, {"on": "training_part", "regimen": CONTRAST | {"epochs": 1}}]
PLAIN_VGG = {"backbone": "vgg16_bn", "deep_supervision": None}
SELF_TRANS = {"loss": PLAIN, "method": METHOD, "phases": PHASES, "model": PLAIN_VGG}


class Beside(Place):
    """A place with an unlabelled data set and its certificate."""

    def __init__(self, root):
        super().__init__(root)
        self.other = root / "other"
        self.other.mkdir()
        pixels = np.random.default_rng(1).integers(0, 200, (9, 32, 32)).astype(np.uint8)
        np.save(self.other / "images.npy", pixels)
        self.proof = root / "other.certificate.json"
        self.certify("PROVEN")

    def certify(self, verdict, **change):
        findings = [{"name": "near_duplicate: a = other/b"}] if verdict == "VIOLATED" else []
        level = {"verdict": verdict, "found": len(findings), "missing": 0, "findings": findings}
        certified = {
            "images_sha256": sha256_of(self.images / "images.npy"),
            "split_sha256": sha256_of(self.split),
            "unlabelled_sha256": sha256_of(self.other / "images.npy"),
        }
        write_json(
            self.proof, {"verdict": verdict, "levels": {"near_duplicate": level}, "certified": certified | change}
        )

    def arguments(self):
        named = ["--unlabelled", f"other={self.other}", "--unlabelled-certificate", f"other={self.proof}"]
        return [*super().arguments(), *named]

    def pretrain(self, *, checkpoint_seconds=60.0, **change):
        arguments = [*self.arguments(), "--checkpoint-seconds", str(checkpoint_seconds)]
        return main([*arguments, "--settings", settings(**(SELF_TRANS | change))])


@pytest.fixture
def beside(tmp_path):
    return lambda name="one": Beside(tmp_path / name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    here = Beside(tmp_path_factory.mktemp("whole") / "place")
    assert here.pretrain(runs=2) == 0
    return here.content()


def test_a_run_leaves_its_contrastive_epochs_and_says_what_it_saw(whole):
    lines = whole["run-00/pretraining.csv"].decode().splitlines()
    assert lines[0] == "epoch,phase,lr,loss,own_key_first"
    rows = [line.split(",") for line in lines[1:]]
    assert [row[:3] for row in rows] == [["1", "1", "0.01"], ["2", "1", "0.005"], ["3", "2", "0.01"]]
    assert all(0 < float(row[3]) < 20 for row in rows)
    record = json.loads(whole["run-00/run.json"])
    assert record["phases"] == [
        {"on": "unlabelled", "images": 9, "epochs": 2},
        {"on": "training_part", "images": 18, "epochs": 1},
    ]
    assert len(record["unlabelled_sha256"]["other"]) == 64
    assert set(record["files"]) == {"weights.safetensors", "history.csv", "pretraining.csv"}
    assert "run-01/pretraining.csv" in whole["SHA256SUMS"].decode()
    assert whole["run-00/pretraining.csv"] != whole["run-01/pretraining.csv"]


class Interrupt(Exception):
    """Stands for the end of the process inside a test."""


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 10])
def test_interrupted_in_any_phase_it_goes_on_to_the_same_bytes(beside, whole, monkeypatch, capsys, steps):
    here, done = beside(), []

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        done.append((path.name, run.epoch, run.step))
        if len(done) == steps:
            raise Interrupt

    monkeypatch.setattr(single, "write_checkpoint", write_then_stop)
    with pytest.raises(Interrupt):
        here.pretrain(checkpoint_seconds=0, runs=2)
    # 9 unlabelled slices give one whole batch of 8 an epoch, 18 of the training part two; a last write ends the phases.
    places = [("encoders", 0, 1), ("encoders", 1, 1), ("encoders", 2, 1), ("encoders", 2, 2), ("encoders", 3, 0)]
    places += [("checkpoint", epoch, step) for epoch in range(2) for step in (1, 2, 3)]
    name, epoch, step = places[steps - 1]
    assert done[-1] == (f"{name}.safetensors", epoch, step) and not here.out.exists()
    monkeypatch.setattr(single, "write_checkpoint", write_checkpoint)
    assert here.pretrain(runs=2) == 0
    assert here.content() == whole and not here.state.exists()
    assert ("goes on at pretraining epoch" in capsys.readouterr().err) == (steps < 5)


def test_its_last_epochs_vote_and_a_kill_between_them_changes_nothing(beside, whole, monkeypatch):
    here, broken, done = beside("here"), beside("broken"), []
    assert here.pretrain(runs=2, vote_epochs=2) == 0
    content = here.content()
    assert content["run-01/weights.safetensors"] == whole["run-01/weights.safetensors"]
    record = json.loads(content["run-01/run.json"])
    names = {"weights_epoch_001.safetensors", "weights.safetensors", "history.csv", "pretraining.csv"}
    assert set(record["files"]) == names and record["voting_epochs"] == [1, 2]

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        done.append((path.name, run.epoch))
        if done[-1] == ("checkpoint.safetensors", 1):
            raise Interrupt

    with monkeypatch.context() as patched, pytest.raises(Interrupt):
        patched.setattr(single, "write_checkpoint", write_then_stop)
        broken.pretrain(checkpoint_seconds=0, runs=2, vote_epochs=2)
    assert broken.pretrain(runs=2, vote_epochs=2) == 0
    assert broken.content() == content


KILLER = textwrap.dedent(
    """
    import os, signal, sys
    import dsn_saal.train.single as single
    from dsn_saal.cli import main

    seen, after, write_checkpoint = 0, int(sys.argv[1]), single.write_checkpoint

    def every_second(path, run, identity):  # the step after a checkpoint is lost
        global seen
        seen += 1
        if seen % 2 == 0:
            write_checkpoint(path, run, identity)
        if seen == after:
            os.kill(os.getpid(), signal.SIGKILL)

    single.write_checkpoint = every_second
    sys.exit(main(sys.argv[2:]))
    """
)


def test_real_kills_in_each_phase(beside, whole):
    here = beside()
    change = SELF_TRANS | {"runs": 2}
    arguments = [*here.arguments(), "--checkpoint-seconds", "0", "--settings", settings(**change)]
    for after in (3, 3, 3, 3):  # in the second phase, between the two trainings, and twice among the labels
        ended = subprocess.run(
            [sys.executable, "-c", KILLER, str(after), *arguments],
            capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert here.pretrain(runs=2) == 0
    assert here.content() == whole


def test_altered_pretraining_history_is_made_again(beside, whole):
    here = beside()
    assert here.pretrain(runs=2) == 0
    (here.out / "run-01" / "pretraining.csv").write_text("epoch\n")
    assert here.pretrain(runs=2) == 0
    assert here.content() == whole


def test_slices_that_are_tested_never_enter(beside, whole):
    here = beside()
    images = np.load(here.images / "images.npy")
    images[np.arange(24) % 8 >= 6] = 255
    np.save(here.images / "images.npy", images)
    here.certify("PROVEN")
    assert here.pretrain(runs=2) == 0
    content = here.content()
    for name in ("weights.safetensors", "pretraining.csv", "history.csv"):
        assert content[f"run-00/{name}"] == whole[f"run-00/{name}"]
    images[0] = 255  # whereas one of the training part does
    np.save(here.images / "images.npy", images)
    here.certify("PROVEN")
    assert here.pretrain(runs=2) == 0
    assert here.content()["run-00/pretraining.csv"] != whole["run-00/pretraining.csv"]


def test_unlabelled_slices_enter_and_labels_do_not(beside, whole):
    here = beside()
    assert here.pretrain(runs=2, labels="permuted") == 0
    content = here.content()
    assert content["run-00/pretraining.csv"] == whole["run-00/pretraining.csv"]
    assert content["run-00/history.csv"] != whole["run-00/history.csv"]
    np.save(here.other / "images.npy", np.load(here.other / "images.npy")[::-1])
    here.certify("PROVEN")
    assert here.pretrain(runs=2) == 0
    assert here.content()["run-00/pretraining.csv"] != whole["run-00/pretraining.csv"]


def test_the_classifier_starts_from_the_encoder(beside, monkeypatch):
    here, started = beside(), {}

    def look(run, *args, **kwargs):
        started.update({name: value.clone() for name, value in run.network.state_dict().items()})
        raise Interrupt

    encoders, pretrain = [], single.pretrain
    monkeypatch.setattr(
        single, "pretrain", lambda run, *args, **named: encoders.append(run) or pretrain(run, *args, **named)
    )
    monkeypatch.setattr(single, "train", look)
    with pytest.raises(Interrupt):
        here.pretrain()
    query = encoders[0].query.state_dict()
    shared = [name for name in started if name in query]
    assert len(shared) > 80 and all((started[name] == query[name]).all() for name in shared)
    assert {name for name in started if name not in query} == {"classifier.6.weight", "classifier.6.bias"}


def test_without_unlabelled_sets_the_training_part_alone_comes_first(place):
    here = place()
    content = here.train(**SELF_TRANS | {"method": METHOD | {"unlabelled": []}, "phases": PHASES[1:]})
    assert [line.split(",")[1] for line in content["run-00/pretraining.csv"].decode().split()[1:]] == ["1"]


def test_what_is_certified_to_leak_is_refused_and_accepted_by_name(beside, whole, capsys):
    here = beside()
    here.certify("VIOLATED")
    assert here.pretrain(runs=2) == 1
    said = capsys.readouterr().err
    assert "slices of other are in the test part" in said and "near_duplicate: a = other/b" in said
    assert not here.out.exists() and not here.state.exists()
    assert here.pretrain(runs=2, accept=["near_duplicate: a = other/b", "sop"]) == 0
    assert here.content() == whole
    said = capsys.readouterr().err
    assert "certificate: sop" in said and "certificate: near_duplicate" not in said


@pytest.mark.parametrize("key", ["images_sha256", "split_sha256", "unlabelled_sha256"])
def test_a_certificate_of_other_files_is_refused(beside, capsys, key):
    here = beside()
    here.certify("PROVEN", **{key: "0" * 64})
    assert here.pretrain() == 1
    assert key in capsys.readouterr().err


def test_the_unlabelled_sets_are_those_of_the_method(beside, place, capsys):
    here = beside()
    assert main([*here.arguments()[:-2], "--settings", settings(**SELF_TRANS)]) == 2
    assert "--unlabelled-certificate" in capsys.readouterr().err
    assert main([*here.arguments(), "--settings", settings(deep=False)]) == 2
    with pytest.raises(BadRequest, match="missing: other\n  where: --unlabelled"):
        place("bare").train(**SELF_TRANS)
    here.proof.unlink()
    assert here.pretrain() == 2
    assert "dsn-saal certify" in capsys.readouterr().err
    np.save(here.other / "images.npy", np.zeros((3, 64, 64), np.uint8))
    here.certify("PROVEN")
    assert here.pretrain() == 1
    assert "64, not 32 pixels" in capsys.readouterr().err


def test_a_plan_counts_the_contrastive_phases(beside):
    here = beside()
    job = parse_job(TrainJob, settings(**SELF_TRANS))
    places = here.places(here.other)
    plan = plan_experiment(job, places, device="cpu", measure=False)
    flops = count_flops(encoder_of(job, job.method.contrast, None, "none"), 32)
    assert plan.pretraining_flops == (2 * 9 + 1 * 18) * (flops.training + flops.forward)
    assert plan.flops == pytest.approx(2 * 18 * plan.flops_per_image + plan.pretraining_flops, rel=1e-12)
    (here.other / "images.npy").unlink()
    assert plan_experiment(job, places, device="cpu", measure=False).flops is None


def test_a_run_that_diverges_in_a_phase_is_written_down_as_failed(beside, capsys):
    here = beside()
    phases = [PHASES[0] | {"regimen": CONTRAST | {"lr": 1e30}}, PHASES[1]]
    assert here.pretrain(phases=phases) == 0
    assert "diverged at epoch 2" in capsys.readouterr().err
    content = here.content()
    assert set(content) == {"SHA256SUMS", "run-00/failed.json", "run-00/pretraining.csv"}
    failed = json.loads(content["run-00/failed.json"])
    assert failed["term"] == "contrast of output final" and set(failed["files"]) == {"pretraining.csv"}
    assert here.pretrain(phases=phases) == 0
    assert "there already, diverged" in capsys.readouterr().err and here.content() == content


def test_dropped_weights_leave_the_contrastive_epochs(beside, whole):
    here = beside()
    assert here.pretrain(runs=2, keep_weights="none") == 0
    content = here.content()
    assert content["run-01/pretraining.csv"] == whole["run-01/pretraining.csv"]
    assert "run-01/weights.safetensors" not in content
    record = json.loads(content["run-01/run.json"])
    assert "pretraining.csv" in record["files"] and "test_logits.safetensors" in record["files"]


def test_held_out_slices_never_enter(beside):
    here = beside()
    assert here.pretrain(**SELECTING) == 0
    phases = json.loads(here.content()["run-00/run.json"])["phases"]
    assert phases[0]["images"] == 9 and phases[1]["images"] < 18


def test_a_torn_checkpoint_of_the_classifier_leaves_the_encoders(beside, whole, monkeypatch, capsys):
    here, done = beside(), []

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        done.append(path)
        if len(done) == 7:  # the second one of the classifier
            raise Interrupt

    with monkeypatch.context() as patched, pytest.raises(Interrupt):
        patched.setattr(single, "write_checkpoint", write_then_stop)
        here.pretrain(checkpoint_seconds=0, runs=2)
    assert done[-1].name == "checkpoint.safetensors"
    done[-1].write_bytes(done[-1].read_bytes()[:-9])
    assert here.pretrain(runs=2) == 0
    told = capsys.readouterr().err
    assert "checkpoint.safetensors of run-00 cannot be read (" in told and "run-00.discarded" in told
    assert "goes on" not in told and here.content() == whole and not here.state.exists()


def test_the_peak_of_a_plan_counts_the_encoders(beside, monkeypatch):
    here, seen = beside(), []
    network = {"width": 0.25, "weights": "none", "conv1": "sum", "dropout": 0.5, "normalise": "imagenet_grey"}

    def watched(tensors, part, metadata):
        save_file(tensors, part, metadata=metadata)
        seen.append(sum(path.stat().st_size for path in here.state.rglob("*") if path.is_file()))

    monkeypatch.setattr(checkpoint, "save_file", watched)
    assert here.pretrain(checkpoint_seconds=0, runs=2, network=network) == 0
    job = parse_job(TrainJob, settings(**SELF_TRANS, runs=2, network=network))
    plan = plan_experiment(job, here.places(here.other), device="cpu", measure=False)
    assert plan.done == 2 and plan.peak_bytes == pytest.approx(max(seen), rel=0.02)


def test_pretraining_tells_its_total_and_the_time_left(beside, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_SECONDS", -1.0)
    assert beside().pretrain(runs=2) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "epoch" in line]
    assert [line.split(", ")[1] for line in lines[:4]] == [f"pretraining epoch {epoch}/3" for epoch in (1, 2, 3, 3)]
    assert len(lines) == 20 and all(re.search(r"\d images/s, \d+:\d\d:\d\d left$", line) for line in lines)
