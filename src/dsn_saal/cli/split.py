"""`dsn-saal split`: an index becomes a case-wise split with its certificate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsn_saal.cli.common import add_settings, read_job
from dsn_saal.params.jobs import SplitJob, split_job
from dsn_saal.split.certificate import certify
from dsn_saal.split.draw import draw_per_class, draw_unstratified
from dsn_saal.storage.atomic import write_json

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE = (
    "example:\n"
    "  dsn-saal split --dataset covid19_diag --index results/preprocess/covid19_diag/index.parquet \\\n"
    "      --out results/split/covid19_diag"
)

PROTOCOL = "case_wise"
"""Name of the one protocol that is built: the stem of both files."""

LEVELS = {
    "case": "case",
    "study": "study",
    "series": "series",
    "sop": "sop",
    "file": "file_sha256",
    "pixel": "pixel_sha256",
}
"""Level of the certificate to the index's column that names it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal split`."""
    parser.add_argument("--dataset", help="data set of params.yaml (needed without --settings)")
    parser.add_argument("--index", type=Path, required=True, help="index.parquet of the preprocess stage")
    parser.add_argument("--out", type=Path, required=True, help="folder for the split and its certificate")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Draw, certify, write."""
    from dsn_saal.storage.tables import read_table, write_table

    job = read_job(args, SplitJob, lambda settings: split_job(settings, args.dataset))
    index = read_table(args.index)
    training = _draw(job, index)
    split = index[["row", "case", "label"]].assign(
        part=["train" if case in training else "test" for case in index["case"]]
    )
    levels = {level: index[column].tolist() for level, column in LEVELS.items()}
    certificate = certify(levels, split["part"].tolist(), split["label"].tolist())
    certificate["counts"] = _counts(job, split)
    write_table(args.out / f"{PROTOCOL}.parquet", split)
    write_json(args.out / f"{PROTOCOL}.certificate.json", certificate)


def _draw(job: SplitJob, index: pd.DataFrame) -> set[str]:
    cases = {
        name: {str(case): len(rows) for case, rows in index[index["label"] == label].groupby("case")}
        for label, name in enumerate(job.classes)
    }
    split = job.split
    if split.rule == "unstratified":
        return draw_unstratified(cases, train_share=split.train_share, seed=split.seed)
    return draw_per_class(cases, train_share=split.train_share, seed=split.seed, train_slices=split.train_slices)


def _counts(job: SplitJob, split: pd.DataFrame) -> dict[str, Any]:
    """Cases and slices per part and class: a split by case does not hit its share in slices."""
    counts: dict[str, Any] = {}
    for part in ("train", "test"):
        rows = split[split["part"] == part]
        counts[part] = {
            name: {
                "cases": int(rows.loc[rows["label"] == label, "case"].nunique()),
                "slices": int((rows["label"] == label).sum()),
            }
            for label, name in enumerate(job.classes)
        }
    return counts
