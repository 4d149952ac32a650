"""What the committed demo results must show: the baseline learns, and without true labels nothing is learnt."""

import json
import math
from pathlib import Path

import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
METRICS = json.loads((ROOT / "results/metrics.json").read_text())
CHANCE = 1 / 3
LEARNT = 0.60
"""Macro recall that the demo's baseline must reach on cases it has not seen."""


def test_they_are_called_phantom():
    assert {held["origin"] for held in METRICS.values()} == {"phantom"}


def test_the_baseline_learns():
    assert METRICS["vgg16_bn_ce"]["macro_recall"]["mean"] >= LEARNT


@pytest.mark.parametrize("experiment", ["dsn_saal", "self_trans", "densenet169_ce"])
def test_every_kind_of_method_is_above_chance(experiment):
    held = METRICS[experiment]["macro_recall"]
    assert held["mean"] - 2 * held["sd"] > CHANCE


def test_without_true_labels_nothing_is_learnt():
    held = METRICS["vgg16_bn_ce_permuted"]
    mean, sd, runs = held["macro_recall"]["mean"], held["macro_recall"]["sd"], held["n_runs"] - held.get("n_failed", 0)
    reach = stats.t.ppf(0.975, runs - 1) * sd / math.sqrt(runs)
    assert mean - reach <= CHANCE and mean < LEARNT - 0.1
