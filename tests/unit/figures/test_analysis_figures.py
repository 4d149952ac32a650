"""Figures of analyses and of training: they are drawn also where a method diverged, and show what they read."""

import matplotlib.image
import numpy as np
import pytest

from dsn_saal.analyse import calibration, decision, positions
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.evaluate.histories import read_histories
from dsn_saal.evaluate.summaries import read_summary
from dsn_saal.figures import calibration as calibration_figure
from dsn_saal.figures import decision_curve, training_curves
from dsn_saal.figures import positions as positions_figure
from dsn_saal.params.analyse_jobs import analyse_job
from dsn_saal.params.figure_jobs import ANALYSIS_FIGURES, figure_job
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.tables import write_table

PAIR = ["vgg16_bn_ce", "dsn_saal"]
DRAWN = {
    "calibration": (calibration, calibration_figure), "decision_curve": (decision, decision_curve),
    "positions": (positions, positions_figure),
}  # fmt: skip


@pytest.fixture
def analysed(cohort, small_settings, tmp_path):
    def make(name, failed=(), change=lambda fake: None):
        fake, settings = cohort(cases=(8, 9, 7), test_cases=3), small_settings()
        change(fake)
        folders = {}
        for place, row in enumerate(PAIR):
            gone = failed if row == "dsn_saal" else ()
            folders[row] = fake.evaluate(row, skill=1 + place, seed=place, settings=settings, failed=gone)
            fake.fit(row, settings)
        more = {"index": fake.index_path} if name == "positions" else {}
        held = DRAWN[name][0].analyse(analyse_job(settings, ANALYSIS_FIGURES[name]), predictions=folders, **more)
        write_json(tmp_path / "a.json", held)
        return figure_job(settings, name), tmp_path / "a.json"

    return make


@pytest.mark.parametrize("failed", [(), (0, 1, 2)])
@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_drawn_with_its_mark_and_the_same_bytes_again(analysed, name, failed, tmp_path):
    job, analysis = analysed(name, failed)
    for stem in ("one", "two"):
        DRAWN[name][1].draw_figure(job, analysis=analysis, out=tmp_path / stem)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    pixels = matplotlib.image.imread(tmp_path / "one.png")
    red = (abs(pixels[..., :3] - np.array([0xB0, 0x00, 0x20]) / 255) < 0.02).all(axis=-1)
    assert red.any(), "the mark of phantoms"


def test_a_figure_of_other_classes_or_another_analysis_is_refused(analysed, tmp_path):
    job, analysis = analysed("decision_curve")
    with pytest.raises(CheckFailed, match="other classes"):
        decision_curve.draw_figure(
            job.model_copy(update={"classes": {"a": "A", "b": "B"}}), analysis=analysis, out=tmp_path / "f"
        )
    with pytest.raises(CheckFailed, match="not the analysis calibration"):
        calibration_figure.draw_figure(job, analysis=analysis, out=tmp_path / "f")


def test_without_heights_the_figure_says_why(analysed, tmp_path):
    def flat(fake):
        write_table(fake.index_path, fake.index.assign(z_mm=np.nan))

    job, analysis = analysed("positions", change=flat)
    positions_figure.draw_figure(job, analysis=analysis, out=tmp_path / "f")
    assert (tmp_path / "f.png").is_file()


def test_training_curves_show_every_run_that_finished(cohort, small_settings, tmp_path):
    fake, settings = cohort(), small_settings(report__table3=PAIR)
    summaries = {name: fake.evaluate(name, settings=settings) / "summary.json" for name in PAIR}
    training = {name: fake.train(name, settings) for name in PAIR}
    job = figure_job(settings, "training_curves")
    held = read_histories(training["dsn_saal"], read_summary(summaries["dsn_saal"], "dsn_saal"))
    assert len(held) == 3 and held[0].loss == pytest.approx([1, 1 / 2, 1 / 3])
    assert held[0].accuracy == pytest.approx([0.6, 0.7, 0.8])
    training_curves.draw_figure(job, summaries=summaries, training=training, out=tmp_path / "f")
    assert (tmp_path / "f.svg").is_file()
    with pytest.raises(BadRequest, match="where: --training"):
        training_curves.draw_figure(job, summaries=summaries, training={}, out=tmp_path / "f")
    (training["dsn_saal"] / "run-01" / "history.csv").write_text("epoch,loss\n1,2\n")
    with pytest.raises(CheckFailed, match="was altered"):
        training_curves.draw_figure(job, summaries=summaries, training=training, out=tmp_path / "f")
