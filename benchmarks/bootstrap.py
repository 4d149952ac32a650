"""Seconds of the bootstrap over cases and runs of every row of Table 3, against a plain loop on the same draws.

The loop does what one would write first: for each draw it gathers the slices of the drawn cases and measures them anew.
Both give the same numbers, which is checked. It is timed on a few draws and scaled to all.

    python benchmarks/bootstrap.py
    python benchmarks/bootstrap.py --cases 67 --slices 31 --runs 10      # the paper's test part
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from dsn_saal.domain.classes import ClassSet
from dsn_saal.statistics.clusters import count_cases
from dsn_saal.statistics.measures import measure
from dsn_saal.statistics.nested import draw_nested, nested_bootstrap

CLASSES = ClassSet(("a", "b", "c"), ("A", "B", "C"), "a")

Run = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Labels (n,), probabilities (n, 3), cases (n,)."""


def answers(n_cases: int, slices: int, seed: int) -> Run:
    """Answers of one run for cases of the three classes, of 1 to 2 * slices - 1 slices each."""
    sizes = np.random.default_rng(0).integers(1, 2 * slices, n_cases)
    cases = np.repeat(np.arange(n_cases), sizes)
    labels = (np.arange(n_cases) % 3)[cases]
    logits = np.random.default_rng(seed).normal(size=(len(cases), 3)) + np.eye(3)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), cases


def loop(runs: list[Run], strata: np.ndarray, draws: int, seed: int, only: int) -> dict[str, list[float]]:
    """The first `only` of the draws, slice by slice."""
    times, chosen = draw_nested(strata, len(runs), draws, seed)
    found: dict[str, list[float]] = {}
    for time_of, run in zip(times[:only].astype(int), chosen[:only], strict=True):
        labels, probabilities, cases = runs[run]
        picked = np.concatenate([np.flatnonzero(cases == case) for case in np.repeat(np.arange(len(time_of)), time_of)])
        for name, value in measure(labels[picked], probabilities[picked], CLASSES).items():
            found.setdefault(name, []).append(value)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=9, help="methods")
    parser.add_argument("--runs", type=int, default=3, help="runs a method")
    parser.add_argument("--cases", type=int, default=21, help="test cases")
    parser.add_argument("--slices", type=int, default=7, help="slices a case, on average")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--loop-draws", type=int, default=50, help="draws that the loop is timed on")
    args = parser.parse_args()
    rows = [[answers(args.cases, args.slices, 100 * row + run) for run in range(args.runs)] for row in range(args.rows)]
    strata = np.arange(args.cases) % 3
    begun = time.perf_counter()
    fast = [
        nested_bootstrap(
            [count_cases(*run) for run in runs], strata, positive=0, classes=CLASSES.names, draws=args.draws, seed=0
        )
        for runs in rows
    ]
    vectorised = time.perf_counter() - begun
    begun = time.perf_counter()
    slow = [loop(runs, strata, args.draws, 0, args.loop_draws) for runs in rows]
    looped = (time.perf_counter() - begun) * args.draws / args.loop_draws
    worst = max(
        float(np.nanmax(abs(fast[row][name][: args.loop_draws] - np.array(values))))
        for row, held in enumerate(slow)
        for name, values in held.items()
    )
    slices = len(rows[0][0][0])
    print(f"{args.rows} rows of {args.runs} runs, {slices} slices of {args.cases} cases, {args.draws} draws")
    print(f"vectorised {vectorised:8.2f} s")
    print(f"plain loop {looped:8.2f} s (from {args.loop_draws} draws)")
    print(f"ratio      {looped / vectorised:8.0f}    largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
