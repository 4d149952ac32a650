"""What every item of the paper says alike: the data set that is shown, experiments as rows, known names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.base import Name, Section
from dsn_saal.params.protocols import Subsample
from dsn_saal.params.root import Settings


class ExperimentRow(Section):
    """An experiment as a table or a legend prints it."""

    name: Name
    title: str


def shown_dataset(settings: Settings) -> tuple[str, dict[str, str]]:
    """Title of the data set that the report shows, and the titles of its classes by name, in label order."""
    dataset = settings.datasets[settings.report.dataset]
    return dataset.title, {name: entry.title for name, entry in dataset.classes.items()}


def experiment_rows(settings: Settings, names: tuple[str, ...]) -> tuple[ExperimentRow, ...]:
    """Experiments with their titles, in the order of their names."""
    return tuple(ExperimentRow(name=name, title=settings.experiments[name].title) for name in names)


def training_share(settings: Settings, experiment: str) -> float:
    """Share of the thinned class's training slices that an experiment learns from."""
    protocol = settings.protocols[settings.experiments[experiment].protocol]
    return protocol.share if isinstance(protocol, Subsample) else 1.0


def measured(settings: Settings) -> dict[str, Any]:
    """What every table of experiments says of its rows together."""
    dataset_title, classes = shown_dataset(settings)
    return {
        "scale": settings.scale,
        "dataset_title": dataset_title,
        "classes": classes,
        "positive": settings.datasets[settings.report.dataset].positive,
        "runs": settings.train.runs,
        "width": settings.network.width,
        "select_epoch": settings.train.select_epoch,
    }


def known_job(kind: str, name: str, known: dict[str, Callable[[Settings], Section]]) -> Callable[[Settings], Section]:
    """The maker of an item's block; raises BadRequest where there is no such item."""
    if name not in known:
        raise BadRequest(f"there is no such {kind}", value=name, next_step=f"choose one of: {', '.join(known)}")
    return known[name]
