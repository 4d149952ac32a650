"""Scores, reliability, temperature and net benefit against scikit-learn, slow loops and known answers."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.calibration import (
    brier_terms,
    class_errors,
    drawn,
    fit_temperature,
    log_loss_terms,
    observed_share,
    reliability,
    scaled,
)
from dsn_saal.statistics.decision import acted_on, net_benefit, treat_all


@pytest.fixture
def answers():
    generator = np.random.default_rng(4)
    cases = np.repeat(np.arange(12), 5)
    labels = (np.arange(12) % 3)[cases]
    logits = 2 * generator.normal(size=(60, 3)) + np.eye(3)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), cases


def test_brier_and_log_loss_are_scikit_learns(answers):
    labels, probabilities, _ = answers
    assert brier_terms(labels, probabilities).mean() == pytest.approx(brier_score_loss(labels, probabilities))
    assert log_loss_terms(labels, probabilities, least=1e-12).mean() == pytest.approx(log_loss(labels, probabilities))


def test_a_probability_of_zero_costs_what_the_floor_says():
    certain = np.array([[1.0, 0.0]])
    assert log_loss_terms(np.array([1]), certain, least=1e-12)[0] == pytest.approx(-math.log(1e-12))
    assert brier_terms(np.array([1]), certain)[0] == 2


def slow_error(labels, probabilities, c, bins):
    total = 0.0
    for place in range(bins):
        low, high = place / bins, (place + 1) / bins
        last = place == bins - 1
        inside = [k for k, p in enumerate(probabilities[:, c]) if low <= p < high or (last and p == 1.0)]
        if inside:
            gap = np.mean(probabilities[inside, c]) - np.mean(labels[inside] == c)
            total += len(inside) / len(labels) * abs(gap)
    return total


@pytest.mark.parametrize("bins", [1, 7, 10])
def test_class_errors_are_the_slow_loops(answers, bins):
    labels, probabilities, cases = answers
    probabilities[0] = [1.0, 0.0, 0.0]
    held = drawn(reliability(labels, probabilities, cases, bins=bins), np.ones((1, 12)))
    expected = [slow_error(labels, probabilities, c, bins) for c in range(3)]
    assert class_errors(held)[0] == pytest.approx(expected, abs=1e-12)


def test_the_curve_is_scikit_learns(answers):
    labels, probabilities, cases = answers
    held = drawn(reliability(labels, probabilities, cases, bins=8), np.ones((1, 12)))
    for c in range(3):
        observed, predicted = calibration_curve(labels == c, probabilities[:, c], n_bins=8)
        full = held.slices[0, c] > 0
        assert observed_share(held)[0, c][full] == pytest.approx(observed)
        assert (held.predicted[0, c] / np.maximum(held.slices[0, c], 1))[full] == pytest.approx(predicted)
    assert np.isnan(observed_share(held)[held.slices == 0]).all()


def test_a_draw_of_cases_weighs_their_slices(answers):
    labels, probabilities, cases = answers
    times = np.random.default_rng(0).integers(0, 3, 12)
    chosen = np.concatenate([np.flatnonzero(cases == case) for case in np.repeat(np.arange(12), times)])
    held = drawn(reliability(labels, probabilities, cases, bins=10), times[None].astype(float))
    expected = [slow_error(labels[chosen], probabilities[chosen], c, 10) for c in range(3)]
    assert class_errors(held)[0] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(class_errors(drawn(reliability(labels, probabilities, cases, bins=10), np.zeros((1, 12))))).all()


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_logits_that_are_too_large_by_a_factor_have_it_as_their_temperature(factor):
    # labels occur exactly as often as the true probabilities say, so the true ones have the least loss
    true = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    labels = np.concatenate([np.repeat(np.arange(3), (row * 10).round().astype(int)) for row in true])
    said = np.repeat(scaled(true, 1 / factor), 10, axis=0)
    fitted = fit_temperature(labels, said)
    assert fitted.value == pytest.approx(factor, rel=1e-5)
    np.testing.assert_allclose(scaled(said, fitted.value), np.repeat(true, 10, axis=0), atol=1e-5)


def test_the_fitted_temperature_is_the_best_of_a_grid(answers):
    labels, probabilities, _ = answers
    grid = np.geomspace(0.05, 20, 4000)
    losses = [log_loss(labels, scaled(probabilities, t)) for t in grid]
    assert fit_temperature(labels, probabilities).value == pytest.approx(grid[int(np.argmin(losses))], rel=2e-3)


def test_a_temperature_that_does_not_exist_says_why():
    separated = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert "all right" in fit_temperature(np.array([0, 1]), separated).missing_because
    assert "tell the classes so little" in fit_temperature(np.array([1, 0]), separated).missing_because
    assert "no slices" in fit_temperature(np.empty(0, int), np.empty((0, 2))).missing_because


def test_scaling_keeps_the_ranks_and_survives_a_zero():
    probabilities = np.array([[0.0, 0.3, 0.7], [1.0, 0.0, 0.0]])
    for temperature in (0.01, 1.0, 50.0):
        found = scaled(probabilities, temperature)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        assert np.isfinite(found).all() and (found.argmax(axis=1) == [2, 0]).all()
    np.testing.assert_allclose(scaled(probabilities, 1.0), probabilities, atol=1e-12)


def slow_benefit(positive, scores, threshold):
    hits = sum(p and s >= threshold for p, s in zip(positive, scores, strict=True))
    false = sum(not p and s >= threshold for p, s in zip(positive, scores, strict=True))
    return hits / len(scores) - false / len(scores) * threshold / (1 - threshold)


def test_net_benefit_is_the_slow_loops(answers):
    labels, probabilities, cases = answers
    positive, scores, thresholds = labels == 0, probabilities[:, 0].round(1), np.array([0.1, 0.3, 0.9])
    hits, false = acted_on(positive, scores, cases, thresholds)
    found = net_benefit(hits.sum(axis=0), false.sum(axis=0), np.float64(labels.size), thresholds)
    assert found == pytest.approx([slow_benefit(positive, scores, t) for t in thresholds], abs=1e-12)
    everyone = treat_all(np.float64(positive.sum()), np.float64(labels.size), thresholds)
    assert everyone == pytest.approx([slow_benefit(positive, np.ones(60), t) for t in thresholds], abs=1e-12)


def test_treating_all_gains_nothing_at_the_prevalence():
    assert treat_all(np.float64(20), np.float64(80), np.array([0.25]))[0] == pytest.approx(0, abs=1e-15)
    assert np.isnan(treat_all(np.float64(0), np.float64(0), np.array([0.25]))[0])


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1])
def test_a_threshold_without_odds_is_refused(threshold, answers):
    labels, probabilities, cases = answers
    with pytest.raises(BadRequest, match="between 0 and 1"):
        acted_on(labels == 0, probabilities[:, 0], cases, np.array([threshold]))


def test_no_bin_is_refused(answers):
    with pytest.raises(BadRequest, match="at least one bin"):
        reliability(*answers, bins=0)
