"""Meta-Weight-Net as a method: the step it takes, what it logs, the cases it keeps apart, its interruptions."""

import csv
import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from test_training_resume import KILLER, Interrupt
from tiny_experiment import CLASSES, Place, settings
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dsn_saal.data import ResidentImages
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.models.flops import count_flops
from dsn_saal.params.jobs import TrainJob, parse_job
from dsn_saal.train import meta_loop, single
from dsn_saal.train.assemble import new_run, schedule_of
from dsn_saal.train.checkpoint import write_checkpoint
from dsn_saal.train.machine import prepare
from dsn_saal.train.meta_loop import MetaStep, meta_run
from dsn_saal.train.meta_weight import meta_gradient, weighted_mean
from dsn_saal.train.plan import flops_per_image, plan_experiment

WEIGHT_NET = {
    "hidden": 10,
    "optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": True},
    "lr": 0.1,
    "weight_decay": 5e-4,
}
NETWORK = {"width": 0.25, "weights": "none", "conv1": "sum", "dropout": 0.5, "normalise": "imagenet_grey"}
METHOD = {
    "kind": "meta_weight",
    "regimen": "paper",
    "per_class": 2,
    "cases_per_class": 1,
    "meta_batch": None,
    "normalise": True,
    "weight_net": WEIGHT_NET,
}


def meta(**change):
    """Changes of tiny_experiment.settings for a job of this method."""
    method = METHOD | {key: change.pop(key) for key in list(change) if key in METHOD}
    model = {"backbone": change.pop("backbone", "vgg16_bn"), "deep_supervision": None}
    return {"deep": False, "method": method, "model": model, "epochs": 2} | change


def with_cases(place, case=lambda at: f"case{at // 2}"):
    """Two slices a case: nine training cases, of which three give the meta set."""
    labels = np.repeat(np.arange(3), 8)
    part = np.where(np.arange(24) % 8 < 6, "train", "test")
    cases = [case(at) for at in range(24)]
    place.write_split(pd.DataFrame({"row": np.arange(24), "case": cases, "label": labels, "draw": 0, "part": part}))
    return place


