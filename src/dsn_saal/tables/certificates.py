"""What each split proves: a row a data set and protocol, a column a level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsn_saal.params.table_jobs import CertificatesTableJob
from dsn_saal.split.certificate import refused
from dsn_saal.statistics.printed import MISSING, count
from dsn_saal.tables.datasets import one_origin, origin_of, read_named
from dsn_saal.tables.table import Table

LEVELS = ("case", "study", "series", "sop", "article", "file", "pixel", "near_duplicate")
HEADS = tuple(level.replace("_", " ") for level in LEVELS)
COLUMNS = ("data set", "split", "draws", *HEADS, "as a whole", "label conflicts")
SHORT = {"PROVEN": "proven", "VIOLATED": "VIOLATED", "UNPROVABLE": "unprovable"}


def make_table(job: CertificatesTableJob, *, certificates: Mapping[str, Path], flows: Mapping[str, Path]) -> Table:
    """Lay the certificates side by side.

    Args:
        job: titles of the data sets and their protocols in order.
        certificates: certificate.json by `dataset/protocol`.
        flows: flow.json of ingest by data set, for the origin of its images.

    Raises:
        BadRequest: where a certificate is missing or was not named.
        CheckFailed: where one is damaged.
    """
    rows = tuple(
        _row(entry.title, protocol, read_named(certificates, f"{name}/{protocol}"), entry.accept)
        for name, entry in job.datasets.items()
        for protocol in entry.protocols
    )
    return Table(
        id="certificates",
        title="What each split proves: parts are disjoint at this level",
        columns=COLUMNS,
        rows=rows,
        footnotes=(
            "Proven: no two parts of any draw share anything at this level. Unprovable: the data carry no ids to tell "
            "by. Violated: parts share something; the certificate names it, and training refuses such a split unless "
            "the parameters accept the finding by its name.",
            f"{MISSING}: the format of the set has no such level. Label conflicts: the same or nearly the same pixels "
            "under two labels.",
            *(
                f"{entry.title}: accepted by the parameters is {told}."
                for entry in job.datasets.values()
                for told in entry.accept
            ),
        ),
        origin=one_origin({origin_of(read_named(flows, name)) for name in job.datasets}),
        align="ll" + "r" + "l" * (len(LEVELS) + 1) + "r",
    )


def _row(title: str, protocol: str, certificate: dict[str, Any], accept: Sequence[str]) -> tuple[str, ...]:
    levels = certificate["levels"]
    return (
        title,
        protocol,
        count(certificate["draws"]),
        *(SHORT.get(levels[level]["verdict"], MISSING) if level in levels else MISSING for level in LEVELS),
        _whole(certificate, accept),
        count(certificate["label_conflicts_total"]),
    )


def _whole(certificate: dict[str, Any], accept: Sequence[str]) -> str:
    verdict: str = certificate["verdict"]
    accepted = verdict == "VIOLATED" and not refused(certificate["levels"], accept)
    return SHORT[verdict] + (", accepted" if accepted else "")
