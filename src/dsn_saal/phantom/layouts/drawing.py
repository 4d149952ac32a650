"""Cases drawn in several processes, and pictures made of them: windowed, cropped, encoded, marked."""

from __future__ import annotations

import io
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dsn_saal.phantom.cohort import CasePlan, choose_levels
from dsn_saal.phantom.patient import draw_patient
from dsn_saal.phantom.section import draw_slice
from dsn_saal.preprocess.regions import largest, outlines
from dsn_saal.preprocess.window import apply_window

Progress = Callable[[Iterable[Any], int], Iterator[Any]]
Files = Iterator[tuple[str, bytes]]
"""Path below the cohort's folder, and content."""

MARK = ("QualityControlImage", "YES")
"""Text of every picture: what it is, wherever it is moved to. The words are those of DICOM's tag for phantoms."""

LEVEL_HU, WIDTH_HU = -400, 1500
"""Window of the pictures: that of the publication."""

BODY_GREY = 110
"""Grey value above which the largest region is the body."""

NOTE = """These are phantoms: images that the program dsn-saal drew, with lungs and lesions known by construction.
They lie in the layout of {title} so that its reader can be tried without the set. They are none of its images, and
nothing that is measured on them says anything about it or about patients.
"""


@dataclass(frozen=True)
class Drawn:
    """One slice of a case.

    Attributes:
        grey: (512, 512) uint8, windowed.
        box: x, y, width and height of the body.
        lesion: whether the slice shows the disease.
    """

    grey: NDArray[np.uint8]
    box: tuple[int, int, int, int]
    lesion: bool


def drawn_cases(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> list[list[Drawn]]:
    """The slices of every case, lowest first, in the order of the plans whatever the number of processes."""
    if workers == 1:
        return list(progress(map(draw_case, plans), len(plans)))
    context = multiprocessing.get_context("spawn")  # the parent may draw progress in a thread
    with ProcessPoolExecutor(min(workers, len(plans)), mp_context=context) as pool:
        return list(progress(pool.map(draw_case, plans), len(plans)))


def draw_case(plan: CasePlan) -> list[Drawn]:
    """The slices of one case."""
    cv2.setNumThreads(1)
    cv2.ipp.setUseIPP(False)  # other processors, other roundings
    patient = draw_patient(plan.class_name, plan.mild, plan.maker, plan.n_slices, plan.generator(0))
    found = []
    for level in choose_levels(plan.n_slices, patient.levels, plan.generator(1)):
        drawn = draw_slice(patient, level, plan.generator(3, level))
        grey = apply_window(drawn.hu, level_hu=LEVEL_HU, width_hu=WIDTH_HU, formula="exact", rounding="trunc")
        found.append(Drawn(grey, body_box(grey), drawn.lesion))
    return found


def body_box(grey: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Rectangle of the body: x, y, width, height."""
    tissue = cv2.threshold(grey, BODY_GREY, 255, cv2.THRESH_BINARY)[1]
    x, y, width, height = cv2.boundingRect(largest(outlines(tissue), 1)[0])  # type: ignore[arg-type]
    return x, y, width, height


def cropped(drawn: Drawn, rng: np.random.Generator, sides: tuple[int, int]) -> NDArray[np.uint8]:
    """The body with a margin that varies, at a width between `sides`, as a figure of an article would show it."""
    x, y, width, height = drawn.box
    left, top, right, bottom = (int(margin) for margin in rng.integers(-12, 24, 4))
    part = drawn.grey[max(0, y - top) : y + height + bottom, max(0, x - left) : x + width + right]
    across = int(rng.integers(*sides))
    down = max(1, round(across * part.shape[0] / part.shape[1] * float(rng.uniform(0.94, 1.06))))
    return cv2.resize(part, (across, down), interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[return-value]


def encoded(grey: NDArray[np.uint8], mode: str, container: str) -> bytes:
    """A marked picture: mode L, RGB or RGBA; container PNG or JPEG."""
    image = Image.fromarray(grey).convert(mode)
    stream = io.BytesIO()
    if container == "JPEG":
        image.save(stream, "JPEG", quality=88, comment="=".join(MARK).encode())
    else:
        text = PngInfo()
        text.add_text(*MARK)
        image.save(stream, "PNG", pnginfo=text, compress_level=6)
    return stream.getvalue()


def note(title: str) -> tuple[str, bytes]:
    """The text that lies in every stand-in."""
    return "set/STAND-IN.txt", NOTE.format(title=title).encode()


def dealt_parts(count: int) -> list[str]:
    """Parts of `count` patients, about 60 : 20 : 20 and none of them empty where there are three or more."""
    test = max(1, round(0.2 * count))
    validation = max(1, round(0.2 * count)) if count > 2 else 0
    return ["train"] * (count - test - validation) + ["val"] * validation + ["test"] * test


def by_folder(plans: Sequence[CasePlan]) -> dict[str, list[int]]:
    """Positions of the cases of each class, by its mark."""
    found: dict[str, list[int]] = {}
    for at, plan in enumerate(plans):
        found.setdefault(plan.folder, []).append(at)
    return found
