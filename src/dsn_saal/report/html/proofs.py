"""What each split proves, level by level, with every finding by its name; and the run table."""

from __future__ import annotations

from typing import Any

from dsn_saal.params.html_job import HtmlJob

Json = dict[str, Any]

WORST = ("VIOLATED", "UNPROVABLE", "PROVEN")
"""Verdicts, the one that a reader must see first."""


def proof_view(job: HtmlJob, dataset: str, protocol: str, certificate: Json) -> Json:
    """One certificate: its verdict, its levels, findings with whether params accept them.

    Args:
        job: the page's block.
        dataset: name of the data set.
        protocol: name of the split.
        certificate: as split wrote it.
    """
    accepted = job.datasets[dataset].accept
    return {
        "title": f"{job.datasets[dataset].title}, {protocol}",
        "verdict": certificate["verdict"],
        "rule": certificate.get("rule", ""),
        "levels": [
            {
                "level": level.replace("_", " "),
                "verdict": entry["verdict"],
                "found": entry.get("found", 0),
                "missing": entry.get("missing", 0),
                "findings": [
                    {"name": finding["name"], "accepted": bool({finding["name"], level} & set(accepted))}
                    for finding in entry.get("findings", [])
                ],
            }
            for level, entry in certificate["levels"].items()
        ],
        "conflicts": [finding["name"] for finding in certificate.get("label_conflicts", [])],
        "conflicts_total": certificate["label_conflicts_total"],
    }


def proof_views(job: HtmlJob, certificates: dict[tuple[str, str], Json]) -> list[Json]:
    """All certificates, the worst verdicts first, else in the order of the params."""
    shown = [
        proof_view(job, name, protocol, certificates[name, protocol])
        for name, held in job.datasets.items()
        for protocol in held.protocols
    ]
    return sorted(shown, key=lambda view: WORST.index(view["verdict"]))


def run_rows(experiments: Json) -> list[Json]:
    """One row a run of every experiment, in the order of the params, from what the page explains numbers with."""
    return [
        {"experiment": name, "title": held["title"], **run}
        for name, held in experiments.items()
        for run in held["runs"]
    ]
