import mpmath
import pytest
import torch

from dsn_saal.losses import class_weights

mpmath.mp.dps = 60

COUNTS = [1, 2, 13, 75, 980, 1256, 2674, 3824, 12_520, 30_000]


def exact(raw, count):
    """(1 - a) / (1 - a^k) with 60 digits."""
    a = 1 / (1 + mpmath.exp(-mpmath.mpf(raw)))
    return (1 - a) / (1 - a**count)


def raw_values():
    """Raw alpha over the whole range that alpha in [0, 1 - 1e-12] spans."""
    return [x / 4 for x in range(-120, 111)] + [27.6310]


def test_weights_hold_twelve_digits_for_every_alpha_and_thirty_thousand_images():
    counts = torch.tensor(COUNTS, dtype=torch.float64)
    worst = 0.0
    for raw in raw_values():
        weights = class_weights(torch.tensor(raw, dtype=torch.float64), counts).tolist()
        for count, weight in zip(COUNTS, weights, strict=True):
            worst = max(worst, abs(float((mpmath.mpf(weight) - exact(raw, count)) / exact(raw, count))))
    assert 0 < worst <= 1e-12


def test_alpha_zero_weighs_nothing_and_alpha_one_is_inverse_frequency():
    counts = torch.tensor(COUNTS, dtype=torch.float64)
    none = class_weights(torch.tensor(-800.0, dtype=torch.float64), counts)
    assert torch.equal(none, torch.ones(len(COUNTS), dtype=torch.float64))
    full = class_weights(torch.tensor(40.0, dtype=torch.float64), counts)
    torch.testing.assert_close(full, 1 / counts, rtol=1e-12, atol=0)


@pytest.mark.parametrize("raw", [-1e4, -750.0, -30.0, -1.0, 0.0, 5.7, 16.7, 27.6, 36.8, 120.0, 700.0, 745.2, 1e4])
def test_weight_and_gradient_are_finite_everywhere(raw):
    x = torch.tensor(raw, dtype=torch.float64, requires_grad=True)
    weights = class_weights(x, torch.tensor(COUNTS, dtype=torch.float64))
    weights.sum().backward()
    assert torch.isfinite(weights).all() and torch.isfinite(x.grad) and x.grad <= 0


@pytest.mark.parametrize("raw", [-8.0, -0.5, 0.0, 2.0, 5.0, 7.5])
def test_gradient_agrees_with_the_exact_derivative(raw):
    x = torch.tensor(raw, dtype=torch.float64, requires_grad=True)
    class_weights(x, torch.tensor([980.0], dtype=torch.float64)).backward()
    derivative = mpmath.diff(lambda value: exact(value, 980), raw)
    assert float(x.grad) == pytest.approx(float(derivative), rel=1e-9)


@pytest.mark.parametrize(
    "alpha, normalised",
    [
        (0.5, (1.0, 1.0, 1.0)),
        (0.999, (1.03, 0.79, 1.18)),
        (0.9999, (1.08, 0.55, 1.37)),
        (1 - 1e-12, (1.09, 0.51, 1.40)),
    ],
)
def test_balance_of_table_2_s_counts(alpha, normalised):
    raw = torch.logit(torch.tensor(alpha, dtype=torch.float64))
    weights = class_weights(raw, torch.tensor([1256.0, 2674.0, 980.0], dtype=torch.float64))
    assert (3 * weights / weights.sum()).tolist() == pytest.approx(normalised, abs=0.006)
