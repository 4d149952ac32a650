"""The printed paper: facts, tables and figures laid beside the template, set by Typst with its own fonts."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typst

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.named import require_named
from dsn_saal.params.analyse_jobs import ANALYSES
from dsn_saal.params.figure_jobs import CONTACT_SHEET, FIGURES
from dsn_saal.params.public_table_jobs import PUBLIC_TABLES
from dsn_saal.params.report_job import ReportJob
from dsn_saal.report.certainty import certainty_facts
from dsn_saal.report.facts import contact_sheet_facts, data_facts, method_facts, read_json
from dsn_saal.report.outcomes import result_facts
from dsn_saal.report.probes import probe_facts
from dsn_saal.report.study import study_facts
from dsn_saal.storage.atomic import write_bytes, write_json
from dsn_saal.storage.tables import read_table
from dsn_saal.tables.results import read_comparable

TEMPLATE = ("paper.typ", "layout.typ", "references.yml")
"""Files of this room that Typst reads."""


@dataclass(frozen=True)
class Sources:
    """Every file that the paper is made from.

    Attributes:
        tables: table name to its JSON.
        figures: figure name to its SVG.
        summaries: experiment to its summary.json, the control's and the variants' of SAAL among them.
        training: variant of SAAL to the folder that train wrote.
        cams: experiment to its cam.json.
        crosses: experiment to what its networks do on other data sets.

        analyses: analysis to the file that analyse wrote.
        flow: what ingest counted.
        mask_quality: what preprocess measured.
        index: index of the preprocessed slices.
        certificate: of the split.
    """

    tables: Mapping[str, Path]
    figures: Mapping[str, Path]
    summaries: Mapping[str, Path]
    training: Mapping[str, Path]
    cams: Mapping[str, Path]
    crosses: Mapping[str, Path]

    analyses: Mapping[str, Path]
    flow: Path
    mask_quality: Path
    index: Path
    certificate: Path


def collect_facts(job: ReportJob, sources: Sources) -> dict[str, Any]:
    """Everything the template may print.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where files are damaged or do not speak of the same data.
    """
    every = (*job.rows, *job.saal_ablation, *filter(None, (job.control, job.shortcut)))
    shown = tuple({row.name: row for row in every}.values())
    summaries = read_comparable(shown, sources.summaries, runs=job.train.runs, classes=tuple(job.classes))
    certificate = read_json(sources.certificate, "certificate")
    facts = data_facts(
        job,
        read_json(sources.flow, "flow"),
        certificate,
        read_json(sources.mask_quality, "mask quality"),
        read_table(sources.index, ["decoder", "file_sha256"]),
    )
    first = summaries[job.rows[0].name]
    tested = {name: entry["slices"] for name, entry in certificate["counts"]["test"].items()}
    for what, found, expected in (
        ("test slices", first["class_slices"], tested),
        ("origin", first["origin"], facts["origin"]),
    ):
        if found != expected:
            raise CheckFailed(
                f"{what} of the evaluation are not those of the data", value=f"{found}, not {expected}",
                where=sources.summaries[job.rows[0].name], next_step="run evaluate again",
            )  # fmt: skip
    facts |= method_facts(job) | result_facts(job, summaries) | contact_sheet_facts(job)
    facts |= probe_facts(job, summaries, cams=sources.cams, crosses=sources.crosses)
    facts["public_tables"] = [name for name in PUBLIC_TABLES if name in job.tables]
    return facts | study_facts(job, sources.summaries, sources.training) | certainty_facts(job, sources.analyses)


def build_report(job: ReportJob, sources: Sources, out: Path) -> None:
    """Set the paper and write the PDF: the same bytes for the same files.

    Raises:
        BadRequest: where a file is missing or not one the paper prints.
        CheckFailed: where files are damaged or do not belong together.
    """
    require_named("--table", sources.tables, job.tables)
    require_named("--figure", sources.figures, [*FIGURES, *(CONTACT_SHEET + name for name in job.contact_sheets)])
    require_named("--analysis", sources.analyses, ANALYSES)
    facts = collect_facts(job, sources)
    with tempfile.TemporaryDirectory(prefix="dsn-saal-report-") as name:
        folder = Path(name)
        write_json(folder / "facts.json", facts)
        for table, path in sources.tables.items():
            write_json(folder / "tables" / f"{table}.json", read_json(path, f"table {table}"))
        for figure, path in sources.figures.items():
            write_bytes(folder / "figures" / f"{figure}.svg", _read_figure(figure, path))
        for part in TEMPLATE:
            shutil.copyfile(Path(__file__).with_name(part), folder / part)
        write_bytes(out, set_pages(folder))


def set_pages(folder: Path) -> bytes:
    """The PDF of folder/paper.typ, with Typst's own fonts and no date in it."""
    try:
        return typst.compile(folder / "paper.typ", root=folder, ignore_system_fonts=True)
    except typst.TypstError as error:
        raise CheckFailed(
            "the paper could not be set",
            value=str(error).splitlines()[0],
            next_step="make its tables and figures again",
        ) from error


def _read_figure(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadRequest(f"there is no {name}", value=path, next_step="run the stage that makes it") from None
