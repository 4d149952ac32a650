"""`dsn-saal preprocess`: a manifest becomes images, their surroundings, masks, grids, an index with quality flags."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.preprocess.grid import GRID
from dsn_saal.preprocess.slices import Quality, Recipe, preprocess_slice
from dsn_saal.preprocess.store import growing_array
from dsn_saal.preprocess.truth import TruthAt, hull_overlap, read_truth, truth_folder, truth_of
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.tables import write_table

ReadSlice = Callable[[str, int, str], NDArray[np.int16] | NDArray[np.uint8]]
"""A slice (HU, or a grey picture) from its written path, its frame and its file's SHA-256."""

CHUNK = 8
"""Slices that travel to a process together."""

KEPT_BYTES = 31 * 2**20
"""Block whose freeing makes glibc keep memory: just under the largest that it adapts to."""

NOTHING_CUT = "nothing is cut out of this data set"
"""Why there is no overlap with true lungs."""

_FLAG_TYPES = {
    "lung_share": np.float32, "n_regions": np.int8, "empty": np.bool_, "touches_border": np.bool_,
    "asymmetry": np.float32,
}  # fmt: skip


class Task(NamedTuple):
    """What a process must know about one slice."""

    path: str
    frame: int
    file_sha256: str
    truth: TruthAt | None


class Done(NamedTuple):
    """What comes back: image, what surrounds its lungs, packed mask, grid, flags, and overlap with the true hulls."""

    image: NDArray[np.uint8]
    surroundings: NDArray[np.uint8] | None
    mask: NDArray[np.uint8]
    grid: NDArray[np.int16]
    quality: Quality
    overlap: float | None


