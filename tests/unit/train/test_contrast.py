"""Momentum contrast against lists, hand values and torch's own cross-entropy."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from dsn_saal.models import BACKBONES, build_network
from dsn_saal.models.projection import load_body, project
from dsn_saal.train.contrast import Contrast, Queue, contrast_logits, contrast_step, follow
from dsn_saal.train.machine import prepare
from dsn_saal.train.tally import Tally


def test_queue_keeps_the_latest_keys_and_overwrites_the_oldest():
    queue, places, written = Queue(2, 7, torch.device("cpu")), [None] * 7, 0
    for count in (3, 3, 3, 7, 1, 2, 5, 6):  # fits, fits, wraps by two, a whole turn, ...
        keys = torch.arange(written, written + count).float()
        queue.enqueue(torch.stack([keys, -keys], dim=1))
        for number in range(written, written + count):
            places[number % 7] = number
        written += count
        assert int(queue.pointer) == written % 7
        held = [None if place is None else float(place) for place in places]
        assert [float(key) for key, place in zip(queue.keys[0], held, strict=True) if place is not None] == [
            place for place in held if place is not None
        ]
        assert torch.equal(queue.keys[1], -queue.keys[0])
    assert sorted(queue.keys[0].tolist()) == [float(number) for number in range(written - 7, written)]


def test_a_new_queue_holds_directions_of_length_one_from_its_generator():
    queue = Queue(8, 50, torch.device("cpu"))
    queue.enqueue(torch.ones(3, 8))
    queue.refill(torch.Generator().manual_seed(1))
    again = Queue(8, 50, torch.device("cpu"))
    again.refill(torch.Generator().manual_seed(1))
    assert torch.equal(queue.keys, again.keys) and int(queue.pointer) == 0
    assert torch.allclose(queue.keys.norm(dim=0), torch.ones(50)) and len(queue.keys.unique()) == 400


def test_key_encoder_follows_by_hand_values():
    key, query = nn.Linear(2, 1), nn.Linear(2, 1)
    with torch.no_grad():
        for layer, weight, bias in ((key, [1.0, -2.0], 4.0), (query, [3.0, 2.0], 0.0)):
            layer.weight.copy_(torch.tensor([weight]))
            layer.bias.fill_(bias)
    follow(key, query, 0.75)
    assert key.weight.tolist() == [[1.5, -1.0]] and key.bias.tolist() == [3.0]
    assert query.weight.tolist() == [[3.0, 2.0]]
    follow(key, query, 0.75)
    assert key.weight.tolist() == [[1.875, -0.25]] and key.bias.tolist() == [2.25]


def test_logits_and_their_cross_entropy_by_hand():
    queries = torch.tensor([[1.0, 0.0], [0.6, 0.8]], dtype=torch.float64)
    keys = torch.tensor([[0.8, 0.6], [0.0, 1.0]], dtype=torch.float64)
    queue = torch.tensor([[0.0, -1.0, 0.6], [1.0, 0.0, -0.8]], dtype=torch.float64)
    logits = contrast_logits(queries, keys, queue, 0.5)
    expected = [[1.6, 0.0, -2.0, 1.2], [1.6, 1.6, -1.2, 2 * (0.36 - 0.64)]]
    assert torch.allclose(logits, torch.tensor(expected, dtype=torch.float64), atol=1e-15)
    by_hand = [-row[0] + math.log(sum(math.exp(value) for value in row)) for row in expected]
    zeros = torch.zeros(2, dtype=torch.int64)
    assert float(functional.cross_entropy(logits, zeros)) == pytest.approx(sum(by_hand) / 2, rel=1e-14)


class Encoder(nn.Module):
    """A network with one output and batch normalisation, as backbones have them."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))

    def forward(self, images):
        return [torch.zeros(len(images), 3), self.body(images)]


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    query = Encoder()
    key = copy.deepcopy(query).requires_grad_(False)
    optimizer = torch.optim.SGD(query.parameters(), lr=0.1, momentum=0.9)
    device = torch.device("cpu")
    run = Contrast(
        query, key, Queue(3, 4, device), {"phase1": optimizer}, {"order": torch.Generator().manual_seed(5)},
        Tally(("contrast",), 1, device), torch.zeros(4, dtype=torch.int64),
    )  # fmt: skip
    run.begin_phase()
    return run


