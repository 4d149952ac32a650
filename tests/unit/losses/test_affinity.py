"""The max-margin loss on affinities against Hayat et al. 2019: by hand, by loops, and at work."""

import itertools
import math

import pytest
import torch

from dsn_saal.losses import MaxMarginAffinity
from dsn_saal.models.prototypes import Prototypes


def affinity(margin=0.75, spread_weight=1.0):
    return MaxMarginAffinity(margin=margin, spread_weight=spread_weight)


def equidistant(n_classes):
    """Prototypes (C, 1, C) on the axes: all pairs at a squared distance of 2."""
    return torch.eye(n_classes).unsqueeze(1)


def test_hinge_is_the_one_worked_out_by_hand():
    """Affinities .8 .5 .1 of class 0: .45 + .05; and .2 .9 .9 of class 1: .05 + .75; margin .75."""
    logits = torch.tensor([[[0.8, 0.5, 0.1], [0.2, 0.9, 0.9]]], dtype=torch.float64).log()
    terms = affinity()(logits, torch.tensor([0, 1]), equidistant(3))
    assert terms.shape == (2, 1) and terms[0, 0].item() == pytest.approx((0.45 + 0.05 + 0.05 + 0.75) / 2)
    assert terms[1, 0].item() == 0


def test_spread_is_the_one_worked_out_by_hand():
    """Prototypes at 0, 1 and 3: squared distances 1, 9, 4 with mean 14/3; their variance is 98/9."""
    prototypes = torch.tensor([[[0.0]], [[1.0]], [[3.0]]])
    for weight in (1.0, 0.5):
        terms = affinity(spread_weight=weight)(torch.zeros(1, 1, 3), torch.tensor([0]), prototypes)
        assert terms[1, 0].item() == pytest.approx(weight * 98 / 9)


def test_both_parts_are_the_definition_with_several_prototypes_a_class():
    generator = torch.Generator().manual_seed(0)
    layer = Prototypes(6, 4, per_class=3, sigma=1.5)
    layer.initialise(generator)
    features, targets = 3 * torch.randn(5, 6, generator=generator), torch.tensor([0, 3, 3, 1, 2])
    f, w = (features / 6**0.5).tolist(), layer.weight.tolist()
    hinge = 0.0
    for image, target in zip(f, targets.tolist(), strict=True):
        d = [max(math.exp(-(math.dist(image, one) ** 2) / 1.5) for one in own) for own in w]
        hinge += sum(max(0.0, 0.75 + d[j] - d[target]) for j in range(4) if j != target) / 5
    squared = [math.dist(a, b) ** 2 for a, b in itertools.combinations(itertools.chain(*w), 2)]
    mean = sum(squared) / len(squared)
    spread = sum((one - mean) ** 2 for one in squared) / len(squared)
    terms = affinity()(layer(features).unsqueeze(0), targets, layer.weight)
    assert terms[:, 0].tolist() == pytest.approx([hinge, spread], rel=1e-5)


def test_nothing_is_lost_where_every_image_leads_by_the_margin():
    logits = torch.tensor([[[0.0, -9.0, -9.0], [-9.0, -9.0, 0.0]]])
    assert affinity()(logits, torch.tensor([0, 2]), equidistant(3)).sum() == 0


def test_gradients_are_right_and_finite_far_from_every_prototype():
    generator = torch.Generator().manual_seed(0)
    logits = -torch.rand(1, 4, 3, generator=generator, dtype=torch.float64)
    prototypes = torch.randn(3, 2, 5, generator=generator, dtype=torch.float64)
    targets = torch.tensor([0, 1, 2, 2])
    inputs = (logits.requires_grad_(), prototypes.requires_grad_())
    assert torch.autograd.gradcheck(lambda z, w: affinity()(z, targets, w), inputs)
    far = torch.full((1, 4, 3), -1e4, requires_grad=True)
    affinity()(far, targets, prototypes).sum().backward()
    assert torch.isfinite(far.grad).all()


def test_it_learns_to_tell_classes_apart_and_spaces_the_prototypes():
    """Three clouds of points: a linear body before the layer has to bring each next to a prototype."""
    generator = torch.Generator().manual_seed(0)
    body, layer = torch.nn.Linear(4, 8), Prototypes(8, 3, per_class=1, sigma=1.0)
    torch.nn.init.normal_(body.weight, generator=generator)
    layer.initialise(generator)
    targets = torch.arange(90) % 3
    points = 2 * torch.eye(4)[targets] + 0.3 * torch.randn(90, 4, generator=generator)
    loss = affinity()
    optimizer = torch.optim.SGD([*body.parameters(), *layer.parameters()], lr=0.05, momentum=0.9)
    history = []
    for _ in range(300):
        logits = layer(body(points))
        terms = loss(logits.unsqueeze(0), targets, layer.weight)
        history.append(terms.detach()[:, 0])
        optimizer.zero_grad()
        terms.sum().backward()
        optimizer.step()
    assert history[-1][0] < 0.1 * history[0][0]
    assert (logits.argmax(dim=1) == targets).float().mean() > 0.95
