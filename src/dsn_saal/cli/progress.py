"""Progress of long work on standard error: a bar in a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def tracked(label: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
    """A function that passes items on and draws how many of a total went by."""

    def passing(items: Iterable[Any], total: int) -> Iterator[Any]:
        if not sys.stderr.isatty():
            yield from items
            return
        from rich.console import Console
        from rich.progress import track

        yield from track(items, label, total, console=Console(stderr=True), transient=True)

    return passing
