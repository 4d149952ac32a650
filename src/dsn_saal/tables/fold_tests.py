"""Whether the last method of a split differs from each other one, fold by fold: training parts of folds overlap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dsn_saal.evaluate.summaries import Json
from dsn_saal.params.public_table_jobs import PublicTableJob
from dsn_saal.statistics import printed
from dsn_saal.statistics.paired import corrected_t, holm

METRIC = "accuracy.overall"
HEADS = ("ACC, last − this", "p (Nadeau-Bengio)", "p (Holm)")


@dataclass(frozen=True)
class FoldTests:
    """Cells of HEADS by experiment, and what a reader must know of them."""

    cells: Mapping[str, tuple[str, ...]]
    footnote: str


def fold_tests(job: PublicTableJob, read: Mapping[str, Json]) -> FoldTests | None:
    """Test the last row of each split against the others of the same split; None where no row is on folds.

    Args:
        job: rows with their protocol and, on folds, n_test / n_train.
        read: summaries by experiment.
    """
    last = {row.protocol: row for row in job.rows if row.test_share is not None}
    if not last:
        return None
    level = float(read[job.rows[0].name]["interval"]["level"])
    tested = [row for row in job.rows if row.protocol in last and row != last[row.protocol]]
    tests = [
        corrected_t(
            _differences(read[last[row.protocol].name], read[row.name]), test_share=row.test_share or 0, level=level
        )
        for row in tested
    ]
    cells = {row.name: (printed.MISSING,) * len(HEADS) for row in job.rows}
    for row, test, adjusted in zip(tested, tests, holm([test.p for test in tests]), strict=True):
        cells[row.name] = (
            f"{printed.signed(test.mean)} {printed.signed_interval(test.interval)}",
            printed.metric(test.p),
            printed.metric(adjusted),
        )
    named = [f"{row.title} ({row.split})" for row in last.values()]
    return FoldTests(
        cells,
        f"Difference in accuracy with its {100 * level:g} % interval: {printed.listed(named)} minus each other method "
        "on the same folds, fold by fold. Training parts of folds overlap, so the variance of the mean is corrected by "
        "n_test / n_train (Nadeau and Bengio 2003). p are two-sided; Holm's of all "
        f"{printed.plural(len(tests), 'test')} here.",
    )


def _differences(last: Json, other: Json) -> list[float]:
    """Accuracy of the one minus that of the other in each run that both finished."""
    held = [dict(zip(one["finished"], one["metrics"][METRIC]["values"], strict=True)) for one in (last, other)]
    shared = [run for run in held[0] if run in held[1]]
    pairs = [(held[0][run], held[1][run]) for run in shared]
    return [math.nan if None in pair else pair[0] - pair[1] for pair in pairs]
