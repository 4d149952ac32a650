import math

import pytest
import torch

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.losses import CrossEntropy, Saal, total

COUNTS = (1256, 2674, 980)


def saal(**change):
    options = {
        "n_outputs": 6,
        "n_beta": 6,
        "alpha_init": "normal",
        "beta_init": "normal",
        "log_zero": -4.0,
        "normalise_weights": False,
        "generator": torch.Generator().manual_seed(0),
    }
    return Saal(change.pop("counts", COUNTS), **(options | change))


def logits_and_targets(outputs=6, batch=5):
    generator = torch.Generator().manual_seed(1)
    return 3 * torch.randn(outputs, batch, 3, generator=generator), torch.tensor([0, 1, 2, 2, 1])[:batch]


def test_cross_entropy_is_the_mean_over_the_batch_of_each_output():
    logits, targets = logits_and_targets()
    terms = CrossEntropy()(logits, targets)
    expected = [torch.nn.functional.cross_entropy(output.double(), targets) for output in logits]
    assert terms.shape == (1, 6)
    torch.testing.assert_close(terms[0], torch.stack(expected))


def test_saal_is_equation_10_written_out():
    loss = saal()
    logits, targets = logits_and_targets()
    alpha, betas = torch.sigmoid(loss.raw_alpha), torch.sigmoid(loss.raw_beta)
    terms = loss(logits, targets)
    for o in range(6):
        dce, drce = 0.0, 0.0
        for b, y in enumerate(targets.tolist()):
            p = torch.softmax(logits[o, b].double(), dim=0)
            weight = (1 - alpha) / (1 - alpha ** COUNTS[y])
            dce += weight * -math.log(p[y]) / len(targets)
            drce += weight * sum(-p[n] * (0.0 if n == y else -4.0) for n in range(3)) / len(targets)
        assert terms[0, o].item() == pytest.approx(dce.item(), rel=1e-12)
        assert terms[1, o].item() == pytest.approx((betas[o] * drce).item(), rel=1e-12)


def test_saal_without_weights_and_reverse_term_is_cross_entropy():
    loss = saal(alpha_init=-50.0, beta_init=-50.0)
    logits, targets = logits_and_targets()
    torch.testing.assert_close(loss(logits, targets).sum(dim=0), CrossEntropy()(logits, targets)[0])


def test_mean_over_the_batch_is_no_weighted_mean():
    """A batch of one class keeps its weight: dividing by the sum of weights would cancel it."""
    logits, _ = logits_and_targets()
    targets = torch.full((5,), 2)
    light, heavy = saal(alpha_init=-50.0)(logits, targets)[0], saal(alpha_init=9.0)(logits, targets)[0]
    expected = saal(alpha_init=9.0).weights()[2].item()
    torch.testing.assert_close(heavy, light * expected)


def test_side_losses_count_by_their_weight_and_the_final_one_by_one():
    terms = torch.arange(12.0).reshape(2, 6)
    assert total(terms, 1.0) == 66
    assert total(terms, 0.0) == 5 + 11
    assert total(terms, 0.5) == 16 + 25
    assert total(torch.tensor([[3.0]]), 7.0) == 3


@pytest.mark.parametrize("n_beta, chosen", [(6, [0, 1, 2, 3, 4, 5]), (5, [0, 1, 2, 3, 4, 4]), (1, [0] * 6)])
def test_betas_are_shared_as_the_switchboard_says(n_beta, chosen):
    loss = saal(n_beta=n_beta)
    torch.testing.assert_close(loss.betas(), torch.sigmoid(loss.raw_beta)[chosen])


def test_number_of_betas_must_fit_the_outputs():
    assert saal(n_outputs=1, n_beta=1).betas().shape == (1,)
    with pytest.raises(BadRequest, match="n_beta: 1"):
        saal(n_outputs=1, n_beta=6)


def test_class_without_images_is_an_error():
    with pytest.raises(CheckFailed, match="without training images"):
        saal(counts=(3, 0, 2))


