"""Which experiments answer by the networks of several epochs, in words."""

from __future__ import annotations

from collections.abc import Sequence

from dsn_saal.evaluate.summaries import Json
from dsn_saal.statistics.printed import listed


def votes(titles: Sequence[str], summaries: Sequence[Json]) -> list[str]:
    """A sentence for each number of epochs above one that is asked, with the experiments that ask so many."""
    asked: dict[int, list[str]] = {}
    for title, summary in zip(titles, summaries, strict=True):
        for number in sorted({len(entry["record"].get("voting_epochs", ())) for entry in summary["training"]} - {0}):
            asked.setdefault(number, []).append(title)
    return [
        f"The probabilities of {listed(list(dict.fromkeys(names)))} are means over the networks of the last {number} "
        "epochs of a run."
        for number, names in asked.items()
    ]
