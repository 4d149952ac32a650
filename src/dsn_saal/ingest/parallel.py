"""Map a function over files in several processes: results in order, and a crash costs one file."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 16
"""Files that travel to a process together."""


def map_ordered(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int, crashed: Callable[[Item], Result]
) -> Iterator[Result]:
    """`function` of every item, in the items' order, whatever the number of processes.

    A decoder written in C can take its process down with it. The chunk in question is then tried again file by file,
    each in a process of its own, and `crashed(item)` stands for the result of the file that does it again.
    """
    chunks = [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]
    done = 0
    while done < len(chunks):
        with _pool(min(workers, len(chunks) - done)) as pool:
            futures = [pool.submit(_run, function, chunk) for chunk in chunks[done:]]
            try:
                for future in futures:
                    results = future.result()
                    done += 1
                    yield from results
                continue
            except BrokenProcessPool:
                pass
            finally:
                for future in futures:
                    future.cancel()
        yield from map(partial(_alone, function, crashed), chunks[done])
        done += 1


def _alone(function: Callable[[Item], Result], crashed: Callable[[Item], Result], item: Item) -> Result:
    with _pool(1) as pool:
        try:
            return pool.submit(function, item).result()
        except BrokenProcessPool:
            return crashed(item)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, not forked: the parent may draw progress in a thread.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _run(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]