@pytest.fixture
def here(place):
    return lambda name="one", **change: with_cases(place(name), **change)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Results of an unbroken job."""
    return with_cases(Place(tmp_path_factory.mktemp("whole") / "place")).train(**meta(runs=2))


def job_of(**change):
    return parse_job(TrainJob, settings(**meta(**change)))


def fresh(job, *, seed=0, precision="fp32", normalise=True, batch_size=99):
    """A run, its step and a batch, on random images."""
    machine = prepare("cpu", precision=precision, threads=1)
    run = meta_run(new_run(job, seed=seed, counts=(4, 4, 4), machine=machine), job.method, n_classes=3, machine=machine)
    pixels = np.random.default_rng(0).integers(0, 255, (6, 32, 32)).astype(np.uint8)
    held = ResidentImages(pixels, device=machine.device, normalise="imagenet_grey")
    step = MetaStep(held, torch.tensor([0, 0, 1, 1, 2, 2]), batch_size, normalise)
    batch = torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([0, 1, 2, 0, 0, 1, 1, 2])
    run.network.train()
    return run, step, batch.contiguous(memory_format=machine.memory_format), targets, machine


@pytest.mark.parametrize("normalise", [True, False])
def test_a_step_is_the_official_sequence_of_updates(normalise):
    """The weight net descends the meta-gradient, then the classifier the loss with the weights as they are then."""
    job = job_of(backbone="resnet32", normalise=normalise, network=NETWORK)
    run, step, batch, targets, machine = fresh(job, normalise=normalise)
    twin = fresh(job, normalise=normalise)[0]
    step(run, batch, targets, schedule_of(job), machine)
    meta_batch = step.images.batch(torch.arange(6)), step.labels
    gradient, meta_loss = meta_gradient(
        twin.network, twin.weight_net, (batch, targets), meta_batch, lr=job.regimen.lr, normalise=normalise
    )
    with torch.no_grad():
        for name, value in twin.weight_net.named_parameters():
            slope = gradient[name] + 5e-4 * value  # the first Nesterov step is (1 + momentum) times the slope
            value -= 0.1 * 1.9 * slope
            torch.testing.assert_close(dict(run.weight_net.named_parameters())[name], value, rtol=1e-5, atol=1e-8)
    losses = functional.cross_entropy(twin.network(batch)[-1], targets, reduction="none")
    weights = twin.weight_net(losses.detach()).detach()
    ((losses * weights).sum() / weights.sum() if normalise else (losses * weights).mean()).backward()
    for name, value in twin.network.named_parameters():
        moved = value.detach() - 0.01 * (value.grad + 5e-4 * value.detach())
        torch.testing.assert_close(run.network.get_parameter(name).detach(), moved, rtol=1e-4, atol=1e-6, msg=name)
    # Running means saw the training batch once: neither the virtual step nor the meta set is in them.
    assert all(torch.allclose(run.network.get_buffer(n), b) for n, b in twin.network.named_buffers())
    assert run.sums["meta_loss"].item() == pytest.approx(meta_loss.item(), rel=1e-6)
    assert run.sums["images"].tolist() == [3, 3, 2]
    per_class = [weights[targets == label].sum().item() for label in range(3)]
    assert run.sums["weights"].tolist() == pytest.approx(per_class, rel=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_dropout_and_autocast_work_inside_and_repeat_themselves(precision):
    job, states = job_of(), []
    random = torch.get_rng_state()
    for _ in range(2):
        run, step, batch, targets, machine = fresh(job, precision=precision, batch_size=4)
        assert any(module.p == 0.5 for module in run.network.modules() if hasattr(module, "p"))
        drawn = run.generators["order"].get_state()
        for _ in range(2):
            step(run, batch, targets, schedule_of(job), machine)
        assert not torch.equal(run.generators["order"].get_state(), drawn)
        states.append({name: value for name, value in run.tensors().items() if name != "order"})  # not drawn yet
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert all(torch.isfinite(value).all() for value in states[0].values())
    assert torch.equal(torch.get_rng_state(), random)


def test_no_meta_case_is_learnt_from_and_the_record_says_what_left(here, whole):
    record = json.loads(whole["run-00/run.json"])
    assert record["counts"] == dict.fromkeys(CLASSES, 4) and record["cases"] == dict.fromkeys(CLASSES, 2)
    assert record["meta_set"] == {
        "unit": "case",
        "counts": dict.fromkeys(CLASSES, 2),
        "cases": dict.fromkeys(CLASSES, 1),
        "slices_set_aside": 6,
    }
    assert record["initialisation"] == "random initialisation"


def test_what_is_learnt_from_is_neither_meta_nor_test(here, monkeypatch):
    place, seen = here(), {}

    def spy(run, images, labels, **options):
        seen["train"], seen["meta"] = images.pixels, options["step"].images.pixels
        raise Interrupt

    monkeypatch.setattr(single, "train", spy)
    with pytest.raises(Interrupt):
        place.train(**meta())
    pixels = torch.from_numpy(np.load(place.images / "images.npy")).unsqueeze(1)

    def rows(chosen):
        return {next(at for at in range(24) if torch.equal(pixels[at], image)) for image in chosen}

    train, held, test = rows(seen["train"]), rows(seen["meta"]), {at for at in range(24) if at % 8 >= 6}
    assert (len(train), len(held)) == (12, 6) and not (train | held) & test
    assert not {at // 2 for at in train} & {at // 2 for at in held}


def test_runs_draw_meta_sets_of_their_own(whole):
    assert whole["run-00/weights.safetensors"] != whole["run-01/weights.safetensors"]


def test_history_says_meta_loss_and_weights(whole):
    rows = list(csv.DictReader(io.StringIO(whole["run-00/history.csv"].decode())))
    assert len(rows) == 2 and all(0 < float(row[f"w_{name}"]) < 1 for row in rows for name in CLASSES)
    assert all(float(row["meta_loss"]) > 0 and 0 <= float(row["train_accuracy"]) <= 1 for row in rows)


def test_unknown_cases_leave_by_slice_and_the_record_says_so(here):
    record = json.loads(here(case=lambda at: "").train(**meta())["run-00/run.json"])
    assert record["meta_set"]["unit"] == "slice" and record["counts"] == dict.fromkeys(CLASSES, 4)


def test_too_few_cases_are_refused(here):
    with pytest.raises(CheckFailed, match="too few training cases"):
        here().train(**meta(cases_per_class=3))


def test_divergence_is_named_and_kept(here):
    content = here().train(**meta(lr=1e30))
    failed = json.loads(content["run-00/failed.json"])
    assert failed["epoch"] == 1 and failed["term"] and "run-00/weights.safetensors" not in content


def broken_at(step, breaks):
    """A meta gradient whose `step`, from 1, is broken by `breaks` of the gradient and the meta loss."""
    steps = []

    def broken(*args, **options):
        steps.append(1)
        gradient, loss = meta_gradient(*args, **options)
        return breaks(gradient, loss) if len(steps) == step else (gradient, loss)

    return broken


BREAKS = {
    "meta loss": lambda gradient, loss: (gradient, loss * torch.inf),
    "meta gradient": lambda gradient, loss: ({**gradient, "second.bias": gradient["second.bias"] * torch.nan}, loss),
}


@pytest.mark.parametrize("term", BREAKS)
@pytest.mark.parametrize("step", [1, 2, 4])
def test_divergence_names_the_step_and_the_term_that_broke_first(here, monkeypatch, term, step):
    """Batches of two: six steps an epoch. A broken gradient breaks the training loss of the very same step."""
    monkeypatch.setattr(meta_loop, "meta_gradient", broken_at(step, BREAKS[term]))
    failed = json.loads(here().train(**meta(batch_size=2))["run-00/failed.json"])
    assert (failed["epoch"], failed["step"], failed["term"]) == (1, step, term)


def test_a_training_loss_that_broke_before_the_meta_loss_is_named(here, monkeypatch):
    calls = []

    def burst(losses, weights, *, normalise):
        calls.append(1)  # the second call of a step is that of the real step
        return weighted_mean(losses, weights, normalise=normalise) * (torch.inf if len(calls) == 4 else 1)

    monkeypatch.setattr(meta_loop, "weighted_mean", burst)
    monkeypatch.setattr("dsn_saal.train.meta_weight.weighted_mean", burst)
    failed = json.loads(here().train(**meta(batch_size=2))["run-00/failed.json"])
    assert (failed["epoch"], failed["step"], failed["term"]) == (1, 2, "ce of output final")


@pytest.mark.parametrize("steps", range(1, 5))
def test_interrupted_after_any_step(here, whole, monkeypatch, steps):
    place, done = here(), []

    def write_then_stop(path, run, identity):
        write_checkpoint(path, run, identity)
        done.append((run.epoch, run.step))
        if len(done) == steps:
            raise Interrupt

    monkeypatch.setattr(single, "write_checkpoint", write_then_stop)
    with pytest.raises(Interrupt):
        place.train(checkpoint_seconds=0, **meta(runs=2))
    assert done[-1] == ((steps - 1) // 2, (steps - 1) % 2 + 1)
    monkeypatch.setattr(single, "write_checkpoint", write_checkpoint)
    assert place.train(**meta(runs=2)) == whole and not place.state.exists()


def test_killed_and_started_again(here, whole):
    place = here()
    arguments = [*place.arguments(), "--checkpoint-seconds", "0", "--settings", settings(**meta(runs=2))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for kind in ("lost steps", "half a checkpoint"):
        ended = subprocess.run(
            [sys.executable, "-c", KILLER, kind, *arguments], capture_output=True, text=True, env=environment
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert place.train(**meta(runs=2)) == whole


class Counter(TorchDispatchMode):
    """Operations by torch's own formulas; its ready-made counter cannot look into torch.func."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func._overloadpacket in flop_registry:
            self.total += flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=out)
        return out


def test_operations_are_those_that_torch_counts():
    """Eight training images with six meta images, as the plan divides them."""
    job = job_of(backbone="resnet32", network=NETWORK)
    run, step, batch, targets, machine = fresh(job)
    flops = count_flops(run.network, 32)
    with Counter() as counter:
        step(run, batch, targets, schedule_of(job), machine)
    assert flops_per_image(job, flops) * 8 == pytest.approx(counter.total, rel=0.02)


def test_a_plan_measures_its_step(here):
    place = here()
    plan = plan_experiment(job_of(), place.places(), device="cpu", measure=True)
    job = parse_job(TrainJob, settings(deep=False))
    plain = plan_experiment(job, place.places(), device="cpu", measure=False)
    assert plan.hours > 0 and 3.5 < plan.flops / plain.flops < 5
