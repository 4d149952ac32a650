"""What the rules of the audit must know."""

from __future__ import annotations

from typing import Literal

from dsn_saal.params.audit import Audit
from dsn_saal.params.base import Name, Section
from dsn_saal.params.root import Settings


class ForensicsJob(Section):
    """The reported numbers that are examined."""

    reported: str


class VerdictsJob(Section):
    """What is set beside what."""

    reported: str
    scale: str
    audit: Audit
    positive: dict[str, Name]
    weights: Literal["imagenet", "none"]


def forensics_job(settings: Settings) -> ForensicsJob:
    """The block of `dsn-saal forensics`."""
    return ForensicsJob(reported=settings.report.reported)


def verdicts_job(settings: Settings) -> VerdictsJob:
    """The block of `dsn-saal verdicts`."""
    sets = settings.audit.sets
    return VerdictsJob(
        reported=settings.report.reported,
        scale=settings.scale,
        audit=settings.audit,
        positive={title: settings.datasets[entry.dataset].positive for title, entry in sets.items()},
        weights=settings.network.weights,
    )


def compared_experiments(audit: Audit) -> tuple[str, ...]:
    """Every experiment whose summary the verdicts read, once."""
    names: dict[str, None] = {}
    for entry in audit.sets.values():
        lists = [
            *entry.methods.values(),
            *([] if entry.falling is None else [entry.falling.baseline, entry.falling.method]),
        ]
        names |= dict.fromkeys(name for members in lists for name in members)
    return tuple(names)
