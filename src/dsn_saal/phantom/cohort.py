"""Who belongs to the cohort: cases per class, their slices, scanners and severity, before any pixel is drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dsn_saal.domain.errors import BadRequest
from dsn_saal.phantom.scanner import MODELS

PREFIXES = {"covid19": "CV", "normal": "NL", "bacterial_pneumonia": "BP"}
"""Classes that can be drawn, and how their cases' names begin."""


@dataclass(frozen=True)
class CasePlan:
    """One case to be written.

    Attributes:
        class_name: key of `PREFIXES`.
        folder: class folder.
        number: of the case in its class, from 1.
        n_slices: slices to write.
        maker: key of `scanner.MODELS`.
        mild: few, small, faint lesions.
        seed: of the cohort.
    """

    class_name: str
    folder: str
    number: int
    n_slices: int
    maker: str
    mild: bool
    seed: int

    @property
    def name(self) -> str:
        """Name of the case, its folder and its patient."""
        return f"{PREFIXES[self.class_name]}{self.number:03d}"

    def generator(self, *purpose: int) -> np.random.Generator:
        """The case's generator for one purpose: the same whatever else the cohort holds."""
        return np.random.default_rng(_sequence(self.seed, self.class_name, self.number, *purpose))


def plan_cohort(
    *,
    seed: int,
    mild_share: float,
    cases: Mapping[str, int],
    slices: Mapping[str, int],
    slices_per_case: tuple[int, int],
    folders: Mapping[str, str],
    drawn_as: Mapping[str, tuple[str, ...]] | None = None,
) -> list[CasePlan]:
    """Every case of the cohort, in the order of `cases`.

    Args:
        seed: of the whole cohort.
        mild_share: share of the diseased cases that are mild.
        cases: cases per class.
        slices: slices per class; each class gets exactly as many.
        slices_per_case: fewest and most.
        folders: class folder per class.
        drawn_as: per class the phantoms that stand in for it, in turn; None where each is drawn as what it is called.

    Raises:
        BadRequest: where a class is unknown or the counts cannot be met.
    """
    plans: list[CasePlan] = []
    numbers = dict.fromkeys(PREFIXES, 0)
    for class_name, count in cases.items():
        kinds = (drawn_as or {}).get(class_name, (class_name,))
        _require_known(kinds)
        rng = np.random.default_rng(_sequence(seed, class_name))
        shares = share_slices(slices[class_name], count, slices_per_case, rng)
        makers = _dealt([maker for _, maker in zip(range(count), _cycle(rng), strict=False)], rng)
        n_mild = int(mild_share * count + 0.5)
        mild = _dealt([index < n_mild for index in range(count)], rng)
        for index in range(count):
            kind = kinds[index % len(kinds)]
            numbers[kind] += 1
            ill = kind != "normal" and mild[index]
            plans.append(CasePlan(kind, folders[class_name], numbers[kind], shares[index], makers[index], ill, seed))
    return plans


def _require_known(kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        if kind not in PREFIXES:
            raise BadRequest(
                "no phantom can be drawn of this class",
                value=kind,
                where="phantom.cohorts",
                next_step=f"name the phantoms that stand in for a class: {', '.join(PREFIXES)}",
            )


def seed_of_set(seed: int, reader: str) -> int:
    """The seed of a data set's cohort: other sets hold other phantoms. That of COVID19-Diag is the common seed."""
    if reader == "dicom":
        return seed
    return int.from_bytes(hashlib.blake2b(f"{seed} {reader}".encode(), digest_size=6).digest(), "big")


def share_slices(total: int, cases: int, limits: tuple[int, int], rng: np.random.Generator) -> list[int]:
    """Share `total` slices out over cases, each within `limits`, as unevenly as clinics do; the sum is exact."""
    low, high = limits
    if not cases * low <= total <= cases * high:
        raise BadRequest("the slices do not fit into the cases", value=total, where=f"{cases} cases of {low} to {high}")
    counts = np.full(cases, low)
    appetite = rng.integers(1, 8, size=cases)
    for _ in range(total - cases * low):
        hungry = np.cumsum(np.where(counts < high, appetite, 0))
        counts[np.searchsorted(hungry, rng.integers(hungry[-1]), side="right")] += 1
    return [int(count) for count in counts]


def choose_levels(n_slices: int, levels: int, rng: np.random.Generator) -> list[int]:
    """Evenly spread levels from base to apex, starting at a random one: the same range however few are taken."""
    step, phase = levels / n_slices, rng.random()
    return [int((index + phase) * step) for index in range(n_slices)]


def _cycle(rng: np.random.Generator) -> list[str]:
    makers = list(MODELS)
    first = int(rng.integers(len(makers)))
    return (makers[first:] + makers[:first]) * 1000


def _dealt(items: list, rng: np.random.Generator) -> list:
    return [items[index] for index in rng.permutation(len(items))]


def _sequence(seed: int, class_name: str, *numbers: int) -> np.random.SeedSequence:
    name = int.from_bytes(hashlib.blake2b(class_name.encode(), digest_size=4).digest(), "big")
    return np.random.SeedSequence(seed, spawn_key=(name, *numbers))
