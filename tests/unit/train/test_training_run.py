import csv
import io
import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load
from tiny_experiment import AFFINITY, CENTER, CLASSES, SAAL, settings

from dsn_saal.data import ResidentImages
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.jobs import TrainJob, parse_job
from dsn_saal.storage.listing import differences
from dsn_saal.train.assemble import derived_generator, new_run, schedule_of
from dsn_saal.train.loop import Schedule, train
from dsn_saal.train.machine import memory_errors, prepare
from dsn_saal.train.tally import Tally

SCHEDULE = Schedule(epochs=120, lr=0.001, rate="steps", milestones=(40, 80), gamma=0.1, batch_size=8)


def rows_of(content, run="run-00"):
    return list(csv.DictReader(io.StringIO(content[f"{run}/history.csv"].decode())))


def record_of(content, run="run-00"):
    return json.loads(content[f"{run}/run.json"])


def test_rate_falls_after_the_milestones_and_batches_keep_or_drop_the_rest():
    assert [SCHEDULE.rate_of(e) for e in (0, 39, 40, 79, 80, 119)] == pytest.approx(
        [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5]
    )
    assert [len(batch) for batch in SCHEDULE.batches(torch.arange(18))] == [8, 8, 2]
    dropping = Schedule(**{**vars(SCHEDULE), "drop_last": True})
    assert [len(batch) for batch in dropping.batches(torch.arange(18))] == [8, 8]
    assert (SCHEDULE.steps(18), dropping.steps(18), dropping.steps(5)) == (3, 2, 1)


def test_dsn_saal_leaves_three_files_per_run_and_a_listing(place, unbroken):
    content = unbroken(runs=2)
    names = [f"run-{run:02d}/{name}" for run in (0, 1) for name in ("history.csv", "run.json", "weights.safetensors")]
    assert sorted(content) == sorted([*names, "SHA256SUMS"])
    assert record_of(content)["seed"] == 0 and record_of(content, "run-01")["seed"] == 1
    assert content["run-00/weights.safetensors"] != content["run-01/weights.safetensors"]
    here = place()
    here.train(runs=2)
    assert here.content() == content and differences(here.out) == [] and not here.state.exists()


def test_history_tells_losses_rates_and_what_was_learned(unbroken):
    rows = rows_of(unbroken(runs=2))
    outputs = [f"loss_{name}" for name in ("side1", "side2", "side3", "side4", "side5", "final")]
    learned = ["alpha", *(f"beta_{i}" for i in range(1, 7)), *(f"w_{name}" for name in CLASSES)]
    assert list(rows[0]) == ["epoch", "lr", "loss", *outputs, "loss_dce", "loss_drce", "train_accuracy", *learned]
    assert [(row["epoch"], float(row["lr"])) for row in rows] == [("1", 0.01), ("2", 0.001)]
    for row in rows:
        numbers = {name: float(value) for name, value in row.items()}
        assert numbers["loss"] == pytest.approx(sum(numbers[name] for name in outputs))
        assert numbers["loss"] == pytest.approx(numbers["loss_dce"] + numbers["loss_drce"])
        assert 0 <= numbers["train_accuracy"] <= 1
    assert len({row["alpha"] for row in rows}) == 2


def test_record_says_what_the_run_was_made_from_and_nothing_of_the_place(place, unbroken):
    record, here = record_of(unbroken(runs=2)), place()
    assert record["counts"] == dict.fromkeys(CLASSES, 6) and record["device"] == "cpu" and record["precision"] == "fp32"
    assert {
        "identity",
        "settings",
        "images_sha256",
        "split_sha256",
        "code",
        "torch",
        "torchvision",
        "numpy",
        "threads",
        "determinism",
        "start",
        "files",
    } <= set(record)
    assert "runs" not in record["settings"]["train"] and 0 < record["start"]["alpha"] < 1
    assert str(here.root.parent) not in json.dumps(record)


def test_weights_are_float32_and_load_into_the_network_of_the_settings(unbroken):
    weights = load(unbroken(deep=False)["run-00/weights.safetensors"])
    job = parse_job(TrainJob, settings(deep=False))
    run = new_run(job, seed=0, counts=(6, 6, 6), machine=prepare("cpu", precision="fp32", threads=1))
    start = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.network.load_state_dict(weights)
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}
    assert all(torch.isfinite(value).all() for value in weights.values())
    assert not torch.equal(weights["classifier.6.weight"], start["classifier.6.weight"])


