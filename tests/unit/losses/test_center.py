"""CE + center loss against Wen et al. 2016: the loss by hand, the rule of the centers by hand."""

import pytest
import torch

from dsn_saal.losses import CenterCrossEntropy, CrossEntropy, total


def center(n_features=2, weight=0.5, rate=0.25, n_classes=3, seed=0):
    return CenterCrossEntropy(
        n_classes,
        n_features,
        center_weight=weight,
        center_rate=rate,
        generator=torch.Generator().manual_seed(seed),
    )


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(6, 3, 3, generator=generator), torch.tensor([0, 2, 0])


def test_loss_and_moved_centers_are_those_worked_out_by_hand():
    """Classes 0, 2, 0 with features (1, 0), (0, 2), (3, 4); lambda 1/2, rate 1/4.

    Distances to the old centers (0, 0), (5, 5), (0, 1) squared: 1, 1, 25; their mean is 9, lambda / 2 of it 2.25.
    Class 0: sum of c - f is (-4, -4), over 1 + 2 and times 1/4 that is (-1/3, -1/3). Class 2: (0, -1) / 2 / 4.
    """
    loss = center()
    loss.centers.copy_(torch.tensor([[0.0, 0.0], [5.0, 5.0], [0.0, 1.0]]))
    features = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]], requires_grad=True)
    terms = loss(torch.zeros(1, 3, 3), torch.tensor([0, 2, 0]), features)
    assert terms.shape == (2, 1) and terms[1, 0].item() == pytest.approx(2.25, rel=1e-15)
    expected = torch.tensor([[1 / 3, 1 / 3], [5, 5], [0, 1.125]], dtype=torch.float64)
    torch.testing.assert_close(loss.centers, expected, rtol=1e-15, atol=1e-15)
    terms[1].sum().backward()
    # lambda (f - c) / batch, by the old centers
    by_hand = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 4.0]]) * 0.5 / 3
    torch.testing.assert_close(features.grad, by_hand)


def test_cross_entropy_is_untouched_and_only_the_final_output_is_pulled(batch):
    terms = center()(*batch, torch.ones(3, 2))
    assert torch.equal(terms[0], CrossEntropy()(*batch)[0])
    assert terms[1, -1] > 0 and not terms[1, :-1].any()


def test_without_weight_it_is_cross_entropy(batch):
    loss = center(weight=0.0)
    assert torch.equal(loss(*batch, torch.ones(3, 2)).sum(dim=0), CrossEntropy()(*batch)[0])


def test_centers_stand_still_in_evaluation_and_at_rate_zero(batch):
    for loss in (center().eval(), center(rate=0.0)):
        before = loss.centers.clone()
        loss(*batch, torch.ones(3, 2))
        assert torch.equal(loss.centers, before)


def test_a_class_that_the_batch_lacks_keeps_its_center(batch):
    loss = center()
    before = loss.centers.clone()
    loss(*batch, torch.ones(3, 2))
    moved = (loss.centers != before).any(dim=1)
    assert moved.tolist() == [True, False, True]


def test_centers_go_to_the_means_of_their_classes(batch):
    loss, features = center(), torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
    for _ in range(200):
        loss(*batch, features)
    torch.testing.assert_close(loss.centers[[0, 2]], torch.tensor([[2.0, 2.0], [0.0, 2.0]], dtype=torch.float64))


def test_start_is_xavier_s_and_comes_from_the_generator():
    many = center(n_features=3000)
    assert torch.equal(many.centers, center(n_features=3000).centers)
    assert not torch.equal(many.centers, center(n_features=3000, seed=1).centers)
    bound = (3 / 3000) ** 0.5
    assert 0.99 * bound < many.centers.abs().max() <= bound and abs(many.centers.mean()) < 0.03 * bound


def test_centers_are_state_and_no_parameters():
    assert list(center().state_dict()) == ["centers"] and not list(center().parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_features_of_any_precision_give_finite_gradients(batch, dtype):
    features = (100 * torch.ones(3, 2)).to(dtype).requires_grad_()
    logits = batch[0].to(dtype).requires_grad_()
    total(center()(logits, batch[1], features), 1.0).backward()
    assert torch.isfinite(features.grad).all() and torch.isfinite(logits.grad).all()
    assert features.grad.any() and features.grad.dtype == dtype