def test_starts_come_from_the_generator_in_float64():
    first, second = saal(), saal()
    assert torch.equal(first.raw_beta, second.raw_beta) and first.raw_alpha.dtype == torch.float64
    assert saal(alpha_init=7.0).raw_alpha.item() == 7.0
    uniform = saal(n_outputs=400, n_beta=400, beta_init="uniform").raw_beta.detach()
    assert 0 <= uniform.min() < 0.02 and 0.98 < uniform.max() < 1
    normal = saal(n_outputs=4000, n_beta=4000).raw_beta.detach()
    assert normal.mean().abs() < 0.06 and normal.std() == pytest.approx(1, abs=0.04)


def test_a_constant_start_leaves_the_draws_after_it_as_they_are():
    """An informed start is compared with the random one seed by seed: betas and order of images must be the same."""
    after = []
    for start in ("normal", 7.0):
        generator = torch.Generator().manual_seed(0)
        loss = saal(alpha_init=start, generator=generator)
        after.append((loss.raw_beta, torch.randperm(50, generator=generator)))
    assert all(torch.equal(first, second) for first, second in zip(*after, strict=True))


def test_normalised_weights_sum_to_the_number_of_classes():
    assert saal(alpha_init=7.0, normalise_weights=True).weights().sum().item() == pytest.approx(3)
    assert saal(alpha_init=7.0).weights().sum().item() < 0.01


@pytest.mark.parametrize("scale", [1.0, 50.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_stay_finite_for_sure_and_wrong_predictions(scale, dtype):
    loss = saal(alpha_init=27.0)
    logits, targets = logits_and_targets()
    logits = (scale * logits).to(dtype).requires_grad_()
    terms = loss(logits, targets)
    total(terms, 1.0).backward()
    assert terms.dtype == torch.float64
    for gradient in (logits.grad, loss.raw_alpha.grad, loss.raw_beta.grad):
        assert torch.isfinite(gradient).all()


def test_reverse_term_is_bounded_and_descent_lowers_beta_and_raises_alpha():
    loss = saal()
    logits, targets = logits_and_targets()
    total(loss(1e6 * logits, targets), 1.0).backward()
    assert loss.raw_alpha.grad < 0 and (loss.raw_beta.grad >= 0).all()
    reverse = loss(1e6 * logits, targets)[1] / loss.betas()
    assert (reverse <= 4 * loss.weights().max() + 1e-12).all()


def test_history_names_what_was_learned():
    loss = saal(alpha_init=0.0, beta_init=0.0)
    state = loss.state(("a", "b", "c"))
    assert list(state) == ["alpha", *(f"beta_{i}" for i in range(1, 7)), "w_a", "w_b", "w_c"]
    assert set(state.values()) == {0.5} and CrossEntropy().state(("a",)) == {}


@pytest.mark.parametrize(
    ("switched", "trained"),
    [
        ({}, {"raw_alpha", "raw_beta"}),
        ({"learn_alpha": False}, {"raw_beta"}),
        ({"learn_beta": False}, {"raw_alpha"}),
        ({"effective_number": False}, {"raw_beta"}),
        ({"reverse": False}, {"raw_alpha"}),
    ],
)
def test_each_part_of_saal_is_switched_singly(switched, trained):
    loss = saal(**switched)
    logits, targets = logits_and_targets()
    terms = loss(logits, targets)
    terms.sum().backward()
    assert {name for name, value in loss.named_parameters() if value.grad is not None} == trained
    whole = saal()(logits, targets)
    if not switched.get("reverse", True):
        assert not terms[1].any() and torch.equal(terms[0], whole[0])
    elif not switched.get("effective_number", True):
        expected = [torch.nn.functional.cross_entropy(output.double(), targets) for output in logits]
        torch.testing.assert_close(terms[0], torch.stack(expected))
    else:
        assert torch.equal(terms, whole)
