"""Who stands where in a set: the cases by class and part, and the work on them shared out over processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from dsn_saal.domain.errors import BadRequest
from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.write import Progress

Task = TypeVar("Task")
Made = TypeVar("Made")

PARTS = ("train", "val", "test")
"""Parts of the sets that come with lists, as their files are named."""

NOTE = """These are phantoms: images that the program dsn-saal drew, with lungs and lesions known by construction.
They lie in the layout of {title} so that its reader can be tried without the set. They are none of its images, and
nothing that is measured on them says anything about it or about patients.
"""


@dataclass(frozen=True)
class Member:
    """A case in its set.

    Attributes:
        plan: the case; its folder is the mark of its class.
        place: among the cases of its class, from 0.
        of: how many cases its class has.
    """

    plan: CasePlan
    place: int
    of: int

    @property
    def part(self) -> str:
        """Its part: cases are dealt about 60 : 20 : 20, and no part is left empty.

        Raises:
            BadRequest: where a class has fewer cases than there are parts.
        """
        if self.of < len(PARTS):
            raise BadRequest(
                "a class has too few cases for lists of train, validation and test",
                value=self.of,
                where=f"phantom.cohorts, cases of the class marked {self.plan.folder}",
                next_step=f"ask for at least {len(PARTS)}",
            )
        held_out = max(1, (self.of + 2) // 5)
        return PARTS[0] if self.place < self.of - 2 * held_out else PARTS[1 + (self.place >= self.of - held_out)]


def members(plans: Sequence[CasePlan], marks: Collection[str]) -> list[Member]:
    """The cases with their places, in the order of the plans.

    Args:
        plans: the cases.
        marks: what may mark a class in the layout.

    Raises:
        BadRequest: where a class is marked otherwise.
    """
    sizes = dict.fromkeys((plan.folder for plan in plans), 0)
    for mark in sizes:
        if mark not in marks:
            raise BadRequest(
                "the layout has no such class",
                value=mark,
                where="datasets, folders of a class",
                next_step=f"choose one of: {', '.join(marks)}",
            )
    places = []
    for plan in plans:
        places.append(sizes[plan.folder])
        sizes[plan.folder] += 1
    return [Member(plan, place, sizes[plan.folder]) for plan, place in zip(plans, places, strict=True)]


def made(make: Callable[[Task], Made], tasks: Sequence[Task], *, workers: int, progress: Progress) -> Iterator[Made]:
    """What `make` makes of each task, in the order of the tasks whatever the number of processes."""
    if workers == 1:
        yield from progress(map(make, tasks), len(tasks))
        return
    context = multiprocessing.get_context("spawn")  # the parent may draw progress in a thread
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context) as pool:
        try:
            yield from progress(pool.map(make, tasks), len(tasks))
        finally:
            pool.shutdown(cancel_futures=True)


def note(title: str) -> tuple[str, bytes]:
    """The text that lies in every stand-in."""
    return "set/STAND-IN.txt", NOTE.format(title=title).encode()
