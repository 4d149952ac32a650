"""Three levels, and draws of cases and runs, each against a slow loop over scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.clusters import LEVELS, case_answers, count_cases, resampled_metrics
from dsn_saal.statistics.measures import measure
from dsn_saal.statistics.nested import draw_nested, nested_bootstrap, percentile_interval, reflected_interval

CLASSES = ClassSet(("a", "b", "c"), ("A", "B", "C"), "a")
SIZES = (1, 4, 2, 3, 1, 5, 2, 2, 3)


def answers(seed, skill=1.0, decimals=None):
    """Labels, probabilities and cases of nine cases of unequal size; rounded probabilities have ties."""
    generator = np.random.default_rng(seed)
    cases = np.repeat(np.arange(len(SIZES)), SIZES)
    labels = (np.arange(len(SIZES)) % 3)[cases]
    logits = generator.normal(size=(len(cases), 3)) + skill * np.eye(3)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if decimals is not None:
        probabilities[:, :2] = probabilities[:, :2].round(decimals)
        probabilities[:, 2] = 1 - probabilities[:, :2].sum(axis=1)
    return labels, probabilities, cases


def metrics_of(counts, times):
    return resampled_metrics(counts, np.atleast_2d(times).astype(float), positive=0, classes=CLASSES.names)


@pytest.mark.parametrize("decimals", [None, 1])
def test_the_whole_at_slice_level_is_what_evaluate_measures(decimals):
    labels, probabilities, cases = answers(1, decimals=decimals)
    found = metrics_of(count_cases(labels, probabilities, cases), np.ones(len(SIZES)))
    expected = measure(labels, probabilities, CLASSES)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-12), name


def test_a_case_weighs_one_as_scikit_learns_sample_weights_say():
    labels, probabilities, cases = answers(2, decimals=1)
    weights = 1 / np.bincount(cases)[cases]
    found = metrics_of(count_cases(labels, probabilities, cases, level="case_weighted"), np.ones(len(SIZES)))
    predicted = probabilities.argmax(axis=1)
    assert found["accuracy.overall"][0] == pytest.approx(
        metrics.accuracy_score(labels, predicted, sample_weight=weights), abs=1e-12
    )
    assert found["f1.macro"][0] == pytest.approx(
        metrics.f1_score(labels, predicted, average="macro", sample_weight=weights), abs=1e-12
    )
    for c, name in enumerate(CLASSES.names):
        area = metrics.roc_auc_score(labels == c, probabilities[:, c], sample_weight=weights)
        assert found[f"auc.{name}"][0] == pytest.approx(area, abs=1e-12)


def test_a_case_is_one_answer_by_its_mean_probability():
    labels, probabilities, cases = answers(3)
    truth, means = case_answers(labels, probabilities, cases)
    for case in range(len(SIZES)):
        np.testing.assert_allclose(means[case], probabilities[cases == case].mean(axis=0), rtol=1e-13)
    found = metrics_of(count_cases(labels, probabilities, cases, level="case"), np.ones(len(SIZES)))
    expected = measure(truth, means, CLASSES)
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-12, nan_ok=True), name


def test_levels_agree_where_every_case_has_one_slice():
    labels, probabilities, _ = answers(4)
    by_level = [
        metrics_of(count_cases(labels, probabilities, np.arange(labels.size), level=level), np.ones(labels.size))
        for level in LEVELS
    ]
    for name in by_level[0]:
        assert by_level[0][name][0] == by_level[1][name][0] == by_level[2][name][0]


def test_a_draw_is_what_the_drawn_slices_would_give():
    labels, probabilities, cases = answers(5, decimals=1)
    times = np.array([2, 0, 1, 0, 3, 0, 1, 1, 1])
    drawn = np.concatenate([np.flatnonzero(cases == case) for case in np.repeat(np.arange(len(SIZES)), times)])
    found = metrics_of(count_cases(labels, probabilities, cases), times)
    expected = measure(labels[drawn], probabilities[drawn], CLASSES)
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-12, nan_ok=True), name


def test_a_draw_without_a_class_has_no_area_for_it_and_none_over_all():
    labels, probabilities, cases = answers(6)
    times = np.where(np.arange(len(SIZES)) % 3 == 1, 0, 1)
    found = metrics_of(count_cases(labels, probabilities, cases), times)
    assert np.isnan(found["auc.b"][0]) and np.isnan(found["auc.ovr_macro"][0]) and np.isnan(found["auc.ovo_macro"][0])
    assert np.isfinite(found["auc.a"][0]) and np.isnan(found["sensitivity.macro"][0])


def test_constant_probabilities_rank_nothing():
    labels, _, cases = answers(7)
    found = metrics_of(count_cases(labels, np.full((labels.size, 3), 1 / 3), cases), np.ones(len(SIZES)))
    assert found["auc.ovr_macro"][0] == 0.5 and np.isnan(found["precision.macro"][0])


def test_gaps_and_mixed_cases_are_refused():
    labels, probabilities, cases = answers(8)
    with pytest.raises(BadRequest, match="without gaps"):
        count_cases(labels, probabilities, cases * 2)
    with pytest.raises(BadRequest, match="two classes"):
        count_cases(labels, probabilities, np.zeros_like(cases), level="case")


def slow_nested(runs, strata, draws, seed):
    """The same draws, slice by slice, with scikit-learn's areas."""
    times, chosen = draw_nested(strata, len(runs), draws, seed)
    found = {"accuracy.overall": [], "auc.ovr_macro": []}
    for time, run in zip(times.astype(int), chosen, strict=True):
        labels, probabilities, cases = runs[run]
        drawn = np.concatenate([np.flatnonzero(cases == case) for case in np.repeat(np.arange(time.size), time)])
        y, p = labels[drawn], probabilities[drawn]
        found["accuracy.overall"].append((p.argmax(axis=1) == y).mean())
        found["auc.ovr_macro"].append(np.mean([metrics.roc_auc_score(y == c, p[:, c]) for c in range(3)]))
    return found


