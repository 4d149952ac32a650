"""From an index and a protocol to the part of every slice in every draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.split.draw import draw_per_class, draw_unstratified
from dsn_saal.split.folds import deal_folds, together, units_of
from dsn_saal.split.official import official_parts
from dsn_saal.split.subsample import thinned
from dsn_saal.split.table import COLUMNS

LEVELS = {
    "case": "case",
    "study": "study",
    "series": "series",
    "sop": "sop",
    "article": "article",
    "file": "file_sha256",
    "pixel": "pixel_sha256",
}
"""Level of the certificate to the index's column that names it."""

Parts = NDArray[np.str_]
Protocol = Mapping[str, Any]


def draws_of(index: pd.DataFrame, protocol: Protocol, base: Protocol | None, classes: Sequence[str]) -> list[Parts]:
    """The part of every slice, one array a draw.

    Args:
        index: rows of the preprocess stage; slices without a label (-1) are unused.
        protocol: fields of the protocol, its kind among them.
        base: fields of the case-wise protocol that a subsample thins out.
        classes: class names in label order.

    Raises:
        CheckFailed: where the data set cannot be split that way.
    """
    if base is not None:
        draws = _subsamples(index, protocol, _cases(index, base, classes)[0], classes)
    else:
        draws = {"cases": _cases, "official": _official, "folds": _folds}[protocol["kind"]](index, protocol, classes)
    unlabelled = (index["label"] < 0).to_numpy()
    return [np.where(unlabelled, "unused", parts) for parts in draws]


def _cases(index: pd.DataFrame, protocol: Protocol, classes: Sequence[str]) -> list[Parts]:
    slices_of = {
        name: {str(case): len(rows) for case, rows in index[index["label"] == label].groupby("case")}
        for label, name in enumerate(classes)
    }
    draws = []
    for draw in range(protocol["draws"]):
        shared = {"train_share": protocol["train_share"], "seed": protocol["seed"] + draw}
        if protocol["rule"] == "unstratified":
            training = draw_unstratified(slices_of, **shared)
        else:
            training = draw_per_class(slices_of, **shared, train_slices=protocol["train_slices"])
        draws.append(np.where(index["case"].isin(training), "train", "test").astype("<U10"))
    return draws


def _official(index: pd.DataFrame, protocol: Protocol, classes: Sequence[str]) -> list[Parts]:
    return [
        official_parts(
            index["official"].tolist(),
            index["train_3000"].tolist(),
            train_list=protocol["train_list"],
            join_validation=protocol["join_validation"],
        )
    ]


def _folds(index: pd.DataFrame, protocol: Protocol, classes: Sequence[str]) -> list[Parts]:
    labels = index["label"].tolist()
    units = units_of(
        protocol["unit"],
        labels=labels,
        numbers=index["number"].tolist(),
        cases=index["case"].tolist(),
        block_size=protocol["block_size"],
    )
    groups = together(units, index["file_sha256"].tolist(), index["pixel_sha256"].tolist())
    folds, seed = protocol["folds"], protocol["seed"]
    fold_of = deal_folds(groups, labels, slice_names(index), folds=folds, seed=seed)
    return [np.where(fold_of == fold, "test", "train").astype("<U10") for fold in range(folds)]


def _subsamples(index: pd.DataFrame, protocol: Protocol, parts: Parts, classes: Sequence[str]) -> list[Parts]:
    of_class = (index["label"] == list(classes).index(protocol["of"])).to_numpy()
    names = [f"{name} {case}" for name, case in zip(slice_names(index), index["case"], strict=True)]
    return [
        thinned(
            parts,
            of_class,
            slices=names,
            cases=index["case"].tolist(),
            share=protocol["share"],
            unit=protocol["unit"],
            seed=protocol["seed"] + draw,
        )
        for draw in range(protocol["draws"])
    ]


def levels_of(index: pd.DataFrame) -> dict[str, list[str]]:
    """Level of the certificate to a key per slice; most sets are not cut out of articles, and lack that level."""
    levels = {level: index[column].tolist() for level, column in LEVELS.items()}
    if not any(levels["article"]):
        del levels["article"]
    return levels


def slice_names(index: pd.DataFrame) -> list[str]:
    """How a slice is called: its path as the manifest holds it, and its frame where a file has several."""
    several = index["path"].duplicated(keep=False)
    named = zip(index["path"], index["frame"], several, strict=True)
    return [f"{path} frame {frame}" if many else str(path) for path, frame, many in named]


def split_table(index: pd.DataFrame, draws: Sequence[Parts]) -> pd.DataFrame:
    """The table of a split: a block of rows a draw."""
    known = index[["row", "case", "label"]]
    blocks = [known.assign(draw=number, part=parts) for number, parts in enumerate(draws)]
    return pd.concat(blocks, ignore_index=True)[list(COLUMNS)].astype(COLUMNS)
