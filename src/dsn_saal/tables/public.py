"""Tables 7 to 9: experiments on a public data set, and apart from them what is quoted of others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dsn_saal.evaluate.summaries import Json
from dsn_saal.params.public_table_jobs import PublicRow, PublicTableJob
from dsn_saal.params.reported import read_reported
from dsn_saal.statistics import printed
from dsn_saal.tables.datasets import read_named
from dsn_saal.tables.fold_tests import HEADS, fold_tests
from dsn_saal.tables.footnotes import result_footnotes
from dsn_saal.tables.quoted import Quoted, quoted_rows
from dsn_saal.tables.results import read_comparable
from dsn_saal.tables.table import Panel, Table

RECALL = "sensitivity.macro"
OURS, QUOTED = "ours", "quoted"


def make_table(
    job: PublicTableJob, *, reported: Path, summaries: Mapping[str, Path], certificates: Mapping[str, Path]
) -> Table:
    """Our rows, then the quoted ones, never in one panel.

    Args:
        job: rows and columns in order, classes, what the networks were.
        reported: file of reported numbers.
        summaries: experiment to its summary.json.
        certificates: protocol of a row to the certificate of its split.

    Raises:
        BadRequest: where a row has no summary, a summary no row, or a certificate is missing.
        CheckFailed: where summaries do not speak of the same classes or slices, or computed numbers are not those of
            their confusion matrix.
    """
    runs = {row.name: row.runs for row in job.rows}
    read = read_comparable(job.rows, summaries, runs=runs, classes=tuple(job.classes))
    quoted = quoted_rows(read_reported(reported), job.quoted, [column.quoted for column in job.columns])
    first = read[job.rows[0].name]
    extra = _extra(job, first)
    heads = [column.head for column in job.columns]
    tests = fold_tests(job, read)
    ours = [_ours(job, row, read[row.name], extra, () if tests is None else tests.cells[row.name]) for row in job.rows]
    own = (*extra, *(() if tests is None else HEADS))
    blank = [printed.MISSING] * len(own)
    theirs = [
        (line.method, printed.MISSING, f"{QUOTED}, clinical", *line.cells, *blank, line.status) for line in quoted.lines
    ]
    columns = ("method", "split", "numbers", *heads, *own, "status")
    return Table(
        id=job.id,
        title=f"{job.title}: {job.dataset_title}, ours from {first['origin']} data, others quoted",
        columns=columns,
        rows=(*ours, *theirs),
        footnotes=(
            "Quoted rows are of clinical images, of other splits or protocols: not comparable by test with ours, and "
            "shown side by side only.",
            *result_footnotes(job, list(read.values())),
            *_features(job),
            *(_proof(job, protocol, certificates) for protocol in dict.fromkeys(row.protocol for row in job.rows)),
            *_pooled(first),
            *(() if tests is None else [tests.footnote]),
            *quoted.footnotes,
        ),
        origin=None,
        align="lll" + "r" * (len(heads) + len(own)) + "l",
        panels=_panels(job, first, (len(extra), len(own)), len(ours), quoted),
    )


def _panels(job: PublicTableJob, first: Json, own: tuple[int, int], n_ours: int, quoted: Quoted) -> tuple[Panel, ...]:
    """Panels; `own` counts the columns of ours alone, without and with the tests over folds."""
    images = f"{first['origin']} data in the layout of" if first["origin"] == "phantom" else "images of"
    shared = tuple(range(3, 3 + len(job.columns)))
    start = 3 + len(job.columns)
    certain, tested = tuple(range(start, start + own[0])), tuple(range(start + own[0], start + own[1]))
    rows, others = tuple(range(n_ours)), tuple(range(n_ours, n_ours + len(quoted.lines)))
    status = start + own[1]
    of_folds = Panel("Ours, fold by fold: the last method of a split minus each other one", (0, 1, *tested), rows)
    return (
        Panel(f"Ours, {images} {job.dataset_title}: mean ± standard deviation over runs", (0, 1, *shared), rows),
        Panel("Ours: macro recall and intervals over what was tested", (0, 1, *certain), rows),
        *([of_folds] if tested else []),
        Panel("Quoted, clinical images: not comparable by test with the rows above", (0, *shared, status), others),
    )


def _extra(job: PublicTableJob, summary: Json) -> dict[str, str]:
    """Columns of our rows alone: head to metric, macro recall and then what has an interval."""
    percent = f"{100 * summary['interval']['level']:g} %"
    accuracy = {f"ACC {percent}": "accuracy.overall"}
    f1 = {f"{column.head} {percent}": column.ours for column in job.columns if column.ours.startswith("f1.")}
    return {"macro recall": RECALL} | accuracy | f1 | {f"macro recall {percent}": RECALL}


def _ours(
    job: PublicTableJob, row: PublicRow, summary: Json, extra: dict[str, str], tested: tuple[str, ...]
) -> tuple[str, ...]:
    metrics = summary["metrics"]

    def spread(name: str) -> str:
        return printed.mean_and_sd(metrics[name]["mean"], metrics[name]["sd"])

    recall, *intervals = extra.values()
    return (
        row.title,
        row.split,
        f"{OURS}, {summary['origin']}",
        *(spread(column.ours) for column in job.columns),
        spread(recall),
        *(printed.interval(metrics[name]["interval"]) for name in intervals),
        *tested,
        "measured",
    )


def _features(job: PublicTableJob) -> list[str]:
    """What the classical rows see, a sentence for each kind of features."""
    seen: dict[str, list[str]] = {}
    for row in job.rows:
        if row.features is not None:
            side = row.features.thumbnail_px
            words = f"a grey histogram of {row.features.histogram_bins} bins and a thumbnail of {side} × {side} means"
            seen.setdefault(words, []).append(row.title)
    return [
        f"{printed.listed(list(dict.fromkeys(titles)))}: features, not pixels; {words} of the same images. What "
        "features the paper's rows of that name had is not known."
        for words, titles in seen.items()
    ]


def _proof(job: PublicTableJob, protocol: str, certificates: Mapping[str, Path]) -> str:
    """What the certificate says of a split, with what was accepted."""
    held = read_named(certificates, protocol)
    split = next(row.split for row in job.rows if row.protocol == protocol)
    violated = {level: entry["found"] for level, entry in held["levels"].items() if entry["verdict"] == "VIOLATED"}
    if not violated:
        return f"Disjointness of the parts ({split}): {held['verdict']}."
    found = [
        f"{printed.plural(number, 'finding')} at level {level.replace('_', ' ')}" for level, number in violated.items()
    ]
    return (
        f"Disjointness of the parts ({split}): {held['verdict']}, {printed.listed(found)}, accepted by the parameters: "
        f"{', '.join(job.accept)}."
    )


def _pooled(summary: Json) -> list[str]:
    if summary["varies"] != "fold":
        return []
    return [
        "An interval is of the answers of all folds put together, the mean is over folds: where classes differ in size "
        "from fold to fold the one need not lie in the middle of the other."
    ]
