"""Feasible confusion matrices: against brute force on small totals, and the reported row at the published totals."""

from itertools import product

import numpy as np
import pytest

from dsn_saal.domain.errors import BadRequest
from dsn_saal.statistics.confusion import class_rates, confusion_metrics
from dsn_saal.statistics.feasible import Problem, largest_miss, metrics_of
from dsn_saal.statistics.over_runs import furthest_run, mean_of_runs
from dsn_saal.statistics.proof import minimise
from dsn_saal.statistics.single_matrix import fit_matrix
from dsn_saal.statistics.witness import matrix_of

FAMILIES = {
    "accuracy": ("overall", "ovr_mean", "positive", "balanced"),
    "f1": ("macro", "weighted", "positive", "of_means"),
    "g_mean": ("multiclass", "ovr_mean", "root_of_means", "positive"),
}
ROW, HALF = (0.920, 0.873, 0.925), 0.0005
PUBLISHED = np.array([513.0, 1150.0, 409.0])


def names(accuracy, f1, g_mean):
    return f"accuracy.{accuracy}", f"f1.{f1}", f"g_mean.{g_mean}"


def every_matrix(totals):
    """(n, C, C): every matrix of counts with these row sums."""

    def rows(total, cells):
        if cells == 1:
            yield (total,)
        else:
            yield from ((first, *rest) for first in range(total + 1) for rest in rows(total - first, cells - 1))

    return np.array(list(product(*(list(rows(total, len(totals))) for total in totals))), dtype=float)


def hits_and_alarms(matrices):
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    return hits, matrices.sum(axis=-2) - hits


class TestMetricsOfHitsAndAlarms:
    def test_are_those_of_the_matrix(self):
        matrices = np.random.default_rng(1).integers(1, 40, size=(50, 3, 3)).astype(float)
        for matrix in matrices:
            found = metrics_of(*hits_and_alarms(matrix), matrix.sum(axis=1), 2)
            for name, value in confusion_metrics(matrix, 2).items():
                if name in found:
                    assert found[name] == pytest.approx(float(value), abs=1e-12), name
            for rate, values in class_rates(matrix).items():
                assert [found[f"{rate}.{k}"] for k in range(3)] == pytest.approx(list(values), abs=1e-12)

    def test_grow_with_hits_and_fall_with_alarms(self):
        rng, totals = np.random.default_rng(2), np.array([7.0, 12.0, 5.0])
        for _ in range(200):
            hits, alarms = rng.uniform(0.1, 0.9, 3) * totals, rng.uniform(0.1, 0.9, 3) * (24 - totals)
            before = metrics_of(hits, alarms, totals, 0)
            place = rng.integers(3)
            more, fewer = hits.copy(), alarms.copy()
            more[place] += 0.05
            fewer[place] -= 0.05
            for after in (metrics_of(more, alarms, totals, 0), metrics_of(hits, fewer, totals, 0)):
                assert all(after[name] >= before[name] - 1e-12 for name in before)

    def test_of_one_class_or_an_empty_class_are_refused(self):
        for totals in ([5.0], [5.0, 0.0]):
            with pytest.raises(BadRequest, match="two classes with items"):
                Problem(np.array(totals), 0, ("accuracy.overall",))


