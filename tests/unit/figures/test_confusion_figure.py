"""Figure 5: counts and shares in the cells are those of the predictions."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures import confusion
from dsn_saal.params.figure_jobs import figure_job


@pytest.fixture
def evaluated(cohort, small_settings):
    fake, settings = cohort(), small_settings()
    job = figure_job(settings, "figure5")
    names = [name for row in job.rows for name in row.experiments]
    return fake, settings, job, {name: fake.evaluate(name, seed=n, settings=settings) for n, name in enumerate(names)}


def draw(monkeypatch, job, folders, tmp_path):
    drawn = []
    monkeypatch.setattr(confusion, "write_figure_files", lambda figure, out: drawn.append(figure))
    confusion.draw_figure(job, predictions=folders, out=tmp_path / "f")
    return drawn[0].axes


def test_cells_hold_mean_sd_and_share_of_scikit_learns_matrices(evaluated, monkeypatch, tmp_path):
    _, _, job, folders = evaluated
    axes = draw(monkeypatch, job, folders, tmp_path)
    names = [name for row in job.rows for name in row.experiments]
    titles = [f"{row.title}, {100 * share:g} %" for row in job.rows for share in row.shares]
    assert [axis.get_title() for axis in axes] == titles and titles[4] == "VGG-16, 1 %"
    for axis, name in zip(axes, names, strict=True):
        matrices = []
        for run in range(3):
            table = pd.read_parquet(folders[name] / f"run-{run:02d}" / "predictions.parquet")
            named = table[[f"p_{one}" for one in job.classes]].to_numpy().argmax(axis=1)
            matrices.append(confusion_matrix(table["label"], named, labels=[0, 1, 2]))
        mean, sd = np.mean(matrices, axis=0), np.std(matrices, axis=0, ddof=1)
        part = 100 * mean / mean.sum(axis=1, keepdims=True)
        cells = [text.get_text() for text in axis.texts]
        assert cells == [f"{mean[t, p]:.1f}±{sd[t, p]:.1f}\n{part[t, p]:.0f} %" for t in range(3) for p in range(3)]


def test_runs_that_diverged_are_left_out_and_said(evaluated, monkeypatch, tmp_path):
    fake, settings, job, folders = evaluated
    folders["dsn_saal"] = fake.evaluate("dsn_saal", settings=settings, failed=(0, 1))
    folders["vgg16_bn_ce"] = fake.evaluate("vgg16_bn_ce", settings=settings, failed=(0, 1, 2))
    axes = draw(monkeypatch, job, folders, tmp_path)
    by_title = {axis.get_title(): [text.get_text() for text in axis.texts] for axis in axes}
    assert by_title["VGG-16, 100 % (0 of 3 runs)"] == ["every run diverged"]
    assert all("±" not in cell for cell in by_title["DSN-SAAL, 100 % (1 of 3 runs)"])


def test_missing_runs_and_experiments_are_refused(evaluated, tmp_path):
    _, _, job, folders = evaluated
    (folders["dsn_saal"] / "run-01" / "predictions.parquet").unlink()
    with pytest.raises(CheckFailed, match="no predictions"):
        confusion.draw_figure(job, predictions=folders, out=tmp_path / "f")
    folders.pop("vgg16_bn_ce_covid_1")
    with pytest.raises(BadRequest, match="missing: vgg16_bn_ce_covid_1\n  where: --predictions"):
        confusion.draw_figure(job, predictions=folders, out=tmp_path / "f")
    assert not list(tmp_path.glob("f*"))
