"""SAAL's alpha, betas and class weights after the first and after the last epoch, from the runs' histories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from images_format import HISTORY

from dsn_saal.statistics import printed

ALPHA, BETA, WEIGHT = "alpha", "beta_", "w_"
"""Columns of a history, or how their names begin."""

MEAN_WEIGHT, RELATIVE = "mean_weight", "relative_"
"""The mean over classes of a run's weights, which scales the whole loss, and a class's weight over that mean: what
re-balances."""

Json = dict[str, Any]


def adaptation(folders: Sequence[Path], classes: Sequence[str]) -> Json | None:
    """Values of each run after its first and its last epoch; None where no run has an alpha.

    Args:
        folders: of runs that did not diverge.
        classes: names in label order.

    Returns:
        For "first" and "last": epoch, and for alpha, every beta, the mean class weight and each class's weight over
        that mean the list of the runs' values.
    """
    histories = [pd.read_csv(folder / HISTORY) for folder in folders]
    if not histories or ALPHA not in histories[0]:
        return None
    ends = {"first": [history.iloc[0] for history in histories], "last": [history.iloc[-1] for history in histories]}
    return {end: of_rows(rows, classes) for end, rows in ends.items()}


def of_rows(rows: Sequence[pd.Series], classes: Sequence[str]) -> Json:
    """The values of one epoch, over runs."""
    weights = np.array([[row[WEIGHT + name] for name in classes] for row in rows], dtype=np.float64)
    mean = weights.mean(axis=1)
    values = {name: [float(row[name]) for row in rows] for name in rows[0].index if name.startswith((ALPHA, BETA))}
    values |= {MEAN_WEIGHT: mean.tolist()}
    values |= {RELATIVE + name: column.tolist() for name, column in zip(classes, (weights.T / mean), strict=True)}
    return {"epoch": int(rows[0]["epoch"]), **values}


def adaptation_table(content: Json) -> list[str]:
    """Mean and range over runs, two rows an experiment; nothing where no experiment has an alpha."""
    found = {e["title"]: e["adaptation"] for e in content["experiments"].values() if e["adaptation"]}
    if not found:
        return []
    first = next(iter(content["experiments"].values()))
    titles = dict(zip(first["classes"], content["class_titles"], strict=True))
    n_betas = max(sum(name.startswith(BETA) for name in both["first"]) for both in found.values())
    betas = [f"{BETA}{number}" for number in range(1, n_betas + 1)]
    columns: dict[str, tuple[str, Callable[[float], str]]] = {ALPHA: ("alpha", printed.near_one)}
    columns |= {name: (name.replace("_", " "), printed.metric) for name in betas}
    columns |= {MEAN_WEIGHT: ("mean weight", printed.significant)}
    columns |= {RELATIVE + name: (f"{title}, relative", printed.metric) for name, title in titles.items()}
    heads = ["experiment", "after epoch", *(head for head, _ in columns.values())]
    rows = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for title, both in found.items():
        for values in (both["first"], both["last"]):
            cells = [title, str(values["epoch"])]
            cells += [mean_and_range(values.get(name), form) for name, (_, form) in columns.items()]
            rows.append("| " + " | ".join(cells) + " |")
    counts = [first["counts"][name] for name in first["classes"]]
    inverse = np.reciprocal(np.array(counts, dtype=np.float64))
    balanced = printed.listed([printed.metric(value) for value in inverse / inverse.mean()])
    return [
        "What SAAL adapts:", "", *rows, "",
        "Mean [smallest, largest] over runs. Mean weight: of the classes, a factor of the whole loss. Relative: a",
        "class's weight over that mean; 1 is no re-balancing. Inverse frequencies of the "
        f"{printed.listed([*map(str, counts)])} training images", f"would give {balanced}.", "",
    ]  # fmt: skip


def mean_and_range(values: Sequence[float] | None, form: Callable[[float], str]) -> str:
    """A cell; a dash where the network has no such beta."""
    if values is None:
        return printed.MISSING
    return f"{form(float(np.mean(values)))} [{form(min(values))}, {form(max(values))}]"
