"""What one table must know: the JSON blocks of the rules of tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dsn_saal.params.base import Name, Section
from dsn_saal.params.open_choices import SwitchboardRow, switchboard
from dsn_saal.params.public_table_jobs import PUBLIC_TABLES, public_table_job
from dsn_saal.params.root import Settings
from dsn_saal.params.shown import ExperimentRow, experiment_rows, known_job, measured, shown_dataset, training_share


class CohortTableJob(Section):
    """Table 2: the cohort."""

    dataset_title: str
    classes: dict[Name, str]


class DatasetsTableJob(Section):
    """The data sets as they were read."""

    datasets: dict[Name, str]


class SplitDataset(Section):
    """A data set with its splits."""

    title: str
    protocols: tuple[Name, ...]
    accept: tuple[str, ...]


class CertificatesTableJob(Section):
    """What each split proves."""

    datasets: dict[Name, SplitDataset]


class ResultTableJob(Section):
    """Tables 3, 4 and 5: experiments on one test part."""

    id: Name
    title: str
    scale: str
    dataset_title: str
    shows_network: bool
    classes: dict[Name, str]
    positive: Name
    rows: tuple[ExperimentRow, ...]
    runs: int
    width: float
    select_epoch: str


class ShareRow(Section):
    """An experiment of Table 6: a method on a share of one class's training slices."""

    name: Name
    method: str
    share: float


class SharesTableJob(Section):
    """Table 6: fewer and fewer training slices of one class."""

    scale: str
    dataset_title: str
    classes: dict[Name, str]
    positive: Name
    rows: tuple[ShareRow, ...]
    runs: int
    width: float
    select_epoch: str


class CrossTableJob(Section):
    """Networks of one data set on the test parts of others."""

    rows: tuple[ExperimentRow, ...]
    datasets: dict[Name, str]
    positive_title: str


class AuditTableJob(Section):
    """What forensics found, or the verdicts."""

    id: Name
    reported: str


class CompositionsTableJob(Section):
    """Table 1: data of earlier studies, and of ours."""

    datasets: dict[Name, SplitDataset]
    classes: dict[Name, dict[Name, str]]


class SwitchboardTableJob(Section):
    """The definition switchboard."""

    rows: tuple[SwitchboardRow, ...]


def cohort_table_job(settings: Settings) -> CohortTableJob:
    """The block of `dsn-saal table table2`."""
    dataset_title, classes = shown_dataset(settings)
    return CohortTableJob(dataset_title=dataset_title, classes=classes)


def datasets_table_job(settings: Settings) -> DatasetsTableJob:
    """The block of `dsn-saal table datasets`."""
    return DatasetsTableJob(datasets={name: dataset.title for name, dataset in settings.datasets.items()})


def certificates_table_job(settings: Settings) -> CertificatesTableJob:
    """The block of `dsn-saal table certificates`."""
    return CertificatesTableJob(
        datasets={
            name: SplitDataset(title=dataset.title, protocols=dataset.protocols, accept=dataset.accept)
            for name, dataset in settings.datasets.items()
        }
    )


RESULT_TABLES = {
    "table3": "Methods compared on the test part",
    "table4": "Backbones with and without deep supervision, on the test part",
    "table5": "Losses compared on the test part",
}
"""Tables of experiments and their titles, before the data set's."""


def result_table_job(settings: Settings, name: str) -> ResultTableJob:
    """The block of `dsn-saal table table3`, `table4` or `table5`."""
    return ResultTableJob(
        id=name,
        title=RESULT_TABLES[name],
        rows=experiment_rows(settings, settings.report.lists[name]),
        shows_network=name == "table4",
        **measured(settings),
    )


def shares_table_job(settings: Settings) -> SharesTableJob:
    """The block of `dsn-saal table table6`."""
    rows = [
        ShareRow(name=name, method=method, share=training_share(settings, name))
        for method, names in settings.report.table6.items()
        for name in names
    ]
    return SharesTableJob(rows=tuple(rows), **measured(settings))


def cross_table_job(settings: Settings) -> CrossTableJob:
    """The block of `dsn-saal table cross`."""
    rows = experiment_rows(settings, settings.probe.cross)
    own = [settings.experiments[row.name].dataset for row in rows]
    shown = settings.datasets[settings.report.dataset]
    return CrossTableJob(
        rows=rows,
        datasets={name: settings.datasets[name].title for name in dict.fromkeys([*settings.probe.cross_tests, *own])},
        positive_title=shown.classes[shown.positive].title,
    )


def switchboard_table_job(settings: Settings) -> SwitchboardTableJob:
    """The block of `dsn-saal table switchboard`."""
    return SwitchboardTableJob(rows=tuple(switchboard(settings)))


def ablation_table_job(settings: Settings) -> ResultTableJob:
    """The block of `dsn-saal table saal_ablation`."""
    return ResultTableJob(
        id="saal_ablation",
        title="What alpha and beta do: SAAL as read from the paper, and changes of it, on the test part",
        rows=experiment_rows(settings, settings.report.saal_ablation),
        shows_network=False,
        **measured(settings),
    )


AUDIT_TABLES = ("forensics", "verdicts")
"""Tables of the audit."""


def audit_table_job(settings: Settings, name: str) -> AuditTableJob:
    """The block of `dsn-saal table forensics` or `verdicts`."""
    return AuditTableJob(id=name, reported=settings.report.reported)


def compositions_table_job(settings: Settings) -> CompositionsTableJob:
    """The block of `dsn-saal table table1`."""
    return CompositionsTableJob(
        datasets=certificates_table_job(settings).datasets,
        classes={
            name: {key: entry.title for key, entry in dataset.classes.items()}
            for name, dataset in settings.datasets.items()
        },
    )


class AnalysisTableJob(Section):
    """A table of an analysis: comparisons or levels."""

    title: str
    dataset_title: str
    classes: dict[Name, str]
    positive: Name


ANALYSIS_TABLES = {
    "comparisons": "Comparisons, paired by run and by case, on the test part",
    "levels": "Methods by slice, by case-weighted slice and by case, on the test part",
}
"""Tables of analyses and their titles, before the data set's."""


def analysis_table_job(settings: Settings, name: str) -> AnalysisTableJob:
    """The block of `dsn-saal table comparisons` or `levels`."""
    dataset_title, classes = shown_dataset(settings)
    positive = settings.datasets[settings.report.dataset].positive
    return AnalysisTableJob(
        title=ANALYSIS_TABLES[name], dataset_title=dataset_title, classes=classes, positive=positive
    )


TABLES: dict[str, Callable[[Settings], Section]] = {
    "table2": cohort_table_job,
    **{name: partial(result_table_job, name=name) for name in RESULT_TABLES},
    "table6": shares_table_job,
    "table1": compositions_table_job,
    **{name: partial(public_table_job, name=name) for name in PUBLIC_TABLES},
    "saal_ablation": ablation_table_job,
    "cross": cross_table_job,
    **{name: partial(audit_table_job, name=name) for name in AUDIT_TABLES},
    **{name: partial(analysis_table_job, name=name) for name in ANALYSIS_TABLES},
    "datasets": datasets_table_job,
    "certificates": certificates_table_job,
    "switchboard": switchboard_table_job,
}


def table_job(settings: Settings, name: str) -> Section:
    """The block of `dsn-saal table NAME`."""
    return known_job("table", name, TABLES)(settings)


def shown_tables(settings: Settings) -> list[str]:
    """The tables that are made: all, but of the public sets those that have an experiment."""
    empty = {name for name, experiments in settings.report.public_tables.items() if not experiments}
    return [name for name in TABLES if name not in empty]
