"""Metrics against scikit-learn, an independent implementation, and against values worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from dsn_saal.domain.classes import ClassSet
from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.confusion import class_rates, confusion_matrix, confusion_metrics
from dsn_saal.statistics.measures import measure

CLASSES = ClassSet(("covid19", "normal", "pneumonia"), ("COVID-19", "Normal", "Pneumonia"), "covid19")
HAND = np.array([[6.0, 2.0, 2.0], [1.0, 18.0, 1.0], [0.0, 5.0, 5.0]])


def draw(seed, n=60, n_classes=3):
    generator = np.random.default_rng(seed)
    labels = np.append(np.arange(n_classes), generator.integers(0, n_classes, n - n_classes))
    probabilities = generator.dirichlet(np.ones(n_classes), n)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def hand_metrics():
    return {name: float(value) for name, value in confusion_metrics(HAND, positive=0).items()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy.overall", 29 / 40),
        ("accuracy.ovr_mean", 1 - 2 / 3 * (11 / 40)),
        ("accuracy.positive", (6 + 29) / 40),
        ("accuracy.balanced", (0.6 + 0.9 + 0.5) / 3),
        ("f1.positive", 2 * 6 / (12 + 1 + 4)),
        ("f1.macro", (12 / 17 + 36 / 45 + 10 / 18) / 3),
        ("f1.weighted", (10 * 12 / 17 + 20 * 36 / 45 + 10 * 10 / 18) / 40),
        ("g_mean.multiclass", (0.6 * 0.9 * 0.5) ** (1 / 3)),
        ("g_mean.positive", math.sqrt(0.6 * 29 / 30)),
        ("g_mean.ovr_mean", (math.sqrt(0.6 * 29 / 30) + math.sqrt(0.9 * 13 / 20) + math.sqrt(0.5 * 27 / 30)) / 3),
        ("g_mean.root_of_means", math.sqrt((2 / 3) * ((29 / 30 + 13 / 20 + 27 / 30) / 3))),
    ],
)
def test_each_convention_by_hand(name, expected):
    assert hand_metrics()[name] == pytest.approx(expected, rel=1e-14)


def test_f1_of_means_uses_mean_precision_and_mean_sensitivity():
    precision, sensitivity = (6 / 7 + 18 / 25 + 5 / 8) / 3, (0.6 + 0.9 + 0.5) / 3
    expected = 2 * precision * sensitivity / (precision + sensitivity)
    assert hand_metrics()["f1.of_means"] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_scikit_learn(seed):
    labels, probabilities = draw(seed)
    ours, predicted = measure(labels, probabilities, CLASSES), probabilities.argmax(axis=1)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(labels, predicted, labels=[0, 1, 2])
    theirs = {
        "accuracy.overall": sk.accuracy_score(labels, predicted),
        "accuracy.balanced": sk.balanced_accuracy_score(labels, predicted),
        "accuracy.positive": sk.accuracy_score(labels == 0, predicted == 0),
        "f1.macro": sk.f1_score(labels, predicted, labels=[0, 1, 2], average="macro"),
        "f1.weighted": sk.f1_score(labels, predicted, labels=[0, 1, 2], average="weighted"),
        "f1.positive": f1[0],
        "auc.ovr_macro": sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro", labels=[0, 1, 2]),
        "auc.ovo_macro": sk.roc_auc_score(labels, probabilities, multi_class="ovo", average="macro", labels=[0, 1, 2]),
        "auc.positive": sk.roc_auc_score(labels == 0, probabilities[:, 0]),
        "sensitivity.macro": recall.mean(),
        "precision.macro": precision.mean(),
        "specificity.covid19": sk.recall_score(labels == 0, predicted == 0, pos_label=False),
        "specificity.pneumonia": sk.recall_score(labels == 2, predicted == 2, pos_label=False),
        "sensitivity.normal": recall[1],
        "precision.pneumonia": precision[2],
    }
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-12), name


def test_constant_prediction_leaves_the_others_precision_undefined_and_scores_zero_f1():
    labels = np.array([0, 0, 1, 2])
    probabilities = np.tile([0.2, 0.5, 0.3], (4, 1))
    values = measure(labels, probabilities, CLASSES)
    assert math.isnan(values["precision.covid19"]) and math.isnan(values["precision.macro"])
    assert math.isnan(values["f1.of_means"])
    assert values["f1.covid19"] == 0 and values["g_mean.multiclass"] == 0
    assert values["f1.macro"] == pytest.approx((2 / 5) / 3)
    assert values["auc.ovr_macro"] == 0.5


def test_absent_class_leaves_every_average_over_classes_undefined():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])
    values = measure(labels, probabilities, CLASSES)
    for name in (
        "accuracy.balanced",
        "f1.macro",
        "f1.pneumonia",
        "g_mean.multiclass",
        "auc.ovr_macro",
        "auc.ovo_macro",
    ):
        assert math.isnan(values[name]), name
    assert values["accuracy.overall"] == 0.75
    assert values["f1.weighted"] == pytest.approx((2 * 2 / 3 + 2 * 4 / 5) / 4)
    assert values["specificity.pneumonia"] == 1


def test_no_slices_at_all_leave_everything_undefined():
    values = measure(np.zeros(0, dtype=int), np.zeros((0, 3)), CLASSES)
    assert all(math.isnan(value) for value in values.values())


def test_a_tie_goes_to_the_lower_label():
    values = measure(np.array([0, 1]), np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]), CLASSES)
    assert values["sensitivity.covid19"] == 1 and values["sensitivity.normal"] == 0


@given(st.lists(st.integers(0, 30), min_size=9, max_size=9))
@settings(max_examples=60, deadline=None)
def test_one_call_for_many_matrices_equals_one_by_one(counts):
    one = np.array(counts, dtype=float).reshape(3, 3)
    stacked = np.stack([one, HAND, one.T])
    together = confusion_metrics(stacked, positive=1)
    for name, value in confusion_metrics(one, positive=1).items():
        np.testing.assert_allclose(together[name][0], value, rtol=1e-13)
    assert all(values.shape == (3, 3) for values in class_rates(stacked).values())


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=50))
@settings(max_examples=60, deadline=None)
def test_ovr_mean_accuracy_follows_from_the_overall_one(pairs):
    labels, predicted = np.array(pairs, dtype=int).reshape(-1, 2).T
    values = confusion_metrics(confusion_matrix(labels, predicted, 3), positive=0)
    if pairs:
        assert values["accuracy.ovr_mean"] == pytest.approx(1 - 2 / 3 * (1 - values["accuracy.overall"]), abs=1e-12)
    else:
        assert math.isnan(values["accuracy.ovr_mean"])


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0], [[0.5, 0.4, 0.3]], "sum to 1"),
        ([0], [[float("nan"), 0.5, 0.5]], "finite"),
        ([0], [[1.5, -0.5, 0.0]], "at least 0"),
        ([0, 1], [[1.0, 0.0, 0.0]], "one row a label"),
        ([3], [[1.0, 0.0, 0.0]], "labels must lie in"),
    ],
)
def test_what_cannot_be_measured_is_refused(labels, probabilities, message):
    with pytest.raises(BadRequest, match=message):
        measure(np.array(labels), np.array(probabilities), CLASSES)


def test_a_class_named_like_a_convention_is_refused():
    with pytest.raises(BadRequest, match="convention"):
        measure(np.array([0]), np.array([[1.0, 0.0]]), ClassSet(("macro", "b"), ("M", "B"), "b"))
