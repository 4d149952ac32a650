"""Figure 4: curves and areas from predictions."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures import roc
from dsn_saal.params.figure_jobs import figure_job
from dsn_saal.storage.tables import read_table, write_table


class Drawn:
    """The figure's axes as they are when it is written."""

    def __init__(self, monkeypatch):
        self.figure: Figure | None = None
        monkeypatch.setattr(roc, "write_figure_files", lambda figure, out: setattr(self, "figure", figure))

    def legend(self, panel):
        return [text.get_text() for text in self.figure.axes[panel].get_legend().get_texts()]

    def line(self, panel, number):
        return self.figure.axes[panel].get_lines()[1 + number].get_ydata()


@pytest.fixture
def evaluated(cohort, small_settings):
    fake, settings = cohort(), small_settings()
    names = [row.name for row in figure_job(settings, "figure4").rows]
    return settings, {name: fake.evaluate(name, skill=1 + n, seed=n, settings=settings) for n, name in enumerate(names)}


def test_areas_in_the_legend_are_the_summaries(evaluated, monkeypatch, tmp_path):
    settings, folders = evaluated
    drawn = Drawn(monkeypatch)
    roc.draw_figure(figure_job(settings, "figure4"), predictions=folders, out=tmp_path / "f")
    for panel, name in enumerate(("auc.ovr_macro", "auc.covid19", "auc.normal", "auc.bacterial_pneumonia")):
        for number, folder in enumerate(folders.values()):
            metric = json.loads((folder / "summary.json").read_text())["metrics"][name]
            assert drawn.legend(panel)[number].endswith(f"{metric['mean']:.3f} ± {metric['sd']:.3f}")


def test_curves_rise_from_corner_to_corner(evaluated, monkeypatch, tmp_path):
    settings, folders = evaluated
    drawn = Drawn(monkeypatch)
    roc.draw_figure(figure_job(settings, "figure4"), predictions=folders, out=tmp_path / "f")
    for panel in range(4):
        curve = np.asarray(drawn.line(panel, 1), dtype=float)
        assert (np.diff(curve) >= -1e-12).all() and curve[0] == 0 and curve[-1] == 1


def test_methods_differ_in_dash_as_well_as_in_colour():
    assert (
        len({str(dash) for _, dash in roc.LINES[:4]}) == 4
        and len({colour for colour, _ in roc.LINES}) == len(roc.LINES) >= 9
    )


def test_twice_the_same_bytes(evaluated, tmp_path):
    settings, folders = evaluated
    for name in ("a", "b"):
        roc.draw_figure(figure_job(settings, "figure4"), predictions=folders, out=tmp_path / name)
    for suffix in (".svg", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    drawing = (tmp_path / "a.svg").read_bytes()
    assert b"<text" not in drawing and b"<path" in drawing  # text is drawn as paths: no reader needs the font


def refused(evaluated, tmp_path, error, match):
    settings, folders = evaluated
    with pytest.raises(error, match=match):
        roc.draw_figure(figure_job(settings, "figure4"), predictions=folders, out=tmp_path / "f")
    assert not list(tmp_path.glob("f.*"))


def test_an_experiment_without_predictions_is_refused(evaluated, tmp_path):
    evaluated[1].pop("dsn_saal")
    refused(evaluated, tmp_path, BadRequest, "missing: dsn_saal\n  where: --predictions")


def test_a_missing_run_is_refused(evaluated, tmp_path):
    (evaluated[1]["dsn_saal"] / "run-01" / "predictions.parquet").unlink()
    refused(evaluated, tmp_path, CheckFailed, "no predictions")


def test_a_surplus_run_is_refused(evaluated, tmp_path):
    folder = evaluated[1]["dsn_saal"]
    shutil.copytree(folder / "run-00", folder / "run-03")
    refused(evaluated, tmp_path, CheckFailed, "more runs")


def test_predictions_of_other_slices_are_not_set_side_by_side(evaluated, tmp_path):
    path = evaluated[1]["dsn_saal"] / "run-02" / "predictions.parquet"
    write_table(path, pd.read_parquet(path).iloc[1:])
    refused(evaluated, tmp_path, CheckFailed, "other slices")


def test_predictions_of_other_classes_are_refused(evaluated, tmp_path):
    for run in range(3):
        path = evaluated[1]["dsn_saal"] / f"run-{run:02d}" / "predictions.parquet"
        write_table(path, pd.read_parquet(path).rename(columns={"p_normal": "p_healthy"}))
    refused(evaluated, tmp_path, CheckFailed, "lack a column\n  value: p_normal")


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "nan in column p_normal"), (-0.1, "-0.1 in column p_normal"), (7.0, "do not sum to 1")],
)
def test_what_is_no_probability_is_never_drawn(evaluated, tmp_path, value, message):
    path = evaluated[1]["dsn_saal"] / "run-01" / "predictions.parquet"
    table = read_table(path)
    table.loc[3, "p_normal"] = value
    write_table(path, table)
    refused(evaluated, tmp_path, CheckFailed, message)


def test_a_run_without_predictions_that_did_not_diverge_is_refused(evaluated, tmp_path):
    path = evaluated[1]["dsn_saal"] / "run-01" / "predictions.parquet"
    write_table(path, read_table(path).iloc[:0])
    refused(evaluated, tmp_path, CheckFailed, "does not say that it diverged")


@pytest.mark.parametrize("failed", [(0,), (0, 1, 2)])
def test_runs_that_diverged_are_left_out_and_counted(cohort, small_settings, monkeypatch, tmp_path, failed):
    fake, settings = cohort(), small_settings()
    names = [row.name for row in figure_job(settings, "figure4").rows]
    folders = {name: fake.evaluate(name, seed=n, settings=settings) for n, name in enumerate(names[1:])}
    folders = {names[0]: fake.evaluate(names[0], seed=9, settings=settings, failed=failed)} | folders
    drawn = Drawn(monkeypatch)
    roc.draw_figure(figure_job(settings, "figure4"), predictions=folders, out=tmp_path / "f")
    first, second, *_ = drawn.legend(0)
    metric = json.loads((folders[names[0]] / "summary.json").read_text())["metrics"]["auc.ovr_macro"]
    area = "–" if metric["mean"] is None else f"{metric['mean']:.3f} ± {metric['sd']:.3f}"
    assert first.endswith(f"{area} ({3 - len(failed)} of 3 runs, the rest diverged)") and "diverged" not in second
    assert len(drawn.line(0, 0)) == (0 if len(failed) == 3 else 402)


def test_a_figure_without_any_run_is_still_drawn(cohort, small_settings, tmp_path):
    fake, settings = cohort(), small_settings()
    names = [row.name for row in figure_job(settings, "figure4").rows]
    folders = {name: fake.evaluate(name, settings=settings, failed=(0, 1, 2)) for name in names}
    roc.draw_figure(figure_job(settings, "figure4"), predictions=folders, out=tmp_path / "f")
    assert (tmp_path / "f.svg").is_file()
