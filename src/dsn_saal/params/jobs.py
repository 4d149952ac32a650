"""What one job of the workflow must know, and nothing else: the JSON a rule hands to a subcommand.

A job's block holds exactly the values its result depends on, so that a change in params.yaml reruns exactly the jobs it
touches.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.base import Section
from dsn_saal.params.data import Ingest, Name, Phantom, Preprocess, Split
from dsn_saal.params.learning import Evaluate, Labels, Loss, Model, Network, Train
from dsn_saal.params.root import Settings

Job = TypeVar("Job", bound=Section)


class PhantomJob(Section):
    """Write one phantom cohort."""

    phantom: Phantom
    folders: dict[Name, str]


class IngestJob(Section):
    """Read one data set's DICOM tree."""

    folders: dict[Name, tuple[str, ...]]
    ingest: Ingest


class PreprocessJob(Section):
    """Turn one manifest into images and masks."""

    preprocess: Preprocess
    air_hu: int


class SplitJob(Section):
    """Split one data set by case."""

    split: Split
    classes: tuple[Name, ...]


class TrainJob(Section):
    """Train all runs of one experiment."""

    name: Name
    labels: Labels
    network: Network
    model: Model
    loss: Loss
    train: Train
    image_size: int
    classes: tuple[Name, ...]
    accept: tuple[str, ...]


class EvaluateJob(Section):
    """Predict and measure all runs of one experiment."""

    name: Name
    network: Network
    model: Model
    evaluate: Evaluate
    runs: int
    threads: int
    image_size: int
    classes: tuple[Name, ...]
    positive: Name


def phantom_job(settings: Settings, dataset: str) -> PhantomJob:
    """The block of `dsn-saal phantom`."""
    classes = settings.datasets[dataset].classes
    return PhantomJob(phantom=settings.phantom, folders={name: entry.folders[0] for name, entry in classes.items()})


def ingest_job(settings: Settings, dataset: str) -> IngestJob:
    """The block of `dsn-saal ingest`."""
    classes = settings.datasets[dataset].classes
    return IngestJob(folders={name: entry.folders for name, entry in classes.items()}, ingest=settings.ingest)


def preprocess_job(settings: Settings) -> PreprocessJob:
    """The block of `dsn-saal preprocess`."""
    return PreprocessJob(preprocess=settings.preprocess, air_hu=settings.ingest.air_hu)


def split_job(settings: Settings, dataset: str) -> SplitJob:
    """The block of `dsn-saal split`."""
    return SplitJob(split=settings.split, classes=tuple(settings.datasets[dataset].classes))


def train_job(settings: Settings, name: str) -> TrainJob:
    """The block of `dsn-saal train` for one experiment."""
    experiment = settings.experiments[name]
    return TrainJob(
        name=name,
        labels=experiment.labels,
        network=settings.network,
        model=settings.models[experiment.model],
        loss=settings.losses[experiment.loss],
        train=settings.train,
        image_size=settings.preprocess.image_size,
        classes=tuple(settings.datasets[experiment.dataset].classes),
        accept=settings.split.accept,
    )


def evaluate_job(settings: Settings, name: str) -> EvaluateJob:
    """The block of `dsn-saal evaluate` for one experiment."""
    experiment = settings.experiments[name]
    dataset = settings.datasets[experiment.dataset]
    return EvaluateJob(
        name=name,
        network=settings.network,
        model=settings.models[experiment.model],
        evaluate=settings.evaluate,
        runs=settings.train.runs,
        threads=settings.train.threads,
        image_size=settings.preprocess.image_size,
        classes=tuple(dataset.classes),
        positive=dataset.positive,
    )


def parse_job(model: type[Job], text: str) -> Job:
    """A job's block from its JSON; raises BadRequest where it breaks a law."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRequest(
            f"--settings is not a block of {model.__name__}: {first['msg']}",
            value=first.get("input"),
            where=".".join(str(part) for part in first["loc"]),
            next_step="paste the command from the job's log, or leave --settings out to use params.yaml",
        ) from None
