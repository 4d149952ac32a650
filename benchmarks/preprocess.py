"""Lung extraction side by side with other libraries and orders, and slices per second of the line on one core.

Write the phantoms first, then run:

    dsn-saal phantom --dataset covid19_diag --out data/raw/phantom/covid19_diag
    python benchmarks/preprocess.py

Every chain sees the same windowed slices in the same run. Overlap is with the hulls of the true lungs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import skimage.morphology as skm
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.segmentation import clear_border

from dsn_saal.cli.preprocess import recipe_of
from dsn_saal.ingest.dicom.header import read_header
from dsn_saal.ingest.dicom.pixels import hounsfield
from dsn_saal.ingest.dicom.reader import DicomReader, read_hu
from dsn_saal.ingest.manifest import manifest_table
from dsn_saal.ingest.reasons import Excluded
from dsn_saal.params.reading import read_settings
from dsn_saal.preprocess.lung import find_lungs
from dsn_saal.preprocess.slices import Recipe, preprocess_slice
from dsn_saal.preprocess.stage import settle
from dsn_saal.preprocess.truth import hull_overlap, read_truth, truth_folder, truth_of

Grey = NDArray[np.uint8]
FAR, NEAR = 7, 3


def scikit_image(grey: Grey, order: str) -> Grey:
    """Label images and scikit-image's own morphology."""
    air = clear_border(grey < 170)
    far, near = skm.disk(FAR), skm.disk(NEAR)
    air = skm.opening(skm.closing(air, far), near) if order == "close_first" else skm.opening(air, near)
    chosen = largest_labels(label(ndimage.binary_fill_holes(air), connectivity=2))
    if order == "open_first":
        chosen = label(skm.closing(chosen > 0, far), connectivity=2)
    return hulls_by_scikit_image(chosen)


def largest_labels(labelled: NDArray[np.int64]) -> NDArray[np.int64]:
    """The two largest regions keep their labels."""
    regions = sorted(regionprops(labelled), key=lambda region: -region.area)[:2]
    return np.where(np.isin(labelled, [region.label for region in regions]), labelled, 0)


def hulls_by_scikit_image(labelled: NDArray[np.int64]) -> Grey:
    """A convex hull image a region."""
    mask = np.zeros(labelled.shape, np.uint8)
    for region in regionprops(labelled):
        mask[region.slice][region.image_convex] = 255
    return mask


def scipy_chain(grey: Grey, order: str) -> Grey:
    """Label images and SciPy's morphology; hulls by OpenCV."""
    air = clear_border(grey < 170)
    far, near = skm.disk(FAR), skm.disk(NEAR)
    if order == "close_first":
        air = ndimage.binary_closing(air, far)
    chosen = two_largest_by_scipy(ndimage.binary_fill_holes(ndimage.binary_opening(air, near)))
    if order == "open_first":
        chosen = ndimage.binary_closing(chosen, far)
    return hulls_by_opencv(chosen.astype(np.uint8) * np.uint8(255))