def step(run, views, momentum=0.9):
    machine = prepare("cpu", precision="fp32", threads=1)
    return contrast_step(run, views, run.optimizers["phase1"], momentum=momentum, temperature=0.2, machine=machine)


def test_a_step_moves_the_query_by_its_gradient_and_the_key_by_momentum_only(tiny):
    views = tuple(torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    step(tiny, views)  # from here on the encoders differ
    before = {name: value.clone() for name, value in tiny.key.named_parameters()}
    query = {name: value.detach().clone() for name, value in tiny.query.named_parameters()}
    queue = tiny.queue.keys.clone()
    expected_key = copy.deepcopy(tiny.key)
    with torch.no_grad():
        for name, value in expected_key.named_parameters():
            value.copy_(0.9 * before[name] + 0.1 * query[name])
    keys = functional.normalize(expected_key(views[1])[-1], dim=1)
    queries = functional.normalize(copy.deepcopy(tiny.query)(views[0])[-1], dim=1)
    sims = torch.cat([(queries * keys).sum(1, keepdim=True), queries @ queue], dim=1) / 0.2
    loss, logits = step(tiny, views)
    assert torch.allclose(logits, sims, atol=1e-6)
    assert float(loss) == pytest.approx(float((sims.logsumexp(1) - sims[:, 0]).mean().detach()), rel=1e-5)
    for name, value in tiny.key.named_parameters():
        assert value.grad is None and torch.allclose(value, 0.9 * before[name] + 0.1 * query[name], atol=1e-7)
    assert all(not torch.equal(value, query[name]) for name, value in tiny.query.named_parameters() if "0" not in name)
    # Three places were taken by the first step; the oldest of four is written over by this one.
    assert torch.allclose(tiny.queue.keys[:, [3, 0, 1]].T, keys, atol=1e-6)
    assert torch.equal(tiny.queue.keys[:, 2], queue[:, 2])


def test_the_key_of_the_same_slice_is_the_positive(tiny):
    """With equal encoders and equal views the first similarity is 1 for every slice, whatever the order."""
    images = torch.randn(4, 1, 4, 4, generator=torch.Generator().manual_seed(3))
    _, logits = step(tiny, (images, images.clone()), momentum=0.0)
    assert torch.allclose(logits[:, 0], torch.full((4,), 5.0), atol=1e-5)
    tiny.begin_phase()
    _, crossed = step(tiny, (images, images.flip(0)), momentum=0.0)
    assert (crossed[:, 0] < 4.99).all()


def test_a_phase_begins_with_the_query_encoder_alone(tiny):
    views = (torch.randn(4, 1, 4, 4), torch.randn(4, 1, 4, 4))
    step(tiny, views)
    queue = tiny.queue.keys.clone()
    assert tiny.optimizers["phase1"].state
    tiny.begin_phase()
    assert not tiny.optimizers["phase1"].state and int(tiny.queue.pointer) == 0
    assert not torch.equal(tiny.queue.keys, queue)
    ours, theirs = tiny.key.state_dict(), tiny.query.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) and ours[name] is not theirs[name] for name in theirs)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("mlp", [True, False])
def test_every_backbone_is_an_encoder_whose_body_goes_to_a_classifier(backbone, mlp):
    arguments = {"image_size": 32, "width": 0.05, "conv1": "sum", "dropout": 0.5, "side": None}
    generator = torch.Generator().manual_seed(0)
    encoder = build_network(backbone, n_classes=9, **arguments, generator=generator)
    project(encoder, dim=9, mlp=mlp, generator=generator)
    assert encoder.eval()(torch.zeros(2, 1, 32, 32))[-1].shape == (2, 9)
    layers = [
        layer for name, layer in encoder.named_modules()
        if name.startswith(f"{encoder.last_layer}.") and isinstance(layer, nn.Linear)
    ]  # fmt: skip
    assert len(layers) == 1 + mlp and all(float(layer.weight.detach().abs().max()) > 0 for layer in layers)
    classifier = build_network(backbone, n_classes=3, **arguments, generator=torch.Generator().manual_seed(1))
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    load_body(classifier, encoder.state_dict())
    for name, value in classifier.state_dict().items():
        kept = name.startswith(f"{classifier.last_layer}.")
        assert torch.equal(value, before[name] if kept else encoder.state_dict()[name]), name