def test_cross_entropy_history_holds_what_applies(unbroken):
    rows = rows_of(unbroken(deep=False))
    assert list(rows[0]) == ["epoch", "lr", "loss", "loss_final", "train_accuracy"]


def test_center_history_tells_its_two_parts(place):
    rows = rows_of(place().train(loss=CENTER))
    assert {"loss_ce", "loss_center", "loss_side1", "loss_final"} <= set(rows[0])
    for row in rows:
        assert float(row["loss_ce"]) + float(row["loss_center"]) == pytest.approx(float(row["loss"]))
        assert float(row["loss_center"]) > 0


def test_affinities_are_learnt_told_in_two_parts_and_evaluated(place):
    here = place()
    content = here.train(**AFFINITY)
    rows = rows_of(content)
    assert list(rows[0]) == ["epoch", "lr", "loss", "loss_final", "loss_hinge", "loss_spread", "train_accuracy"]
    weights = load(content["run-00/weights.safetensors"])
    assert weights["classifier.6.weight"].shape[:2] == (3, 2) and "classifier.6.bias" not in weights
    job = parse_job(TrainJob, settings(**AFFINITY))
    run = new_run(job, seed=0, counts=(6, 6, 6), machine=prepare("cpu", precision="fp32", threads=1))
    assert not torch.equal(weights["classifier.6.weight"], run.network.state_dict()["classifier.6.weight"])
    assert 0 <= here.evaluate(**AFFINITY)["metrics"]["accuracy.overall"]["mean"] <= 1


def test_affinities_are_learnt_under_autocast(place):
    rows = rows_of(place().train(**AFFINITY, precision="bf16"))
    assert all(math.isfinite(float(row["loss_hinge"])) for row in rows)


def test_center_trains_under_autocast(place):
    rows = rows_of(place().train(loss=CENTER, deep=False, precision="bf16"))
    assert all(float(row["loss_center"]) > 0 for row in rows)


def test_alpha_and_beta_learn_at_their_own_rate():
    """One step without momentum's memory or decay: the raw values move by factor x rate x gradient."""
    moved = {}
    for factor in (1.0, 3.0):
        loss = SAAL | {"lr_alpha_beta": factor, "decay_alpha_beta": False}
        job = parse_job(TrainJob, settings(loss=loss, rate={"kind": "constant"}, epochs=1, batch_size=18))
        machine = prepare("cpu", precision="fp32", threads=1)
        run = new_run(job, seed=0, counts=(6, 6, 6), machine=machine)
        start = {name: value.detach().clone() for name, value in run.loss.named_parameters()}
        first = run.network.classifier[6].weight.detach().clone()
        images = ResidentImages(np.arange(18 * 32 * 32, dtype=np.uint32).astype(np.uint8).reshape(18, 32, 32),
                                device=machine.device, normalise="unit")  # fmt: skip
        labels = torch.arange(3).repeat_interleave(6)
        train(run, images, labels, classes=CLASSES, schedule=schedule_of(job), machine=machine, after_step=id)
        moved[factor] = {name: (value - start[name]).detach() for name, value in run.loss.named_parameters()}
        moved[factor]["network"] = (run.network.classifier[6].weight - first).detach()
        assert run.history[0]["lr"] == job.regimen.lr
    for name in ("raw_alpha", "raw_beta"):
        torch.testing.assert_close(moved[3.0][name], 3 * moved[1.0][name], rtol=1e-12, atol=0)
        assert moved[1.0][name].abs().min() > 0
    assert torch.equal(moved[3.0]["network"], moved[1.0]["network"])


def test_nothing_reads_or_moves_the_global_generator(place):
    torch.manual_seed(1)
    first = place("a").train(deep=False)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert place("b").train(deep=False) == first
    assert torch.equal(torch.get_rng_state(), before)


def test_training_learns_what_can_be_learned(place):
    """Classes of three grey levels: eight epochs must tell them apart, or the optimizer is not connected."""
    rows = rows_of(place().train(deep=False, epochs=8, lr=0.02, rate={"kind": "constant"}))
    assert float(rows[-1]["loss"]) < 0.6 * float(rows[0]["loss"])