def two_largest_by_scipy(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The two regions with most pixels."""
    labelled, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(labelled.ravel())
    sizes[0] = 0
    return np.isin(labelled, np.argsort(sizes)[-2:]) & mask


def opencv_labels(grey: Grey, order: str) -> Grey:
    """OpenCV with connectedComponentsWithStats."""
    air = cv2.threshold(grey, 169, 255, cv2.THRESH_BINARY_INV)[1]
    cv2.floodFill(framed := cv2.copyMakeBorder(air, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255), None, (0, 0), 0)
    air = np.ascontiguousarray(framed[1:-1, 1:-1])
    far, near = skm.disk(FAR), skm.disk(NEAR)
    if order == "close_first":
        air = cv2.morphologyEx(air, cv2.MORPH_CLOSE, far)
    air = cv2.morphologyEx(air, cv2.MORPH_OPEN, near)
    _, labelled, stats, _ = cv2.connectedComponentsWithStats(air)
    order_of_size = np.argsort(stats[1:, cv2.CC_STAT_AREA])[::-1][:2] + 1
    chosen = np.isin(labelled, order_of_size).astype(np.uint8) * np.uint8(255)
    return hulls_by_opencv(cv2.morphologyEx(chosen, cv2.MORPH_CLOSE, far) if order == "open_first" else chosen)


def hulls_by_opencv(mask: Grey) -> Grey:
    """A filled hull round every outline."""
    hull = np.zeros_like(mask)
    for outline in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        cv2.fillConvexPoly(hull, cv2.convexHull(outline), 255)
    return hull


def milliseconds(function: Callable[[object], object], items: Iterable[object]) -> float:
    """Median time of one call."""
    times = []
    for item in items:
        start = time.perf_counter()
        function(item)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def compare_chains(recipe: Recipe, greys: list[Grey], truths: list[Grey]) -> None:
    """Time and overlap of every chain, relative to scikit-image in the same order."""
    lung = recipe.lung
    words = replace(
        lung, candidates="any", midline="as_closed", fewest_px=1, bone_px=0, airways="kept", cut_off="dropped"
    )
    ours = {order: replace(words, order=order) for order in ("close_first", "open_first")}
    chains = {
        (name, order): partial(chain, order=order)
        for order in ours
        for name, chain in (("scikit-image", scikit_image), ("scipy", scipy_chain), ("OpenCV labels", opencv_labels))
    }
    chains |= {("outlines, paper's words", order): partial(_ours, lung=ours[order]) for order in ours}
    chains |= {("outlines, params.yaml", lung.order): partial(_ours, lung=lung)}
    print(f"{'lungs by':26}{'order':13}{'ms':>8}{'slices/s':>10}{'ratio':>8}{'IoU mean':>10}{'min':>8}{'< 0.90':>8}")
    base: dict[str, float] = {}
    for (name, order), chain in sorted(chains.items(), key=lambda entry: entry[0][1]):
        spent = milliseconds(chain, greys)
        base.setdefault(order, spent)
        overlaps = np.array(
            [hull_overlap(chain(grey), truth) or 0.0 for grey, truth in zip(greys, truths, strict=True)]
        )
        figures = f"{overlaps.mean():10.4f}{overlaps.min():8.3f}{np.count_nonzero(overlaps < 0.9):8d}"
        print(f"{name:26}{order:13}{spent:8.2f}{1e3 / spent:10.0f}{base[order] / spent:8.1f}{figures}")


def _ours(grey: Grey, lung: object) -> Grey:
    return find_lungs(grey, lung).mask  # type: ignore[arg-type]


def time_the_line(reader: DicomReader, recipe: Recipe, paths: list[str], digests: dict[str, str]) -> None:
    """Milliseconds of each step and slices per second of the line, one process."""
    contents = {path: (reader.root / path).read_bytes() for path in paths}
    hus = {path: hounsfield(read_header(contents[path]), air_hu=-1000)[0] for path in paths}
    steps = {
        "DICOM to HU": lambda path: hounsfield(read_header((reader.root / path).read_bytes()), air_hu=-1000),
        "HU to image and mask": lambda path: preprocess_slice(hus[path], recipe),
        "ingest (with checksums)": reader.rows,
        "read again (verified)": lambda path: read_hu(reader.root, -1000, path, 0, digests[path]),
    }
    spent = {name: milliseconds(step, paths) for name, step in steps.items()}
    for name, ms in spent.items():
        print(f"{name:26}{ms:8.2f} ms")
    names = list(steps)
    once = spent[names[0]] + spent[names[1]]
    both = spent[names[2]] + spent[names[3]] + spent[names[1]]
    print(f"{'read + window + lungs + resize':34}{1e3 / once:8.0f} slices/s on one core")
    print(f"{'both commands, checksums included':34}{1e3 / both:8.0f} slices/s on one core")


def main() -> None:
    """Read the phantoms, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phantoms", type=Path, default=Path("data/raw/phantom/covid19_diag"))
    parser.add_argument("--slices", type=int, default=200)
    args = parser.parse_args()
    settle()
    settings = read_settings(Path("params.yaml"))
    recipe = recipe_of(settings.preprocess, cut_out=True)
    folders = {name: entry.folders for name, entry in settings.datasets["covid19_diag"].classes.items()}
    source = args.phantoms / "dicom"
    reader = DicomReader(source, folders, "patient_id", None, settings.ingest.air_hu, "exclude", "plain")
    files = (path.relative_to(source).as_posix() for path in sorted(source.rglob("*.dcm")))
    manifest = manifest_table([row for path in files for row in reader.rows(path) if not isinstance(row, Excluded)])
    places, reason = truth_of(source, manifest)
    if reason is not None:
        raise SystemExit(f"{reason}: {args.phantoms}; write the phantoms first")
    chosen = np.unique(np.linspace(0, len(manifest) - 1, args.slices).astype(int)).tolist()
    digests = dict(zip(manifest["path"], manifest["file_sha256"], strict=True))
    paths = [manifest["path"].iloc[number] for number in chosen]
    greys = [recipe.window(read_hu(source, -1000, path, 0, digests[path])) for path in paths]
    truths = [read_truth(truth_folder(source), places[number], len(greys[0])) for number in chosen]  # type: ignore
    print(f"{len(paths)} phantom slices of {manifest['case'].nunique()} cases, one process\n")
    time_the_line(reader, recipe, paths, digests)
    print()
    compare_chains(recipe, greys, truths)


if __name__ == "__main__":
    main()