@pytest.mark.parametrize("totals", [(4, 3, 2), (6, 5)])
class TestAgainstEveryMatrixOfSmallTotals:
    def test_no_matrix_beats_the_proof_and_the_best_is_met(self, totals):
        matrices, sizes = every_matrix(totals), np.array(totals, dtype=float)
        hits, alarms = hits_and_alarms(matrices)
        values = metrics_of(hits, alarms, sizes, 0)
        rng = np.random.default_rng(3)
        for _ in range(12):
            chosen = names(*(rng.choice(conventions) for conventions in FAMILIES.values()))
            targets = rng.uniform(0.4, 1.0, 3)
            misses = np.abs(np.stack([values[name] for name in chosen], axis=1) - targets).max(axis=1)
            fit = fit_matrix(Problem(sizes, 0, chosen), targets, 0.001)
            assert fit.proven <= fit.miss and fit.proven <= misses.min() + 1e-9
            assert fit.miss <= misses.min() + 0.001  # fractions reach at least what counts reach

    def test_what_a_matrix_gives_is_found_again(self, totals):
        matrices, sizes = every_matrix(totals), np.array(totals, dtype=float)
        matrix = matrices[len(matrices) // 3]
        metrics = confusion_metrics(matrix, 0)
        chosen = names("overall", "macro", "root_of_means")
        fit = fit_matrix(Problem(sizes, 0, chosen), [float(metrics[name]) for name in chosen], 1e-4)
        assert fit.fits and not fit.is_impossible
        whole = np.array(fit.whole, dtype=float)
        assert whole.sum(axis=1).tolist() == list(totals)
        found = confusion_metrics(whole, 0)
        assert max(abs(float(found[name] - metrics[name])) for name in chosen) == pytest.approx(fit.whole_miss)


def test_fractions_reach_what_counts_of_ever_finer_parts_come_to():
    chosen, targets = names("overall", "macro", "multiclass"), np.array([0.9, 0.7, 0.9])
    bound = minimise(Problem(np.array([2.0, 3.0]), 0, chosen), largest_miss(targets), gap=1e-4)
    finest = []
    for times in (1, 4, 16):
        totals = (2 * times, 3 * times)
        matrices = every_matrix(totals)
        values = metrics_of(*hits_and_alarms(matrices), np.array(totals, dtype=float), 0)
        finest.append(np.abs(np.stack([values[name] for name in chosen], axis=1) - targets).max(axis=1).min())
    assert finest[0] >= finest[1] >= finest[2] >= bound.proven - 1e-9
    assert finest[2] - bound.found < 0.01


def test_every_hits_and_alarms_that_keep_the_laws_belong_to_a_matrix():
    rng = np.random.default_rng(5)
    for _ in range(30):
        matrix = rng.integers(0, 9, size=(4, 4)).astype(float)
        rebuilt = matrix_of(matrix.sum(axis=1), *hits_and_alarms(matrix)).astype(float)
        assert (rebuilt >= 0).all() and rebuilt.sum(axis=1).tolist() == matrix.sum(axis=1).tolist()
        assert rebuilt.sum(axis=0).tolist() == matrix.sum(axis=0).tolist()


class TestTheReportedRow:
    """Smallest largest miss of matrices with the published test totals, as an earlier optimisation found it."""

    @pytest.mark.parametrize(
        ("conventions", "miss"),
        [
            (("overall", "macro", "multiclass"), 0.0145),
            (("overall", "macro", "ovr_mean"), 0.003),
            (("overall", "macro", "root_of_means"), 0.003),
            (("positive", "positive", "positive"), 0.0075),
        ],
    )
    def test_is_impossible_under_some_conventions(self, conventions, miss):
        fit = fit_matrix(Problem(PUBLISHED, 0, names(*conventions)), ROW, HALF)
        assert fit.miss == pytest.approx(miss, abs=5e-4)
        assert fit.is_impossible and not fit.fits and fit.proven > miss / 2

    def test_is_impossible_with_accuracy_and_weighted_f1_whatever_the_g_mean(self):
        for convention in FAMILIES["g_mean"]:
            fit = fit_matrix(Problem(PUBLISHED, 0, names("overall", "weighted", convention)), ROW, HALF)
            assert fit.miss >= 0.018 and fit.proven >= 0.015

    @pytest.mark.parametrize(
        "conventions",
        [
            ("overall", "positive", "multiclass"),
            ("overall", "positive", "positive"),
            ("ovr_mean", "macro", "ovr_mean"),
            ("positive", "macro", "ovr_mean"),
        ],
    )
    def test_fits_easily_under_others_even_in_counts(self, conventions):
        fit = fit_matrix(Problem(PUBLISHED, 0, names(*conventions)), ROW, HALF)
        assert fit.fits and fit.whole_miss <= HALF

    def test_fits_with_the_g_mean_of_one_class_at_one_corner_only(self):
        fit = fit_matrix(Problem(PUBLISHED, 0, names("overall", "macro", "positive")), ROW, HALF)
        assert fit.fits and fit.recalls == pytest.approx((0.94, 1.0, 0.67), abs=0.01)


class TestMeansOfRuns:
    REACH = tuple(furthest_run(sd, 10) + HALF for sd in (0.0045, 0.0075, 0.0065))

    def test_a_run_can_be_no_further_from_the_mean_than_the_spread_allows(self):
        values = np.array([0.0, *[1.0] * 9])
        assert furthest_run(values.std(ddof=1), 10) == pytest.approx(abs(values - values.mean()).max())

    def test_no_mean_of_ten_runs_saves_the_weighted_f1(self):
        problem = Problem(PUBLISHED, 0, names("overall", "weighted", "multiclass"))
        assert mean_of_runs(problem, ROW, self.REACH, gap=HALF / 2, enough=HALF).proven > HALF

    def test_the_hull_is_proven_to_miss_for_the_class_alone(self):
        problem = Problem(PUBLISHED, 0, names("positive", "positive", "positive"))
        found = mean_of_runs(problem, ROW, self.REACH, gap=HALF / 2, enough=HALF)
        assert HALF < found.proven <= found.found < 0.0075

    def test_a_mean_of_two_matrices_is_within_what_means_reach(self):
        totals, chosen = np.array([6.0, 5.0, 4.0]), names("overall", "macro", "multiclass")
        rng, problem = np.random.default_rng(7), Problem(totals, 0, chosen)
        matrices = every_matrix((3, 2, 2))
        pair = matrices[rng.choice(len(matrices), 2)] * 2 + np.diag([0, 1, 0])
        pair = np.stack([matrix + np.diag(totals - matrix.sum(axis=1)) for matrix in pair])
        values = np.stack([problem.values(_point(matrix, totals)) for matrix in pair])
        mean = values.mean(axis=0)
        reach = np.abs(values - mean).max(axis=0) + 1e-6
        assert mean_of_runs(problem, mean, reach, gap=1e-3, enough=1e-3).proven <= 1e-9


def _point(matrix, totals):
    hits, alarms = hits_and_alarms(matrix)
    return np.concatenate([hits / totals, alarms / (totals.sum() - totals)])
