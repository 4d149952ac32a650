"""The figure of alpha, betas and weights: its lines are the histories."""

import numpy as np
import pytest

from dsn_saal.domain.errors import BadRequest
from dsn_saal.evaluate.summaries import read_summary
from dsn_saal.evaluate.trajectories import read_trajectories
from dsn_saal.figures import trajectories
from dsn_saal.params.figure_jobs import figure_job
from dsn_saal.statistics.effective_number import alpha_of_ratio, weight_ratio

NAMES = ["dsn_saal", "dsn_saal_informed"]


@pytest.fixture
def study(cohort, small_settings):
    fake, settings = cohort(), small_settings(report__saal_ablation=NAMES)
    summaries = {name: fake.evaluate(name, seed=n) / "summary.json" for n, name in enumerate(NAMES)}
    training = {name: fake.train(name, ends=((0.6, 0.7, 0.8), (0.9, 0.999))[n]) for n, name in enumerate(NAMES)}
    return figure_job(settings, "saal_trajectories"), summaries, training


@pytest.fixture
def drawn(study, monkeypatch, tmp_path):
    job, summaries, training = study
    kept = []
    monkeypatch.setattr(trajectories, "write_figure_files", lambda figure, out: kept.append(figure))
    trajectories.draw_figure(job, summaries=summaries, training=training, out=tmp_path / "f")
    return kept[0]


def test_a_column_for_each_variant_a_line_for_each_run_output_and_class(study, drawn):
    _, summaries, training = study
    assert len(drawn.axes) == 3 * len(NAMES) + 1
    for column, name in enumerate(NAMES):
        runs = read_trajectories(training[name], read_summary(summaries[name], name))
        alpha, betas, weights = drawn.axes[3 * column : 3 * column + 3]
        assert len(alpha.get_lines()) == 3 and len(betas.get_lines()) == 18
        for run, line in zip(runs, alpha.get_lines(), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), run.alpha)
        np.testing.assert_array_equal(betas.get_lines()[5].get_ydata(), runs[0].betas[:, 5])
        np.testing.assert_array_equal(weights.get_lines()[1].get_ydata(), runs[0].relative_weights[:, 0])
        assert len(weights.get_lines()) == 1 + 9


def test_the_curve_below_is_the_ratio_and_the_bars_are_what_was_visited(drawn):
    axis = drawn.axes[-1]
    curve, *bars = [line for line in axis.get_lines() if len(line.get_xdata()) == 500 or line.get_linewidth() == 3]
    np.testing.assert_allclose(curve.get_ydata(), weight_ratio(curve.get_xdata(), (9, 19, 7)))
    assert [tuple(bar.get_xdata()) for bar in bars] == [(0.5, 0.8), (0.5, 0.999)]
    edge = alpha_of_ratio(1.01, (9, 19, 7))
    assert any(f"alpha = {edge:.5f}" in text.get_text() for text in axis.texts)


def test_lines_differ_in_grey_and_dash_not_in_colour_alone(drawn):
    betas, weights = drawn.axes[1], drawn.axes[2]
    greys = [line.get_color() for line in betas.get_lines()[:6]]
    assert len(set(greys)) == 6 and all(len(set(grey)) == 1 for grey in greys)
    assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in weights.get_lines()[1:4]}) == 3


def test_phantoms_are_called_so_and_the_bytes_are_the_same_twice(study, tmp_path):
    job, summaries, training = study
    for name in ("a", "b"):
        trajectories.draw_figure(job, summaries=summaries, training=training, out=tmp_path / name)
    for suffix in (".svg", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_the_mark_of_phantoms(drawn):
    assert drawn.get_suptitle() == "PHANTOM DATA"


def test_a_variant_without_its_files_is_refused(study, tmp_path):
    job, summaries, _ = study
    with pytest.raises(BadRequest, match="where: --training"):
        trajectories.draw_figure(job, summaries=summaries, training={}, out=tmp_path / "f")
