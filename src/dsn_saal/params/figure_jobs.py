"""What one figure must know: the JSON blocks of the rules of figures."""

from __future__ import annotations

from collections.abc import Callable

from dsn_saal.params.base import Name, Section
from dsn_saal.params.root import Settings
from dsn_saal.params.shown import ExperimentRow, experiment_rows, known_job, shown_dataset


class SamplesFigureJob(Section):
    """Figure 3: samples of the classes."""

    classes: dict[Name, str]
    cases_per_class: int


class ContactSheetJob(Section):
    """A contact sheet of one data set."""

    title: str
    classes: dict[Name, str]
    cut_out: bool


class TrajectoriesFigureJob(Section):
    """What alpha, beta and the class weights did."""

    classes: dict[Name, str]
    rows: tuple[ExperimentRow, ...]
    runs: int


class RocFigureJob(Section):
    """Figure 4: ROC curves."""

    classes: dict[Name, str]
    rows: tuple[ExperimentRow, ...]
    runs: int
    std_ddof: int


class AnalysisFigureJob(Section):
    """A figure of an analysis: calibration, decision curve or positions."""

    classes: dict[Name, str]
    positive: Name


class CurvesFigureJob(Section):
    """Loss and accuracy over training."""

    rows: tuple[ExperimentRow, ...]
    runs: int


def samples_figure_job(settings: Settings) -> SamplesFigureJob:
    """The block of `dsn-saal figure figure3`."""
    return SamplesFigureJob(classes=shown_dataset(settings)[1], cases_per_class=settings.report.figure3_cases_per_class)


def contact_sheet_job(settings: Settings, dataset: str) -> ContactSheetJob:
    """The block of `dsn-saal figure contact_sheet_<dataset>`."""
    chosen = settings.datasets[dataset]
    return ContactSheetJob(
        title=chosen.title,
        classes={name: entry.title for name, entry in chosen.classes.items()},
        cut_out=chosen.lungs == "hull",
    )


def roc_figure_job(settings: Settings) -> RocFigureJob:
    """The block of `dsn-saal figure figure4`."""
    return RocFigureJob(
        classes=shown_dataset(settings)[1],
        rows=experiment_rows(settings, settings.report.figure4),
        runs=settings.train.runs,
        std_ddof=settings.evaluate.std_ddof,
    )


def trajectories_figure_job(settings: Settings) -> TrajectoriesFigureJob:
    """The block of `dsn-saal figure saal_trajectories`."""
    return TrajectoriesFigureJob(
        classes=shown_dataset(settings)[1],
        rows=experiment_rows(settings, settings.report.saal_ablation),
        runs=settings.train.runs,
    )


def analysis_figure_job(settings: Settings) -> AnalysisFigureJob:
    """The block of `dsn-saal figure calibration`, `decision_curve` or `positions`."""
    positive = settings.datasets[settings.report.dataset].positive
    return AnalysisFigureJob(classes=shown_dataset(settings)[1], positive=positive)


def curves_figure_job(settings: Settings) -> CurvesFigureJob:
    """The block of `dsn-saal figure training_curves`."""
    return CurvesFigureJob(rows=experiment_rows(settings, settings.report.table3), runs=settings.train.runs)


ANALYSIS_FIGURES = {"calibration": "calibration", "decision_curve": "decision", "positions": "positions"}
"""Figures of analyses, and the analysis that each draws."""

FIGURES: dict[str, Callable[[Settings], Section]] = {
    "figure3": samples_figure_job,
    "figure4": roc_figure_job,
    "saal_trajectories": trajectories_figure_job,
    **dict.fromkeys(ANALYSIS_FIGURES, analysis_figure_job),
    "training_curves": curves_figure_job,
}
CONTACT_SHEET = "contact_sheet_"
"""Name of a data set's contact sheet before the data set's."""


def figure_job(settings: Settings, name: str) -> Section:
    """The block of `dsn-saal figure NAME`."""
    return known_job("figure", name, FIGURES)(settings)
