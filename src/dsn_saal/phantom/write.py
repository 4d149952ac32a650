"""Write the cohort: case by case in several processes, the listing last. The folder belongs to this job alone."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest
from dsn_saal.phantom.case import HEADER, draw_case, truth_file
from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.series import draw_header, file_bytes, slice_dataset
from dsn_saal.storage.atomic import write_bytes
from dsn_saal.storage.listing import LISTING, files_below, write_listing

Progress = Callable[[Iterable[Any], int], Iterator[Any]]
"""Passes items on while it shows how many of a total went by."""

Files = Generator[tuple[str, bytes], None, None]
"""Path below the cohort's folder, and content."""

SERIES = "S0002"
"""Folder of a case's series."""


def write_cohort(plans: Sequence[CasePlan], out: Path, *, workers: int, progress: Progress) -> int:
    """Write every case's DICOM series and true lungs below `out`, then the listing.

    What else lies in the folder is removed. The bytes do not depend on the number of processes.

    Args:
        plans: the cases.
        out: the cohort's folder: `dicom/`, `truth/` and the listing.
        workers: processes.
        progress: shows how far it is.

    Returns:
        Slices written.

    Raises:
        BadRequest: where `out` is a file or holds something that is no cohort.
        CheckFailed: where the disk is full.
    """
    open_folder(out)
    digests: dict[str, str] = {}
    for written in progress(_cases(plans, out, workers), len(plans)):
        digests.update(written)
    close_folder(out, digests)
    return sum(plan.n_slices for plan in plans)


def write_set(files: Files, out: Path) -> int:
    """Write the files of a stand-in below `out`, then the listing; returns how many.

    Args:
        files: as a layout gives them.
        out: the cohort's folder; what else lies in it is removed.

    Raises:
        BadRequest: where `out` is a file or holds something that is no cohort.
        CheckFailed: where the disk is full.
    """
    open_folder(out)
    digests: dict[str, str] = {}
    with closing(files):  # its processes stop drawing where the disk is full
        for name, content in files:
            write_bytes(out / name, content)
            digests[name] = hashlib.sha256(content).hexdigest()
    close_folder(out, digests)
    return len(digests)


def open_folder(out: Path) -> None:
    """Take a cohort's folder into use: until it is closed it has no listing."""
    _require_own_folder(out)
    (out / LISTING).unlink(missing_ok=True)
    for link in [path for path in out.rglob("*") if path.is_symlink() and path.is_dir()]:
        link.unlink()


def close_folder(out: Path, digests: dict[str, str]) -> None:
    """Remove what was not written and list what was: SHA-256 by path below `out`."""
    _remove_others(out, set(digests))
    write_listing(out, digest=lambda path: digests[path.relative_to(out).as_posix()])


def _require_own_folder(out: Path) -> None:
    if out.is_file():
        raise BadRequest("the cohort's folder is a file", value=out, next_step="name a folder")
    if (
        out.is_dir()
        and any(out.iterdir())
        and not any((out / name).exists() for name in ("dicom", "truth", "set", LISTING))
    ):
        raise BadRequest(
            "the folder holds something else, and a cohort's folder is emptied of what is not the cohort's",
            value=out,
            next_step="name an empty folder, or one that an earlier run wrote",
        )


def _cases(plans: Sequence[CasePlan], out: Path, workers: int) -> Iterator[dict[str, str]]:
    if workers == 1:
        yield from map(partial(write_case, out=out), plans)
        return
    context = multiprocessing.get_context("spawn")  # the parent may draw progress in a thread
    with ProcessPoolExecutor(min(workers, len(plans)), mp_context=context) as pool:
        longest_first = sorted(plans, key=lambda plan: -plan.n_slices)
        futures = [pool.submit(write_case, plan, out=out) for plan in longest_first]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def write_case(plan: CasePlan, *, out: Path) -> dict[str, str]:
    """Write one case; returns the SHA-256 of each file by its path below `out`."""
    case = draw_case(plan)
    header = draw_header(plan, case.patient, plan.generator(HEADER))
    folder = Path("dicom", plan.folder, plan.name, SERIES)
    digests, masks = {}, []
    for index, (level, drawn) in enumerate(zip(case.levels, case.slices(), strict=True)):
        content = file_bytes(slice_dataset(header, plan, case.patient, index, level, drawn.hu))
        digests[_write(out, folder / header.names[index], content)] = hashlib.sha256(content).hexdigest()
        masks.append(drawn.lungs)
    truth, content = Path("truth", plan.folder, plan.name, f"{SERIES}.npy"), truth_file(masks)
    digests[_write(out, truth, content)] = hashlib.sha256(content).hexdigest()
    return digests


def _write(out: Path, name: Path, content: bytes) -> str:
    write_bytes(out / name, content)
    return name.as_posix()


def _remove_others(out: Path, expected: set[str]) -> None:
    for path in list(files_below(out)):
        if path.relative_to(out).as_posix() not in expected:
            path.unlink()
    for path in sorted(out.rglob("*"), reverse=True):
        if path.is_symlink() and not path.exists():
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
