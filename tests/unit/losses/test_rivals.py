"""The losses of Table 5 against their definitions, their limits and independent implementations."""

import math

import pytest
import torch
from torch.nn import functional

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.losses import BinaryCrossEntropy, CrossEntropy, MarginCrossEntropy, SymmetricCrossEntropy
from dsn_saal.losses.class_weights import fixed_weights
from dsn_saal.models.cosine import Cosines

COUNTS = (1256, 2674, 980)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    return 3 * torch.randn(6, 5, 3, generator=generator, dtype=torch.float64), torch.tensor([0, 1, 2, 2, 1])


def plain(logits, targets, **options):
    return torch.stack([functional.cross_entropy(output, targets, **options) for output in logits])


def test_focal_with_gamma_zero_is_cross_entropy(batch):
    torch.testing.assert_close(CrossEntropy(gamma=0.0)(*batch)[0], plain(*batch))


def test_focal_is_its_definition(batch):
    logits, targets = batch
    p = torch.softmax(logits, dim=-1)[:, torch.arange(5), targets]
    torch.testing.assert_close(CrossEntropy(gamma=2.0)(logits, targets)[0], (-((1 - p) ** 2) * p.log()).mean(dim=1))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_gradients_are_finite_where_the_network_is_certain(gamma):
    logits = torch.tensor([[[800.0, 0.0, -800.0], [0.0, 40.0, 0.0]]], dtype=torch.float64, requires_grad=True)
    CrossEntropy(gamma=gamma)(logits, torch.tensor([0, 1])).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_class_balanced_with_beta_zero_is_cross_entropy(batch):
    loss = CrossEntropy(COUNTS, weighting="class_balanced", effective_beta=0.0)
    torch.testing.assert_close(loss(*batch)[0], plain(*batch))


def test_class_balanced_weights_are_the_published_formula():
    beta = 0.9999
    raw = [(1 - beta) / (1 - beta**n) for n in COUNTS]
    expected = [weight * 3 / sum(raw) for weight in raw]
    weights = fixed_weights("class_balanced", COUNTS, effective_beta=beta).tolist()
    assert weights == pytest.approx(expected, rel=1e-10)
    # paper.md 5.3: 1.08 / .55 / 1.37 at .9999
    assert [round(weight, 2) for weight in weights] == [1.08, 0.55, 1.37]


def test_class_balanced_goes_to_the_inverse_frequency():
    near = fixed_weights("class_balanced", COUNTS, effective_beta=1 - 1e-12)
    torch.testing.assert_close(near, fixed_weights("inverse_frequency", COUNTS, effective_beta=0.0), rtol=1e-6, atol=0)


@pytest.mark.parametrize("weighting", ["inverse_frequency", "class_balanced"])
def test_weights_multiply_and_the_mean_runs_over_the_images(batch, weighting):
    logits, targets = batch
    weights = fixed_weights(weighting, COUNTS, effective_beta=0.999)
    assert weights.sum().item() == pytest.approx(3)
    expected = plain(logits, targets, weight=weights, reduction="sum") / len(targets)
    loss = CrossEntropy(COUNTS, weighting=weighting, effective_beta=0.999)
    torch.testing.assert_close(loss(logits, targets)[0], expected)
    assert loss.state(["a", "b", "c"]) == {"w_a": weights[0], "w_b": weights[1], "w_c": weights[2]}


def test_symmetric_without_reverse_is_a_share_of_cross_entropy(batch):
    terms = SymmetricCrossEntropy(ce_weight=0.1, rce_weight=0.0, log_zero=-4.0)(*batch)
    torch.testing.assert_close(terms.sum(dim=0), 0.1 * plain(*batch))


def test_reverse_of_a_one_hot_label_is_the_authors_clipped_sum(batch):
    """Their code: labels clipped at 1e-4, sum over the classes of p log q."""
    logits, targets = batch
    p = torch.softmax(logits, dim=-1)
    q = functional.one_hot(targets, 3).double().clamp(min=1e-4)
    expected = -(p * q.log()).sum(dim=-1).mean(dim=1)
    terms = SymmetricCrossEntropy(ce_weight=0.0, rce_weight=1.0, log_zero=math.log(1e-4))(logits, targets)
    torch.testing.assert_close(terms[1], expected)


def test_margins_are_the_authors_and_zero_margin_is_cross_entropy(batch):
    loss = MarginCrossEntropy(COUNTS, largest_margin=0.5, scale=1.0)
    raw = [1 / math.sqrt(math.sqrt(n)) for n in COUNTS]
    assert loss.margins.tolist() == pytest.approx([0.5 * m / max(raw) for m in raw], rel=1e-12)
    torch.testing.assert_close(MarginCrossEntropy(COUNTS, largest_margin=0.0, scale=1.0)(*batch)[0], plain(*batch))
    logits, targets = batch
    moved = logits.clone()
    for image, target in enumerate(targets.tolist()):
        moved[:, image, target] -= loss.margins[target]
    torch.testing.assert_close(loss(logits, targets)[0], plain(moved, targets))


def test_margins_with_cosines_are_the_authors_loss():
    """Their forward pass: cosines of a normalised layer, less the margin, times 30 into the cross-entropy."""
    generator = torch.Generator().manual_seed(0)
    layer = Cosines(7, 3, scale=30.0)
    layer.initialise(generator)
    features, targets = torch.randn(5, 7, generator=generator), torch.tensor([0, 1, 2, 2, 1])
    cosines = functional.cosine_similarity(features[:, None], layer.weight[None], dim=2)
    margins = torch.tensor(COUNTS).double().pow(-0.25)
    margins *= 0.5 / margins.max()
    theirs = cosines.double() - functional.one_hot(targets, 3) * margins[targets, None]
    loss = MarginCrossEntropy(COUNTS, largest_margin=0.5, scale=30.0)(layer(features).unsqueeze(0), targets)
    assert loss.item() == pytest.approx(functional.cross_entropy(30 * theirs, targets).item(), rel=1e-5)


@pytest.mark.parametrize("make", [
    lambda counts: CrossEntropy(counts, weighting="inverse_frequency"),
    lambda counts: CrossEntropy(counts, weighting="class_balanced", effective_beta=0.9),
    lambda counts: MarginCrossEntropy(counts, largest_margin=0.5, scale=1.0),
])  # fmt: skip
def test_a_class_without_images_is_refused(make):
    with pytest.raises(CheckFailed, match="without training images"):
        make((5, 0, 3))


def test_binary_cross_entropy_is_torch_s_on_one_hot_labels(batch):
    logits, targets = batch
    wanted = [
        functional.binary_cross_entropy(torch.sigmoid(output), functional.one_hot(targets, 3).double())
        for output in logits
    ]
    torch.testing.assert_close(BinaryCrossEntropy()(logits, targets), torch.stack(wanted).unsqueeze(0))


def test_binary_cross_entropy_stays_finite_where_the_network_is_certain_and_wrong():
    logits = torch.tensor([[[-800.0, 900.0, 0.0]]], requires_grad=True)
    loss = BinaryCrossEntropy()(logits, torch.tensor([0]))
    loss.sum().backward()
    assert loss.item() == pytest.approx((800 + 900 + math.log(2)) / 3) and torch.isfinite(logits.grad).all()


def test_the_largest_sigmoid_is_the_largest_softmax(batch):
    logits, _ = batch
    assert torch.equal(torch.sigmoid(logits).argmax(dim=-1), torch.softmax(logits, dim=-1).argmax(dim=-1))
