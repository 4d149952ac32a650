"""The page: everything gathered, laid into the template, written as one file."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dsn_saal.analyse.written import read_analysis
from dsn_saal.params.html_job import HtmlJob
from dsn_saal.params.shelves import SHELVES
from dsn_saal.report.certainty import first_claims
from dsn_saal.report.facts import data_facts, method_facts, read_json
from dsn_saal.report.html.cards import datasheet, limits, model_card
from dsn_saal.report.html.findings import finding_view
from dsn_saal.report.html.flow import flow_view
from dsn_saal.report.html.items import class_view, figure_view, table_view
from dsn_saal.report.html.numbers import explained
from dsn_saal.report.html.proofs import proof_views, run_rows
from dsn_saal.report.html.sources import Sources
from dsn_saal.report.outcomes import result_facts
from dsn_saal.storage.atomic import write_text
from dsn_saal.tables.results import read_comparable

Json = dict[str, Any]

ROOM = Path(__file__).parent
MAIN_TABLE = "table3"
"""The table of the first screen."""

READERS = {
    "start": "Summary",
    "researcher": "Researcher",
    "auditor": "Auditor",
    "clinician": "Clinician",
    "everything": "Everything",
}
"""Views of the page and their names, in order."""

COMPARISONS = "comparisons"
"""The analysis whose sentences say what may be claimed."""

SHELF_READERS = {
    "results": "researcher", "comparisons": "researcher auditor", "verdicts": "researcher auditor",
    "training": "researcher", "calibration": "researcher clinician", "errors": "researcher clinician",
    "shortcuts": "researcher auditor", "data": "researcher auditor", "choices": "researcher auditor",
    "further": "researcher",
}  # fmt: skip
"""Who reads which shelf."""


def build_page(job: HtmlJob, sources: Sources, out: Path) -> None:
    """Write the page: the same bytes for the same files.

    Raises:
        BadRequest: where a file is missing or not one that the page shows.
        CheckFailed: where files are damaged or do not belong together.
    """
    sources.require(job)
    write_text(out, render(gather(job, sources)))


def gather(job: HtmlJob, sources: Sources) -> Json:
    """Everything the template may show."""
    facts = _facts(job, sources)
    known = set(job.experiments)
    tables = {name: table_view(name, sources.tables[name], known) for name in job.tables}
    figures = {
        name: figure_view(name, sources.figures[name], place, is_phantom=facts["is_phantom"])
        for name, place in job.figures.items()
    }
    shelves = _shelves(job, tables, figures)
    explanations = explained(job, sources)
    return {
        "facts": facts,
        "readers": READERS,
        "main_table": tables[MAIN_TABLE],
        "shelves": shelves,
        "classes": class_view(job, sources.summaries),
        "claims": _claims(facts, _compared(job, sources)),
        "limits": limits(job, sources, facts),
        "flows": [
            flow_view(
                name, held.title, held.classes, sources.flows[name], sources.mask_qualities[name],
                _drawn(job, name), sources.certificates[name, _drawn(job, name)],
            )
            for name, held in job.datasets.items()
        ],
        "exclusions": {job.datasets[name].title: rows for name, rows in sources.exclusions.items() if rows},
        "proofs": proof_views(job, sources.certificates),
        "model_card": model_card(job, sources, facts, {shelf["name"] for shelf in shelves}),
        "datasheets": [datasheet(job, sources, name) for name in job.datasets],
        "findings": [finding_view(name, read_json(path, name)) for name, path in sources.findings.items()],
        "runs": run_rows(explanations["experiments"]),
        "explained": explanations,
    }  # fmt: skip


def _facts(job: HtmlJob, sources: Sources) -> Json:
    paper, name = job.paper, job.dataset
    rows = (*paper.rows, *([paper.control] if paper.control else []))
    summaries = read_comparable(
        rows,
        {row.name: sources.evaluated[row.name] / "summary.json" for row in rows},
        runs=paper.train.runs,
        classes=tuple(paper.classes),
    )
    certificate = sources.certificates[name, job.protocol]
    found = data_facts(paper, sources.flows[name], certificate, sources.mask_qualities[name], sources.indices[name])
    return found | method_facts(paper) | result_facts(paper, summaries)


def _drawn(job: HtmlJob, dataset: str) -> str:
    """The split that a data set's flow shows: that of the report, or the set's first."""
    return job.protocol if dataset == job.dataset else job.datasets[dataset].protocols[0]


def _shelves(job: HtmlJob, tables: Json, figures: Json) -> list[Json]:
    held = [
        {
            "name": name,
            "title": title,
            "readers": SHELF_READERS[name],
            "tables": [tables[table] for table, shelf in job.tables.items() if shelf == name],
            "figures": [figures[figure] for figure, place in job.figures.items() if place.shelf == name],
        }
        for name, title in SHELVES.items()
    ]
    return [shelf for shelf in held if shelf["tables"] or shelf["figures"]]


def _compared(job: HtmlJob, sources: Sources) -> list[str]:
    """What may be claimed of the first comparison of each table, as the analysis words it; [] where there is none."""
    path = sources.findings.get(COMPARISONS)
    return [] if path is None else first_claims(read_analysis(path, COMPARISONS, tuple(job.paper.classes)))


def _claims(facts: Json, compared: list[str]) -> list[str]:
    """What the numbers say, one sentence each, in words that claim no more than they hold."""
    found = [*compared, facts["floor_sentence"]]
    if facts["has_control"]:
        found.append(
            f"Control, {facts['control_title']}: macro recall {facts['control_recall']}, interval over runs "
            f"{facts['control_interval']}, where chance gives {facts['chance']}. {facts['control_sentence']}"
        )
    return [*found, facts["certificate_sentence"]]


def render(gathered: Json) -> str:
    """The page as text: everything that comes from data is escaped, script and style are named by their digests."""
    place = Environment(
        loader=FileSystemLoader(ROOM), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    parts = {name: (ROOM / f"page.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    numbers = json.dumps(gathered["explained"], ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":  # so that no text can end the element that holds it
        numbers = numbers.replace(letter, f"\\u{ord(letter):04x}")
    return place.get_template("page.jinja").render(
        **gathered,
        style=Markup(parts["css"]),
        script=Markup(parts["js"]),
        style_digest=_csp(parts["css"]),
        script_digest=_csp(parts["js"]),
        numbers=Markup(numbers),
    )


def _csp(content: str) -> str:
    """Digest of an inline element as a Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode('utf-8')).digest()).decode('ascii')}"
