"""Table 2: cases and slices of each class in the two parts of the split."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.origin import common_origin
from dsn_saal.params.table_jobs import CohortTableJob
from dsn_saal.split.table import parts_of, read_split
from dsn_saal.statistics.printed import count, plural, rate, share
from dsn_saal.storage.tables import read_table
from dsn_saal.tables.table import Table

COLUMNS = (
    "class", "cases train", "cases test", "cases all", "slices train", "slices test", "slices all", "slices/case",
    "train share",
)  # fmt: skip
PARTS = ("train", "test")


def make_table(job: CohortTableJob, *, index: Path, split: Path, certificate: Path) -> Table:
    """Count cases and slices.

    Args:
        job: titles of the data set and its classes, in label order.
        index: row, case, label, origin and the empty flag of every preprocessed slice.
        split: row, case, label, draw, part; its first draw is shown.
        certificate: the split's certificate.

    Raises:
        BadRequest: where a file is missing.
        CheckFailed: where split and index do not belong together, or a class has no slice.
    """
    slices = read_table(index, ["row", "case", "label", "origin", "empty"])
    parts = parts_of(read_split(split), 0)
    joined = slices.merge(parts, on=["row", "case", "label"], how="inner", validate="one_to_one")
    if len(joined) != len(parts) or set(joined["part"]) - set(PARTS):
        raise CheckFailed("split and index do not belong together", where=f"{split} and {index}", next_step="run split")
    labelled = joined[joined["label"].between(0, len(job.classes) - 1)]
    rows = [_row(title, labelled[labelled["label"] == label]) for label, title in enumerate(job.classes.values())]
    return Table(
        id="table2",
        title=f"Composition of {job.dataset_title}",
        columns=COLUMNS,
        rows=(*rows, _row("all", labelled)),
        footnotes=_footnotes(labelled, len(slices) - len(labelled), _verdict(certificate)),
        origin=common_origin(slices["origin"]),
        align="l" + "r" * (len(COLUMNS) - 1),
    )


def _row(title: str, slices: pd.DataFrame) -> tuple[str, ...]:
    if slices.empty:
        raise CheckFailed("a class has no slice", value=title, next_step="look at the exclusions of ingest")
    by_part = [slices[slices["part"] == part] for part in PARTS]
    cases = [part["case"].nunique() for part in by_part]
    n_cases = slices["case"].nunique()
    return (
        title,
        *(count(number) for number in (*cases, n_cases)),
        *(count(len(part)) for part in (*by_part, slices)),
        rate(len(slices) / n_cases),
        share(len(by_part[0]), len(slices)),
    )


def _footnotes(slices: pd.DataFrame, left_out: int, verdict: str) -> tuple[str, ...]:
    train = slices[slices["part"] == "train"]
    test = slices.loc[slices["part"] == "test", "label"].value_counts()
    in_train = f"{share(train['case'].nunique(), slices['case'].nunique())} of the cases"
    notes = [
        f"Split by case: {in_train} and {share(len(train), len(slices))} of the slices train. "
        f"Certificate of disjointness: {verdict}.",
        f"Always naming the largest class of the test part would be right in {share(test.max(), test.sum())} of it.",
    ]
    empty = int(slices["empty"].sum())
    if empty:
        notes.append(f"{plural(empty, 'slice')} without a lung mask counted here, unmasked and flagged.")
    if left_out:
        notes.append(f"{plural(left_out, 'slice')} without a known class or part not counted.")
    return tuple(notes)


def _verdict(certificate: Path) -> str:
    try:
        return str(json.loads(certificate.read_text(encoding="utf-8"))["verdict"])
    except FileNotFoundError:
        raise BadRequest("there is no certificate", value=certificate, next_step="run split") from None
    except (ValueError, KeyError):
        raise CheckFailed("the certificate is damaged", where=certificate, next_step="run split again") from None
