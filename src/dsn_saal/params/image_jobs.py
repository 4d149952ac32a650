"""What a job between a data set's files and its split must know: see params.jobs."""

from __future__ import annotations

from typing import cast

from dsn_saal.params.base import Name, Section
from dsn_saal.params.data import Ingest, Preprocess
from dsn_saal.params.datasets import Cohort, PhantomClass
from dsn_saal.params.methods import SelfTrans
from dsn_saal.params.protocols import Cases, Certificate, Folds, Protocol, Subsample
from dsn_saal.params.root import Settings


class PhantomJob(Section):
    """Write the phantoms that stand in for one data set, in that set's own layout."""

    reader: str
    seed: int
    mild_share: float
    cohort: Cohort
    folders: dict[Name, str]
    drawn_as: dict[Name, tuple[PhantomClass, ...]]


class FetchJob(Section):
    """Bring the files of one data set from an archive or a DICOMweb server."""

    folders: dict[Name, tuple[str, ...]]
    key_file: str | None


class IngestJob(Section):
    """Read one data set."""

    reader: str
    folders: dict[Name, tuple[str, ...]]
    published: bool
    slices: str
    counts: str
    ingest: Ingest


class PreprocessJob(Section):
    """Turn one manifest into images and masks."""

    preprocess: Preprocess
    air_hu: int
    in_hu: bool
    lungs: str
    key_file: str | None


class SplitJob(Section):
    """Split one data set by one protocol.

    `base` is the case-wise split that a protocol of kind subsample thins out.
    """

    protocol: Protocol
    base: Cases | None
    certificate: Certificate
    classes: tuple[Name, ...]


class CertifyJob(Section):
    """Hold the slices of an unlabelled data set against the test part of another one's split.

    `ids_comparable` says whether both hash their ids with the same key.
    """

    unlabelled: Name
    certificate: Certificate
    ids_comparable: bool


def phantom_job(settings: Settings, dataset: str) -> PhantomJob:
    """The block of `dsn-saal phantom`."""
    chosen, phantom = settings.datasets[dataset], settings.phantom
    return PhantomJob(
        reader=chosen.reader,
        seed=phantom.seed,
        mild_share=phantom.mild_share,
        cohort=phantom.cohorts[dataset],
        folders={name: entry.folders[0] for name, entry in chosen.classes.items()},
        drawn_as={name: entry.phantom for name, entry in chosen.classes.items()},
    )


def fetch_job(settings: Settings, dataset: str) -> FetchJob:
    """The block of `dsn-saal fetch`."""
    folders = {name: entry.folders for name, entry in settings.datasets[dataset].classes.items()}
    return FetchJob(folders=folders, key_file=settings.ingest.key_file)


def ingest_job(settings: Settings, dataset: str) -> IngestJob:
    """The block of `dsn-saal ingest`."""
    chosen = settings.datasets[dataset]
    return IngestJob(
        reader=chosen.reader,
        folders={name: entry.folders for name, entry in chosen.classes.items()},
        published=chosen.is_published,
        slices=chosen.slices,
        counts=chosen.counts,
        ingest=settings.ingest,
    )


def preprocess_job(settings: Settings, dataset: str) -> PreprocessJob:
    """The block of `dsn-saal preprocess`."""
    chosen = settings.datasets[dataset]
    return PreprocessJob(
        preprocess=settings.preprocess,
        air_hu=settings.ingest.air_hu,
        in_hu=chosen.in_hu,
        lungs=chosen.lungs,
        key_file=settings.ingest.key_file,
    )


def split_job(settings: Settings, dataset: str, protocol: str) -> SplitJob:
    """The block of `dsn-saal split`."""
    chosen = settings.protocols[protocol]
    base = settings.protocols[chosen.base] if isinstance(chosen, Subsample) else None
    return SplitJob(
        # how many runs use a fold is no part of the split
        protocol=chosen.model_copy(update={"repeats": 1}) if isinstance(chosen, Folds) else chosen,
        base=cast("Cases | None", base),  # a law of the settings
        certificate=settings.certificate,
        classes=tuple(settings.datasets[dataset].classes),
    )


def certify_job(settings: Settings, dataset: str, unlabelled: str) -> CertifyJob:
    """The block of `dsn-saal certify`."""
    published = {settings.datasets[name].is_published for name in (dataset, unlabelled)}
    return CertifyJob(unlabelled=unlabelled, certificate=settings.certificate, ids_comparable=len(published) == 1)


def unlabelled_of(settings: Settings, experiment: str) -> tuple[str, ...]:
    """Data sets from whose slices an experiment learns without labels."""
    method = settings.methods[settings.experiments[experiment].method]
    return method.unlabelled if isinstance(method, SelfTrans) else ()


def certified_unlabelled(settings: Settings) -> list[tuple[str, str, str]]:
    """Data set, protocol and unlabelled data set of every certificate that the experiments demand, each once."""
    wanted = (
        (experiment.dataset, experiment.protocol, unlabelled)
        for name, experiment in settings.experiments.items()
        for unlabelled in unlabelled_of(settings, name)
    )
    return list(dict.fromkeys(wanted))
