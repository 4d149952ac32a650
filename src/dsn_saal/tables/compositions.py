"""Table 1: what data earlier studies had, as far as it is known, and what data are read here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsn_saal.params.reported import Composition, ReportedNumbers, read_reported
from dsn_saal.params.table_jobs import CompositionsTableJob
from dsn_saal.statistics.printed import MISSING, count, listed
from dsn_saal.tables.datasets import IMAGES, origin_of, read_named
from dsn_saal.tables.table import Panel, Table

COLUMNS = ("study or set", "method or split", "class", "cases", "images", "train", "test", "status")
UNKNOWN = "unknown"


def make_table(
    job: CompositionsTableJob, *, reported: Path, flows: Mapping[str, Path], certificates: Mapping[str, Path]
) -> Table:
    """Earlier studies, then the data sets as they were read.

    Args:
        job: titles of the data sets, their protocols and classes in order.
        reported: file of reported numbers.
        flows: flow.json of ingest by data set.
        certificates: certificate of a split by `dataset/protocol`, of each data set's first protocol.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where one is damaged.
    """
    numbers = read_reported(reported)
    sources: dict[tuple[str, str | None], int] = {}
    earlier = [row for study in numbers.compositions for row in _study(study, sources)]
    here = [row for name in job.datasets for row in _dataset(job, name, flows, certificates)]
    first, second = tuple(range(len(earlier))), tuple(range(len(earlier), len(earlier) + len(here)))
    columns = tuple(range(len(COLUMNS)))
    return Table(
        id="table1",
        title="Data compositions: earlier studies, quoted as far as known, and the data sets as read here",
        columns=COLUMNS,
        rows=(*earlier, *here),
        footnotes=_footnotes(job, numbers, sources, flows),
        origin=None,
        align="lllrrrrl",
        panels=(
            Panel("Earlier studies that the text discusses: clinical images, quoted", columns, first),
            Panel("Data sets as read here", columns, second),
        ),
    )


def _study(study: Composition, sources: dict[tuple[str, str | None], int]) -> list[tuple[str, ...]]:
    """A row a class; one row where nothing is known."""
    method = study.method or MISSING
    if not study.classes or study.source is None:
        return [(study.study, method, *(MISSING,) * 5, UNKNOWN)]
    mark = sources.setdefault((study.source, study.note), len(sources) + 1)
    return [
        (
            study.study,
            method,
            entry.name,
            *(
                MISSING if number is None else count(number)
                for number in (entry.cases, entry.images, entry.train, entry.test)
            ),
            f"quoted, {study.status} [{mark}]",
        )
        for entry in study.classes
    ]


def _dataset(
    job: CompositionsTableJob, name: str, flows: Mapping[str, Path], certificates: Mapping[str, Path]
) -> list[tuple[str, ...]]:
    """A row a class, with the parts of the first draw of the set's first protocol."""
    flow, dataset = read_named(flows, name), job.datasets[name]
    protocol = dataset.protocols[0]
    parts: dict[str, Any] = read_named(certificates, f"{name}/{protocol}")["counts"]
    return [
        (
            dataset.title,
            protocol,
            title,
            count(flow["classes"][key]["cases"]) if flow["classes"][key]["cases"] else MISSING,
            count(flow["classes"][key]["slices"]),
            *(count(parts[part][key]["slices"]) for part in ("train", "test")),
            f"read, {IMAGES[origin_of(flow)]}",
        )
        for key, title in job.classes[name].items()
    ]


def _footnotes(
    job: CompositionsTableJob,
    numbers: ReportedNumbers,
    sources: Mapping[tuple[str, str | None], int],
    flows: Mapping[str, Path],
) -> tuple[str, ...]:
    stand_ins = [entry.title for name, entry in job.datasets.items() if origin_of(read_named(flows, name)) == "phantom"]
    unknown = [study.study for study in numbers.compositions if not study.classes]
    return (
        "Which rows and numbers the paper's table holds is not known: these are the studies that its text discusses.",
        *([f"{MISSING} and {UNKNOWN}: no number is known for {listed(unknown)}."] if unknown else []),
        *(f"[{mark}] {source}{f'; {note}' if note else ''}." for (source, note), mark in sources.items()),
        *(
            [f"Phantoms in the layout of {listed(stand_ins)}: drawn by the program, none of the set's images."]
            if stand_ins
            else []
        ),
        f"Images are slices. Train and test of a set read here: the first draw of its first split; what is in neither, "
        f"as a validation list, is counted in images alone. {MISSING} in cases: the set names no patients.",
    )
