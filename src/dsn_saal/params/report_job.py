"""What the printed paper must know: the JSON block of its rule."""

from __future__ import annotations

from typing import Literal, cast

from dsn_saal.params.base import Name, Section
from dsn_saal.params.data import Preprocess
from dsn_saal.params.learning import Evaluate, Model, Network, Train
from dsn_saal.params.losses import Loss
from dsn_saal.params.protocols import Cases
from dsn_saal.params.regimens import Regimen
from dsn_saal.params.root import Settings
from dsn_saal.params.shown import ExperimentRow, experiment_rows, shown_dataset
from dsn_saal.params.table_jobs import shown_tables


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
    shortcut: ExperimentRow | None
    diagnosed: ExperimentRow
    failures_per_cell: int
    cams: tuple[ExperimentRow, ...]
    cam_tap: Literal["after_relu", "after_conv"]
    cam_class: Literal["predicted", "label"]
    crosses: tuple[ExperimentRow, ...]
    saal_ablation: tuple[ExperimentRow, ...]
    contact_sheets: dict[Name, str]
    tables: tuple[Name, ...]


def report_job(settings: Settings) -> ReportJob:
    """The block of `dsn-saal report`."""
    report, (dataset_title, classes) = settings.report, shown_dataset(settings)
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
        models={name: settings.models[name] for experiment in shown if (name := experiment.model)},
        losses={name: settings.losses[name] for experiment in shown if (name := experiment.loss)},
        regimen=settings.regimen_of(report.table3[0]),
        train=settings.train,
        evaluate=settings.evaluate,
        rows=experiment_rows(settings, report.table3),
        control=experiment_rows(settings, (report.control,))[0] if report.control else None,
        shortcut=experiment_rows(settings, (report.shortcut,))[0] if report.shortcut else None,
        diagnosed=experiment_rows(settings, (report.figure6,))[0],
        failures_per_cell=report.failures_per_cell,
        cams=experiment_rows(settings, settings.probe.cam),
        cam_tap=settings.probe.cam_tap,
        cam_class=settings.probe.cam_class,
        crosses=experiment_rows(settings, settings.probe.cross),
        saal_ablation=experiment_rows(settings, report.saal_ablation),
        tables=tuple(shown_tables(settings)),
        contact_sheets={name: dataset.title for name, dataset in settings.datasets.items()},
    )
