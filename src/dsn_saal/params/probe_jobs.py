"""What one probe must know: the JSON blocks of the rules of probes."""

from __future__ import annotations

from typing import Literal

from dsn_saal.params.base import Name, Section
from dsn_saal.params.jobs import EvaluateJob, evaluate_job
from dsn_saal.params.root import Settings


class CamJob(Section):
    """Class activation maps of one experiment."""

    experiment: EvaluateJob
    tap: Literal["after_relu", "after_conv"]
    target: Literal["predicted", "label"]
    sanity_slices: int
    sanity_draws: int
    sanity_seed: int


class CrossTest(Section):
    """A data set that networks are tested on."""

    title: str
    classes: tuple[Name, ...]
    positive: Name
    cut_out: bool


class CrossJob(Section):
    """Networks of one experiment on the test parts of several data sets; `own` is the one they learned from."""

    experiment: EvaluateJob
    title: str
    own: Name
    tests: dict[Name, CrossTest]


class NetworkJob(Section):
    """The network that Figure 2 draws."""

    experiment: EvaluateJob
    title: str


def cam_job(settings: Settings, experiment: str) -> CamJob:
    """The block of `dsn-saal probe cam`."""
    probe = settings.probe
    return CamJob(
        experiment=evaluate_job(settings, experiment),
        tap=probe.cam_tap,
        target=probe.cam_class,
        sanity_slices=probe.sanity_slices,
        sanity_draws=probe.sanity_draws,
        sanity_seed=probe.sanity_seed,
    )


def cross_splits(settings: Settings, experiment: str) -> dict[str, str]:
    """Data set to the split whose test part the experiment's networks are tested on: on their own set their own."""
    own = settings.experiments[experiment]
    return {**settings.probe.cross_tests, own.dataset: own.protocol}


def cross_job(settings: Settings, experiment: str) -> CrossJob:
    """The block of `dsn-saal probe cross`."""
    chosen = {name: settings.datasets[name] for name in cross_splits(settings, experiment)}
    return CrossJob(
        experiment=evaluate_job(settings, experiment),
        title=settings.experiments[experiment].title,
        own=settings.experiments[experiment].dataset,
        tests={
            name: CrossTest(
                title=dataset.title,
                classes=tuple(dataset.classes),
                positive=dataset.positive,
                cut_out=dataset.lungs == "hull",
            )
            for name, dataset in chosen.items()
        },
    )


def network_job(settings: Settings) -> NetworkJob:
    """The block of `dsn-saal probe network`."""
    name = settings.probe.network
    return NetworkJob(experiment=evaluate_job(settings, name), title=settings.experiments[name].title)