def preprocess_manifest(
    manifest: pd.DataFrame,
    source: Path,
    out: Path,
    *,
    read_slice: ReadSlice,
    recipe: Recipe,
    on_empty: str,
    workers: int,
    progress: Callable[[Iterable[Done], int], Iterable[Done]],
) -> dict[str, Any]:
    """Preprocess every slice of a manifest in its order.

    The bytes written depend on the manifest, the files it names and the recipe; not on the number of processes.

    Args:
        manifest: the table that ingestion wrote.
        source: folder its paths are relative to.
        out: folder of the results.
        read_slice: reads and verifies a slice.
        recipe: from a slice to the network's input.
        on_empty: "keep" slices without lungs unmasked, "drop" them, or "fail".
        workers: processes.
        progress: shows how far it is.

    Returns:
        What mask_quality.json holds.

    Raises:
        CheckFailed: where a file changed, where a slice is empty and on_empty is "fail", or where all are.
    """
    truths, no_truth = truth_of(source, manifest) if recipe.cut_out else ([None] * len(manifest), NOTHING_CUT)
    tasks = [
        Task(*task) for task in zip(manifest["path"], manifest["frame"], manifest["file_sha256"], truths, strict=True)
    ]
    one = partial(_one, read_slice, truth_folder(source), recipe)
    kept: list[int] = []
    flags: list[Quality] = []
    overlaps: list[float | None] = []
    side = recipe.side
    with (
        growing_array(out / "images.npy", (side, side)) as images,
        growing_array(out / "surroundings.npy", (side, side)) as surroundings,  # stays empty where nothing is cut
        growing_array(out / "masks.npy", (-(-side * side // 8),)) as masks,
        growing_array(out / "grids.npy", (GRID, GRID), "<i2") as grids,
    ):
        for number, done in enumerate(progress(_map(one, tasks, workers), len(tasks))):
            flags.append(done.quality)
            overlaps.append(done.overlap)
            if done.quality.empty and on_empty == "fail":
                raise CheckFailed(
                    "a slice has no lungs",
                    where=tasks[number].path,
                    next_step="set preprocess.lung.on_empty to keep or drop, or leave the file out of the source",
                )
            if not (done.quality.empty and on_empty == "drop"):
                kept.append(number)
                images.append(done.image)
                if done.surroundings is not None:
                    surroundings.append(done.surroundings)
                masks.append(done.mask)
                grids.append(done.grid)
        _require_lungs(flags, source)
    summary = _summary(manifest, flags, overlaps, kept, no_truth)
    write_table(out / "index.parquet", _index(manifest, flags, kept))
    write_json(out / "mask_quality.json", summary)
    return summary


def _one(read_slice: ReadSlice, truth_root: Path, recipe: Recipe, task: Task) -> Done:
    result = preprocess_slice(read_slice(task.path, task.frame, task.file_sha256), recipe)
    overlap = None
    if task.truth is not None:
        overlap = hull_overlap(result.lungs, read_truth(truth_root, task.truth, len(result.lungs)))
    return Done(
        result.image,
        result.surroundings,
        np.packbits(result.mask.reshape(-1) > 0),
        result.grid,
        result.quality,
        overlap,
    )


def _map(one: Callable[[Task], Done], tasks: list[Task], workers: int) -> Iterator[Done]:
    """Results in the order of the tasks; one worker means this process."""
    if workers == 1 or len(tasks) <= CHUNK:
        settle()
        yield from map(one, tasks)
        return
    context = multiprocessing.get_context("spawn")  # the parent may draw progress in a thread
    with ProcessPoolExecutor(workers, mp_context=context, initializer=settle) as pool:
        try:
            # In batches, so that results wait in bounded memory where writing is slower than reading.
            for at in range(0, len(tasks), 16 * CHUNK * workers):
                yield from pool.map(one, tasks[at : at + 16 * CHUNK * workers], chunksize=CHUNK)
        except BrokenProcessPool:
            raise CheckFailed(
                "a worker process ended before its slices were done",
                value=f"{workers} workers",
                next_step="the machine may be out of memory: run again with fewer --workers",
            ) from None


def settle() -> None:
    """Prepare a process for many slices: one thread, and memory that stays.

    glibc gives every freed image back to the system, whose pages then cost more than the work done in them. Freeing one
    large block raises its limits for that (mallopt(3), M_MMAP_THRESHOLD); other systems lose nothing.
    """
    cv2.setNumThreads(1)
    np.empty(KEPT_BYTES, np.uint8)


def _require_lungs(flags: list[Quality], source: Path) -> None:
    if all(flag.empty for flag in flags):
        raise CheckFailed(
            "no slice of the data set has lungs",
            value=f"{len(flags)} slices",
            where=source,
            next_step="check that the source holds chest CT in HU, and preprocess.window and preprocess.lung",
        )


def _index(manifest: pd.DataFrame, flags: list[Quality], kept: list[int]) -> pd.DataFrame:
    index = manifest.iloc[kept].reset_index(drop=True)
    index.insert(0, "row", np.arange(len(kept), dtype=np.int32))
    columns = pd.DataFrame([asdict(flags[number]) for number in kept], columns=list(_FLAG_TYPES))
    return pd.concat([index, columns.astype(_FLAG_TYPES)], axis=1)


def _summary(
    manifest: pd.DataFrame, flags: list[Quality], overlaps: list[float | None], kept: list[int], no_truth: str | None
) -> dict[str, Any]:
    """mask_quality.json: counts per class, cases without lungs, overlap with the true hulls."""
    empty = np.array([flag.empty for flag in flags])
    labelled = manifest[["label", "class_name", "case"]].assign(empty=empty)
    per_class = labelled.groupby(["label", "class_name"])["empty"].agg(["size", "sum"]).reset_index()
    measured = [overlap for overlap in overlaps if overlap is not None]
    return {
        "slices": len(flags),
        "kept": len(kept),
        "empty": int(empty.sum()),
        "classes": {
            name or "unlabelled": {"slices": int(size), "empty": int(count)}
            for name, size, count in zip(per_class["class_name"], per_class["size"], per_class["sum"], strict=True)
        },
        "cases_without_lungs": int(labelled.groupby("case")["empty"].all().sum()),
        "touching_border": sum(flag.touches_border for flag in flags),
        "hull_iou": {"slices": len(measured), "mean": sum(measured) / len(measured), "min": min(measured)}
        if measured
        else None,
        "hull_iou_missing_because": no_truth if not measured else None,
    }
