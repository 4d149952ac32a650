"""Slices as figures of articles show them: any window, cut out unevenly, some with a letter or an arrow drawn in."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.case import FIGURE, draw_case
from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts.picture import body_box, draw_crop, windowed

WIDTHS = (150, 700)
"""Smallest and largest width; most of the published pictures lie between."""

Figure = NDArray[np.uint8]
"""(rows, columns, 3): red, green, blue."""

_WHITE, _RED, _YELLOW = (255, 255, 255), (255, 0, 0), (255, 255, 0)


def figures(plan: CasePlan) -> list[Figure]:
    """The figures of one case, lowest slice first."""
    case, rng = draw_case(plan), plan.generator(FIGURE)
    level, width = int(rng.integers(-600, -399)), int(rng.integers(1200, 1601))
    found = []
    for drawn in case.slices():
        grey = windowed(drawn.hu, level_hu=level, width_hu=width)
        cut = draw_crop(rng, WIDTHS).of(grey, body_box(drawn.hu))
        found.append(_annotated(np.repeat(cut[:, :, None], 3, axis=2), rng))
    return found


def _annotated(figure: Figure, rng: np.random.Generator) -> Figure:
    """A letter in the corner of some, an arrow into others, white or coloured; nothing here knows the class."""
    kind, letter = int(rng.integers(6)), "ABCD"[int(rng.integers(4))]
    colour = (_WHITE, _WHITE, _RED, _YELLOW)[int(rng.integers(4))]
    x, y = (int(side * rng.integers(300, 700) // 1000) for side in (figure.shape[1], figure.shape[0]))
    if kind < 2:
        cv2.putText(figure, letter, (6, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.8, _WHITE, 2, cv2.LINE_8)
    if kind in (1, 2):
        cv2.line(figure, (x + 6, y + 6), (x + 26, y + 26), colour, 2, cv2.LINE_8)
        cv2.fillPoly(figure, [np.array([(x, y), (x + 11, y + 3), (x + 3, y + 11)], np.int32)], colour, cv2.LINE_8)
    return figure


def rescaled(figure: Figure) -> Figure:
    """The same picture from another source: three quarters of the size."""
    size = (figure.shape[1] * 3 // 4, figure.shape[0] * 3 // 4)
    smaller: Figure = cv2.resize(figure, size, interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[assignment]
    return smaller
