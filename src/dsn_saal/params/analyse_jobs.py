"""What one analysis must know: the JSON blocks of the rules of `analyse`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsn_saal.params.analyse import Against
from dsn_saal.params.base import Name, Section
from dsn_saal.params.root import Settings
from dsn_saal.params.shown import ExperimentRow, experiment_rows, known_job, shown_dataset


class Draws(Section):
    """How cases are drawn behind an interval."""

    level: float
    draws: int
    seed: int


class AnalysisJob(Section):
    """What every analysis knows: experiments on one test part, and their runs."""

    scale: str
    dataset_title: str
    classes: dict[Name, str]
    positive: Name
    runs: int
    rows: tuple[ExperimentRow, ...]
    interval: Draws


class Pair(Section):
    """Two experiments that are compared: `ours` minus `theirs`."""

    ours: Name
    theirs: Name


class ComparisonsJob(AnalysisJob):
    """Comparisons by family; a metric by its full name, e.g. accuracy.overall."""

    families: dict[Name, tuple[Pair, ...]]
    metrics: dict[Name, str]
    exact_up_to: int
    sign_flips: int
    std_ddof: int


class LevelsJob(AnalysisJob):
    """Metrics by slice, by case-weighted slice and by case."""

    primary: dict[Name, str]
    std_ddof: int


class CalibrationJob(AnalysisJob):
    """Calibration before and after temperature scaling."""

    bins: int
    least_probability: float
    select_epoch: str


class DecisionJob(AnalysisJob):
    """Decision curves."""

    first: float
    last: float
    count: int


class PositionsJob(AnalysisJob):
    """Recall by position of the slice."""

    bins: int


def comparisons_job(settings: Settings) -> ComparisonsJob:
    """The block of `dsn-saal analyse comparisons`."""
    analyse = settings.analyse
    families: dict[str, tuple[Pair, ...]] = {table: tuple(_pairs(settings, table)) for table in analyse.families}
    named = {name for pairs in families.values() for pair in pairs for name in (pair.ours, pair.theirs)}
    return ComparisonsJob(
        families=families,
        metrics={metric: primary_metric(settings, metric) for metric in analyse.metrics},
        exact_up_to=analyse.exact_up_to,
        sign_flips=analyse.sign_flips,
        std_ddof=settings.evaluate.std_ddof,
        **_shared(settings, tuple(name for name in settings.experiments if name in named)),
    )


def levels_job(settings: Settings) -> LevelsJob:
    """The block of `dsn-saal analyse levels`."""
    return LevelsJob(
        primary={metric: primary_metric(settings, metric) for metric in ("accuracy", "f1", "g_mean", "auc")},
        std_ddof=settings.evaluate.std_ddof,
        **_shared(settings, settings.report.table3),
    )


def calibration_job(settings: Settings) -> CalibrationJob:
    """The block of `dsn-saal analyse calibration`."""
    return CalibrationJob(
        bins=settings.analyse.calibration_bins,
        least_probability=settings.analyse.least_probability,
        select_epoch=settings.train.select_epoch,
        **_shared(settings, settings.analyse.experiments),
    )


def decision_job(settings: Settings) -> DecisionJob:
    """The block of `dsn-saal analyse decision`."""
    return DecisionJob(**settings.analyse.thresholds.model_dump(), **_shared(settings, settings.analyse.experiments))


def positions_job(settings: Settings) -> PositionsJob:
    """The block of `dsn-saal analyse positions`."""
    return PositionsJob(bins=settings.analyse.position_bins, **_shared(settings, settings.analyse.experiments))


def cases_job(settings: Settings) -> AnalysisJob:
    """The block of `dsn-saal analyse cases`."""
    return AnalysisJob(**_shared(settings, settings.analyse.experiments))


def primary_metric(settings: Settings, family: str) -> str:
    """Full name of a family's metric under its primary convention."""
    return f"{family}.{getattr(settings.evaluate, family)}"


def _shared(settings: Settings, names: tuple[str, ...]) -> dict[str, Any]:
    dataset_title, classes = shown_dataset(settings)
    analyse = settings.analyse
    return {
        "scale": settings.scale,
        "dataset_title": dataset_title,
        "classes": classes,
        "positive": settings.datasets[settings.report.dataset].positive,
        "runs": settings.train.runs,
        "rows": experiment_rows(settings, names),
        "interval": Draws(level=analyse.interval_level, draws=analyse.bootstrap_draws, seed=analyse.seed),
    }


def _pairs(settings: Settings, table: str) -> list[Pair]:
    names, family = settings.report.lists[table], settings.analyse.families[table]  # type: ignore[index]
    if isinstance(family, Against) and family.reference not in names:
        return []  # a table without the reference compares nothing, and the report says so
    if isinstance(family, Against):
        return [Pair(ours=family.reference, theirs=name) for name in names if name != family.reference]
    networks = {name: settings.experiments[name].model for name in names}
    models = {name: settings.models[model] for name, model in networks.items() if model is not None}
    plain = {model.backbone: name for name, model in models.items() if model.deep_supervision is None}
    return [
        Pair(ours=name, theirs=plain[model.backbone])
        for name, model in models.items()
        if model.deep_supervision is not None and model.backbone in plain
    ]


ANALYSES: dict[str, Callable[[Settings], AnalysisJob]] = {
    "comparisons": comparisons_job,
    "levels": levels_job,
    "calibration": calibration_job,
    "decision": decision_job,
    "positions": positions_job,
    "cases": cases_job,
}


def analyse_job(settings: Settings, name: str) -> AnalysisJob:
    """The block of `dsn-saal analyse NAME`."""
    known_job("analysis", name, ANALYSES)  # type: ignore[arg-type]
    return ANALYSES[name](settings)
