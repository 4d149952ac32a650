"""What one table, one figure and the printed paper must know: the JSON blocks of their rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.base import Name, Section
from dsn_saal.params.data import Preprocess
from dsn_saal.params.learning import Evaluate, Model, Network, Train
from dsn_saal.params.losses import Loss
from dsn_saal.params.protocols import Cases, Subsample
from dsn_saal.params.regimens import Regimen
from dsn_saal.params.root import Settings, SwitchboardRow, switchboard


class ExperimentRow(Section):
    """An experiment as a table or a legend prints it."""

    name: Name
    title: str


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


class SwitchboardTableJob(Section):
    """The definition switchboard."""

    rows: tuple[SwitchboardRow, ...]


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


class ReportJob(Section):
    """The printed paper."""

    scale: str
    dataset_title: str
    classes: dict[Name, str]
    positive: Name
    preprocess: Preprocess
    split: Cases
    network: Network
    models: dict[Name, Model]
    losses: dict[Name, Loss]
    regimen: Regimen
    train: Train
    evaluate: Evaluate
    rows: tuple[ExperimentRow, ...]
    control: ExperimentRow | None
    saal_ablation: tuple[ExperimentRow, ...]
    contact_sheets: dict[Name, str]


def cohort_table_job(settings: Settings) -> CohortTableJob:
    """The block of `dsn-saal table table2`."""
    dataset_title, classes = _dataset(settings)
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
        rows=_rows(settings, settings.report.lists[name]),
        shows_network=name == "table4",
        **_measured(settings),
    )


def shares_table_job(settings: Settings) -> SharesTableJob:
    """The block of `dsn-saal table table6`."""
    rows = [
        ShareRow(name=name, method=method, share=_share(settings, name))
        for method, names in settings.report.table6.items()
        for name in names
    ]
    return SharesTableJob(rows=tuple(rows), **_measured(settings))


def _share(settings: Settings, experiment: str) -> float:
    protocol = settings.protocols[settings.experiments[experiment].protocol]
    return protocol.share if isinstance(protocol, Subsample) else 1.0


def _measured(settings: Settings) -> dict[str, Any]:
    """What every table of experiments says of its rows together."""
    dataset_title, classes = _dataset(settings)
    return {
        "scale": settings.scale,
        "dataset_title": dataset_title,
        "classes": classes,
        "positive": settings.datasets[settings.report.dataset].positive,
        "runs": settings.train.runs,
        "width": settings.network.width,
        "select_epoch": settings.train.select_epoch,
    }


def switchboard_table_job(settings: Settings) -> SwitchboardTableJob:
    """The block of `dsn-saal table switchboard`."""
    return SwitchboardTableJob(rows=tuple(switchboard(settings)))


def samples_figure_job(settings: Settings) -> SamplesFigureJob:
    """The block of `dsn-saal figure figure3`."""
    return SamplesFigureJob(classes=_dataset(settings)[1], cases_per_class=settings.report.figure3_cases_per_class)


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
        classes=_dataset(settings)[1],
        rows=_rows(settings, settings.report.figure4),
        runs=settings.train.runs,
        std_ddof=settings.evaluate.std_ddof,
    )


def ablation_table_job(settings: Settings) -> ResultTableJob:
    """The block of `dsn-saal table saal_ablation`."""
    return ResultTableJob(
        id="saal_ablation",
        title="What alpha and beta do: SAAL as read from the paper, and changes of it, on the test part",
        rows=_rows(settings, settings.report.saal_ablation),
        shows_network=False,
        **_measured(settings),
    )


def trajectories_figure_job(settings: Settings) -> TrajectoriesFigureJob:
    """The block of `dsn-saal figure saal_trajectories`."""
    return TrajectoriesFigureJob(
        classes=_dataset(settings)[1],
        rows=_rows(settings, settings.report.saal_ablation),
        runs=settings.train.runs,
    )


TABLES: dict[str, Callable[[Settings], Section]] = {
    "table2": cohort_table_job,
    **{name: partial(result_table_job, name=name) for name in RESULT_TABLES},
    "table6": shares_table_job,
    "saal_ablation": ablation_table_job,
    "datasets": datasets_table_job,
    "certificates": certificates_table_job,
    "switchboard": switchboard_table_job,
}
FIGURES: dict[str, Callable[[Settings], Section]] = {
    "figure3": samples_figure_job,
    "figure4": roc_figure_job,
    "saal_trajectories": trajectories_figure_job,
}
CONTACT_SHEET = "contact_sheet_"
"""Name of a data set's contact sheet before the data set's."""


def table_job(settings: Settings, name: str) -> Section:
    """The block of `dsn-saal table NAME`."""
    return _known("table", name, TABLES)(settings)


def figure_job(settings: Settings, name: str) -> Section:
    """The block of `dsn-saal figure NAME`."""
    return _known("figure", name, FIGURES)(settings)


def report_job(settings: Settings) -> ReportJob:
    """The block of `dsn-saal report`."""
    report, (dataset_title, classes) = settings.report, _dataset(settings)
    split = cast("Cases", settings.protocols[report.protocol])  # a law of the settings
    shown = [settings.experiments[name] for name in report.table3]
    return ReportJob(
        scale=settings.scale,
        dataset_title=dataset_title,
        classes=classes,
        positive=settings.datasets[report.dataset].positive,
        preprocess=settings.preprocess,
        split=split,
        network=settings.network,
        models={experiment.model: settings.models[experiment.model] for experiment in shown},
        losses={experiment.loss: settings.losses[experiment.loss] for experiment in shown},
        regimen=settings.regimen_of(report.table3[0]),
        train=settings.train,
        evaluate=settings.evaluate,
        rows=_rows(settings, report.table3),
        control=_rows(settings, (report.control,))[0] if report.control else None,
        saal_ablation=_rows(settings, report.saal_ablation),
        contact_sheets={name: dataset.title for name, dataset in settings.datasets.items()},
    )


def _dataset(settings: Settings) -> tuple[str, dict[str, str]]:
    dataset = settings.datasets[settings.report.dataset]
    return dataset.title, {name: entry.title for name, entry in dataset.classes.items()}


def _rows(settings: Settings, names: tuple[str, ...]) -> tuple[ExperimentRow, ...]:
    return tuple(ExperimentRow(name=name, title=settings.experiments[name].title) for name in names)


def _known(kind: str, name: str, known: dict[str, Callable[[Settings], Section]]) -> Callable[[Settings], Section]:
    if name not in known:
        raise BadRequest(f"there is no such {kind}", value=name, next_step=f"choose one of: {', '.join(known)}")
    return known[name]