def test_the_nested_bootstrap_is_the_slow_loop_over_its_draws():
    runs = [answers(seed, skill=seed / 10) for seed in (10, 11, 12)]
    strata = np.arange(len(SIZES)) % 3
    fast = nested_bootstrap(
        [count_cases(*run) for run in runs], strata, positive=0, classes=CLASSES.names, draws=60, seed=3
    )
    for name, values in slow_nested(runs, strata, 60, 3).items():
        np.testing.assert_allclose(fast[name], values, atol=1e-12)


def test_runs_are_drawn_evenly_and_widen_the_interval():
    runs = [answers(1, skill=skill) for skill in (-3.0, 4.0)]
    strata = np.arange(len(SIZES)) % 3
    chosen = draw_nested(strata, 2, 4000, 0)[1]
    assert abs((chosen == 0).mean() - 0.5) < 0.03

    def width(members):
        found = nested_bootstrap(
            [count_cases(*run) for run in members], strata, positive=0, classes=CLASSES.names, draws=2000, seed=0
        )
        low, high = percentile_interval(found["accuracy.overall"], 0.95).bounds
        return high - low

    assert width(runs) > 1.5 * max(width(runs[:1]), width(runs[1:]))
    with pytest.raises(BadRequest, match="no run"):
        draw_nested(strata, 0, 10, 0)


def test_an_interval_with_undefined_draws_says_how_many():
    assert percentile_interval(np.array([0.1, np.nan, 0.3]), 0.9).missing_because == "undefined in 1 of 3 draws"
    low, high = percentile_interval(np.linspace(0, 1, 1001), 0.9).bounds
    assert (low, high) == (pytest.approx(0.05), pytest.approx(0.95))


def test_one_case_of_each_class_gives_an_interval_of_no_width():
    labels, probabilities = np.array([0, 1, 2]), np.eye(3) * 0.4 + 0.2
    found = nested_bootstrap(
        [count_cases(labels, probabilities, np.arange(3))], labels, positive=0, classes=CLASSES.names, draws=50, seed=0
    )
    assert percentile_interval(found["accuracy.overall"], 0.95).bounds == (1.0, 1.0)


def test_a_reflected_interval_is_the_percentiles_mirrored_at_the_estimate_and_never_negative():
    draws = np.linspace(0.2, 0.6, 1001)
    low, high = percentile_interval(draws, 0.9).bounds
    assert reflected_interval(0.5, draws, 0.9).bounds == pytest.approx((1 - high, 1 - low))
    assert reflected_interval(0.1, draws, 0.9).bounds == (0.0, 0.0)
    assert reflected_interval(0.1, np.array([np.nan, 1]), 0.9).missing_because == "undefined in 1 of 2 draws"
    assert reflected_interval(np.nan, draws, 0.9).missing_because == "the estimate is undefined"
