"""What one figure must know: the JSON blocks of the rules of figures."""

from __future__ import annotations

from collections.abc import Callable

from dsn_saal.params.base import Name, Section
from dsn_saal.params.root import Settings
from dsn_saal.params.shown import ExperimentRow, experiment_rows, known_job, shown_dataset, training_share


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


class FlowFigureJob(Section):
    """Figure 1: the workflow, whose graph comes from the rules themselves."""

    scale: str


class NetworkFigureJob(Section):
    """Figure 2: the network, which describes itself."""

    title: str
    classes: dict[Name, str]


class ConfusionRow(Section):
    """A method of Figure 5 with its experiments, the whole training part first, and the share of each."""

    title: str
    experiments: tuple[Name, ...]
    shares: tuple[float, ...]


class ConfusionFigureJob(Section):
    """Figure 5: confusion matrices with fewer and fewer training slices of the positive class."""

    classes: dict[Name, str]
    positive: Name
    rows: tuple[ConfusionRow, ...]
    runs: int
    std_ddof: int


class DiagnosesFigureJob(Section):
    """Figure 6 and the gallery of failures: slices of the test part with what the networks say of them."""

    classes: dict[Name, str]
    experiment: ExperimentRow
    runs: int
    per_cell: int


class CamFigureJob(Section):
    """Figure 7: class activation maps side by side."""

    classes: dict[Name, str]
    rows: tuple[ExperimentRow, ...]
    cases_per_class: int


class MarginsFigureJob(Section):
    """How many claims hold as the margin moves."""

    reported: str
    largest_margin: float


def margins_figure_job(settings: Settings) -> MarginsFigureJob:
    """The block of `dsn-saal figure margins`."""
    return MarginsFigureJob(reported=settings.report.reported, largest_margin=settings.audit.largest_margin)


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


def flow_figure_job(settings: Settings) -> FlowFigureJob:
    """The block of `dsn-saal figure figure1`."""
    return FlowFigureJob(scale=settings.scale)


def network_figure_job(settings: Settings) -> NetworkFigureJob:
    """The block of `dsn-saal figure figure2`."""
    experiment = settings.experiments[settings.probe.network]
    classes = settings.datasets[experiment.dataset].classes
    return NetworkFigureJob(title=experiment.title, classes={name: entry.title for name, entry in classes.items()})


def confusion_figure_job(settings: Settings) -> ConfusionFigureJob:
    """The block of `dsn-saal figure figure5`."""
    return ConfusionFigureJob(
        classes=shown_dataset(settings)[1],
        positive=settings.datasets[settings.report.dataset].positive,
        rows=tuple(
            ConfusionRow(title=title, experiments=names, shares=tuple(training_share(settings, name) for name in names))
            for title, names in settings.report.table6.items()
        ),
        runs=settings.train.runs,
        std_ddof=settings.evaluate.std_ddof,
    )


def diagnoses_figure_job(settings: Settings, per_cell: int) -> DiagnosesFigureJob:
    """The block of `dsn-saal figure figure6` and `failures`."""
    return DiagnosesFigureJob(
        classes=shown_dataset(settings)[1],
        experiment=experiment_rows(settings, (settings.report.figure6,))[0],
        runs=settings.train.runs,
        per_cell=per_cell,
    )


def cam_figure_job(settings: Settings) -> CamFigureJob:
    """The block of `dsn-saal figure figure7`."""
    return CamFigureJob(
        classes=shown_dataset(settings)[1],
        rows=experiment_rows(settings, settings.probe.cam),
        cases_per_class=settings.report.figure7_cases_per_class,
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
    "figure1": flow_figure_job,
    "figure2": network_figure_job,
    "figure3": samples_figure_job,
    "figure4": roc_figure_job,
    "figure5": confusion_figure_job,
    "figure6": lambda settings: diagnoses_figure_job(settings, 2),
    "figure7": cam_figure_job,
    "failures": lambda settings: diagnoses_figure_job(settings, settings.report.failures_per_cell),
    "saal_trajectories": trajectories_figure_job,
    "margins": margins_figure_job,
    **dict.fromkeys(ANALYSIS_FIGURES, analysis_figure_job),
    "training_curves": curves_figure_job,
}
CONTACT_SHEET = "contact_sheet_"
"""Name of a data set's contact sheet before the data set's."""


def figure_job(settings: Settings, name: str) -> Section:
    """The block of `dsn-saal figure NAME`."""
    return known_job("figure", name, FIGURES)(settings)
