"""What the report that is read on a screen must know: the JSON block of its rule."""

from __future__ import annotations

import hashlib

from dsn_saal.domain.pixels import Pixels
from dsn_saal.params.base import Name, Section
from dsn_saal.params.figure_jobs import CONTACT_SHEET, FIGURES
from dsn_saal.params.jobs import train_job
from dsn_saal.params.report_job import ReportJob, report_job
from dsn_saal.params.root import Settings
from dsn_saal.params.shelves import Place, figure_place, table_shelf
from dsn_saal.params.table_jobs import shown_tables


class ShownExperiment(Section):
    """An experiment as its explanation names it; `settings_sha256` is the digest of its training's block of params."""

    title: str
    dataset: Name
    protocol: Name
    model: Name
    loss: Name
    method: Name
    labels: str
    pixels: Pixels
    settings_sha256: str


class ShownDataset(Section):
    """A data set with its splits."""

    title: str
    classes: dict[Name, str]
    protocols: tuple[Name, ...]
    accept: tuple[str, ...]


class HtmlJob(Section):
    """The report that is read on a screen."""

    paper: ReportJob
    dataset: Name
    protocol: Name
    datasets: dict[Name, ShownDataset]
    experiments: dict[Name, ShownExperiment]
    tables: dict[Name, Name]
    figures: dict[Name, Place]


def html_job(settings: Settings) -> HtmlJob:
    """The block of `dsn-saal html`."""
    datasets = {
        name: ShownDataset(
            title=dataset.title,
            classes={label: entry.title for label, entry in dataset.classes.items()},
            protocols=dataset.protocols,
            accept=dataset.accept,
        )
        for name, dataset in settings.datasets.items()
    }
    titles = {name: dataset.title for name, dataset in datasets.items()}
    figures = [*FIGURES, *(CONTACT_SHEET + name for name in datasets)]
    return HtmlJob(
        paper=report_job(settings),
        dataset=settings.report.dataset,
        protocol=settings.report.protocol,
        datasets=datasets,
        experiments={name: _experiment(settings, name) for name in settings.experiments},
        tables={name: table_shelf(name) for name in shown_tables(settings)},
        figures={name: figure_place(name, titles) for name in figures},
    )


def _experiment(settings: Settings, name: str) -> ShownExperiment:
    chosen = settings.experiments[name]
    block = train_job(settings, name).to_json()
    return ShownExperiment(
        title=chosen.title,
        dataset=chosen.dataset,
        protocol=chosen.protocol,
        model=chosen.model or "none",
        loss=chosen.loss or "none",
        method=chosen.method,
        labels=chosen.labels,
        pixels=chosen.pixels,
        settings_sha256=hashlib.sha256(block.encode("ascii")).hexdigest(),
    )
