"""`dsn-saal ingest`: a source becomes manifest.parquet, exclusions.csv, series.csv and flow.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from dsn_saal.domain.errors import CheckFailed, DsnSaalError
from dsn_saal.ingest.manifest import exclusions_csv, flow, manifest_table, series_csv
from dsn_saal.ingest.parallel import map_ordered
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.source import Exclusions, Reader, Row
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.storage.tables import write_table

Outcome = Sequence[Row | Excluded] | Excluded
"""What became of a file: of each of its slices, or why it is left out as a whole."""

T = TypeVar("T")
Progress = Callable[[Iterable[T], int], Iterable[T]]
"""Passes items on while it shows how many of a total went by."""


def ingest_tree(
    reader: Reader, out: Path, *, workers: int, progress: Progress[Outcome], follow_links: bool = False
) -> dict[str, Any]:
    """Read every file below the reader's root and write manifest, exclusions and counts.

    The bytes written depend on the files and, for clinical data, on the secret key; not on the number of processes.

    Args:
        reader: how a file is read.
        out: folder of the results.
        workers: processes.
        progress: shows how far it is.
        follow_links: whether links to files outside the source may be read.

    Returns:
        The counts that flow.json holds.

    Raises:
        BadRequest: where the source is no folder, or the key cannot be used.
        CheckFailed: where no slice is usable, or a class has none.
    """
    entries = list(reader.files(follow_links=follow_links))
    exclusions: Exclusions = [(path, refused) for path, refused in entries if refused is not None]
    paths = [path for path, refused in entries if refused is None]
    results = map_ordered(partial(read_or_refuse, reader), paths, workers=workers, crashed=_crashed)
    rows: list[Row] = []
    for path, result in zip(paths, progress(results, len(paths)), strict=True):
        outcomes = [result] if isinstance(result, Excluded) else result
        exclusions.extend((path, outcome) for outcome in outcomes if isinstance(outcome, Excluded))
        rows.extend(outcome for outcome in outcomes if not isinstance(outcome, Excluded))
    return _write(reader, out, len(entries), rows, exclusions)


def read_or_refuse(reader: Reader, path: str) -> Outcome:
    """The manifest rows of one file, or why it is left out."""
    try:
        path.encode("utf-8")
        return reader.rows(path)
    except UnicodeEncodeError:
        return Excluded(Reason.UNREADABLE, "the file name is no UTF-8")
    except Excluded as excluded:
        return excluded
    except DsnSaalError:
        raise
    except Exception as error:
        # One odd file must not stop the run, and a trace or the error's own text may quote what a tag holds.
        return Excluded(Reason.UNREADABLE, f"reading it stopped with {type(error).__name__}")


def _crashed(path: str) -> Excluded:
    return Excluded(Reason.DECODER_FAILED, "reading it ended the process")


def _write(reader: Reader, out: Path, found: int, rows: list[Row], exclusions: Exclusions) -> dict[str, Any]:
    settled = reader.settled(rows)
    exclusions = [(reader.written_path(path), why) for path, why in exclusions + settled.exclusions]
    write_text(out / "exclusions.csv", exclusions_csv(exclusions))
    write_text(out / "series.csv", series_csv(settled.series))
    _require_whole(reader, out, settled.findings)
    _require_classes(reader, out, settled.rows, exclusions)
    manifest = manifest_table([row | {"path": reader.written_path(row["path"])} for row in settled.rows])
    counts = flow(found, manifest, exclusions, list(reader.folders), settled.findings)
    write_table(out / "manifest.parquet", manifest)
    write_json(out / "flow.json", counts)
    return counts


def _require_whole(reader: Reader, out: Path, findings: dict[str, Any]) -> None:
    """Refuse a copy of a published set that is not what was published; exclusions.csv names what is missing."""
    if told := findings.get("incomplete"):
        raise CheckFailed(
            "this copy is not the published data set",
            value=told,
            where=reader.root,
            next_step=f"complete it (what its lists name and is not there stands in {out / 'exclusions.csv'}); of a "
            "real copy, datasets.<name>.counts: any takes what is there",
        )


def _require_classes(reader: Reader, out: Path, rows: list[Row], exclusions: Exclusions) -> None:
    reasons = Counter(excluded.reason.value for _, excluded in exclusions)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(5)) or "no file at all"
    if not rows:
        raise CheckFailed(
            "the source holds no usable CT slice",
            value=told,
            where=reader.root,
            next_step=f"see {out / 'exclusions.csv'} for the reason of every file",
        )
    empty = [name for name in reader.folders if not any(row["class_name"] == name for row in rows)]
    if empty and not reader.unlabelled:
        wanted = "; ".join(f"{name}: {' or '.join(reader.folders[name])}" for name in empty)
        raise CheckFailed(
            "a class has no usable CT slice",
            value=wanted,
            where=reader.root,
            next_step=f"name the class's folders in datasets.<name>.classes, or see {out / 'exclusions.csv'} ({told})",
        )