def test_permuted_labels_change_the_result_but_not_the_counts(place, unbroken):
    content = place().train(deep=False, labels="permuted")
    assert content["run-00/weights.safetensors"] != unbroken(deep=False)["run-00/weights.safetensors"]
    assert record_of(content)["counts"] == dict.fromkeys(CLASSES, 6)
    draws = [torch.randperm(50, generator=derived_generator(seed, "labels")).tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_the_array_that_the_job_names_is_learned_from(place, unbroken):
    """The same pixels under another name are the same run; what lies beside them does not count."""
    here = place()
    images = np.load(here.images / "images.npy")
    np.save(here.images / "surroundings.npy", images)
    np.save(here.images / "images.npy", 255 - images)
    around = here.train(pixels="surroundings")
    assert around["run-00/weights.safetensors"] == unbroken()["run-00/weights.safetensors"]
    assert record_of(around)["identity"] == record_of(unbroken())["identity"]
    (here.images / "surroundings.npy").unlink()
    with pytest.raises(BadRequest, match="no images"):
        here.train(pixels="surroundings")


def test_last_batch_may_hold_one_image(place):
    rows = rows_of(place().train(batch_size=17))
    assert all(float(row["loss"]) > 0 for row in rows)


def test_tally_names_the_first_broken_term():
    tally = Tally(("dce", "drce"), 3, torch.device("cpu"))
    logits, targets = torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64)
    terms = torch.ones(2, 3, dtype=torch.float64)
    tally.add(terms, logits, targets, 0)
    tally.require_finite(1)
    late, early = terms.clone(), terms.clone()
    early[1, 1], late[0, 2] = float("inf"), float("nan")
    tally.add(early, logits, targets, 4)
    tally.add(late, logits, targets, 6)
    with pytest.raises(CheckFailed) as caught:
        tally.require_finite(3)
    assert "drce of output side2" in caught.value.text() and "epoch 3, step 5" in caught.value.text()


def test_tally_means_count_images_not_batches():
    tally = Tally(("ce",), 1, torch.device("cpu"))
    tally.add(torch.tensor([[1.0]]), torch.tensor([[1.0, 0.0]] * 3), torch.tensor([0, 0, 1]), 0)
    tally.add(torch.tensor([[5.0]]), torch.tensor([[1.0, 0.0]]), torch.tensor([0]), 1)
    assert tally.means(1.0) == {"loss": 2.0, "loss_final": 2.0, "train_accuracy": 0.75}
    tally.reset()
    assert not tally.tensors["terms"].any() and tally.tensors["seen"] == 0


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_lack_of_memory_names_the_batch_size_and_its_key(error):
    with pytest.raises(CheckFailed, match=r"(?s)a training step.*batch size 32.*of the regimen"), memory_errors(32):
        raise error
    predicting = memory_errors(64, step="a step of prediction", key="evaluate.batch_size")
    with pytest.raises(CheckFailed, match=r"(?s)of prediction.*batch size 64.*halve evaluate.batch_size"), predicting:
        raise error


def test_other_errors_keep_their_name():
    with pytest.raises(RuntimeError, match="shape"), memory_errors(32):
        raise RuntimeError("shape mismatch")


def test_devices_that_are_not_there_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BadRequest, match="no such device"):
        prepare("cuda", precision="auto", threads=1)
    with pytest.raises(BadRequest, match="no such device"):
        prepare("abacus", precision="auto", threads=1)
    machine = prepare("auto", precision="auto", threads=1)
    assert (machine.name, machine.precision) == ("cpu", "fp32")


def test_bf16_trains_on_a_cpu_too(place, unbroken):
    content = place().train(precision="bf16", runs=2)
    assert record_of(content)["precision"] == "bf16"
    assert content["run-00/weights.safetensors"] != unbroken(runs=2)["run-00/weights.safetensors"]


def test_decay_of_alpha_and_beta_is_a_choice():
    job = json.loads(settings())
    machine = prepare("cpu", precision="fp32", threads=1)
    for decays in (True, False):
        job["loss"]["decay_alpha_beta"] = decays
        run = new_run(parse_job(TrainJob, json.dumps(job)), seed=0, counts=(6, 6, 6), machine=machine)
        assert [group["weight_decay"] for group in run.optimizer.param_groups] == [5e-4, 5e-4 if decays else 0.0]
        assert sum(len(group["params"]) for group in run.optimizer.param_groups) == len(
            [*run.network.parameters(), *run.loss.parameters()]
        )
    assert schedule_of(parse_job(TrainJob, json.dumps(job))).side_weight == 1.0
