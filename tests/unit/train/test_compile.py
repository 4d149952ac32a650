"""Compiling changes how fast a network answers: not its names, not its answers beyond rounding, not its checkpoints."""

import pytest
import torch
from tiny_experiment import settings

from dsn_saal.domain.errors import BadRequest
from dsn_saal.models import build_network, read_weights, set_dropout_generator, write_weights
from dsn_saal.params.jobs import TrainJob, network_arguments, parse_job
from dsn_saal.train import recipe
from dsn_saal.train.assemble import new_run
from dsn_saal.train.machine import prepare
from dsn_saal.train.recipe import compile_network

JOB = parse_job(TrainJob, settings(deep=False))


def network(compiled):
    generator = torch.Generator().manual_seed(2)
    made = build_network(**network_arguments(JOB), generator=generator)
    set_dropout_generator(made, generator)
    if compiled:
        compile_network(made, backend="aot_eager")  # what inductor is given, without its C++: seconds, not minutes
    return made.train()


def test_a_compiled_network_has_the_same_state_the_same_answers_and_the_same_gradients(tmp_path):
    torch.use_deterministic_algorithms(True)
    plain, compiled = network(False), network(True)
    assert list(plain.state_dict()) == list(compiled.state_dict())
    images = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    for made in (plain, compiled):
        made(images)[-1].square().sum().backward()
    for (name, one), other in zip(plain.named_parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6, msg=name)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0  # it was compiled at all
    write_weights(tmp_path / "w.safetensors", compiled)
    fresh = network(False)
    read_weights(tmp_path / "w.safetensors", fresh)
    torch.testing.assert_close(fresh.eval()(images)[-1], plain.eval()(images)[-1], rtol=1e-4, atol=1e-6)


def test_the_param_compiles_the_run_s_network_with_inductor(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **how: asked.append(how))
    monkeypatch.setattr(recipe.shutil, "which", lambda name: name)
    machine = prepare("cpu", precision="fp32", threads=1)
    for compiles in (True, False):
        job = parse_job(TrainJob, settings(deep=False, compile=compiles))
        new_run(job, seed=0, counts=(6, 6, 6), machine=machine)
    assert asked == [{"backend": "inductor", "dynamic": False}]


def test_without_a_compiler_the_key_is_named(monkeypatch):
    monkeypatch.setattr(recipe.shutil, "which", lambda name: None)
    with pytest.raises(BadRequest, match=r"(?s)C\+\+ compiler.*train\.compile"):
        compile_network(network(False))
