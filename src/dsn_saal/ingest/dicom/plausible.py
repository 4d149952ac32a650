"""Whether values can be HU of a body in air: air and soft tissue must be where they belong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsn_saal.ingest.reasons import Excluded, Reason

SAMPLE_ROWS = 32
"""Rows that are looked at, evenly spread: shares of an image need no more, and whole rows are read fast."""

_BIN_SHIFT = 2
BIN_HU = 1 << _BIN_SHIFT
_LOWEST, _HIGHEST, _BINS = -1024, 3071, 1024
"""What the histogram covers; what lies above is counted in the last bin."""

AIR, BETWEEN, SOFT, ABOVE_SOFT, DENSE = (-1024, -500), (-500, -200), (-200, 200), (200, 3072), (500, 3072)
"""Ranges of HU: air and lung; neither; fat, muscle and blood; contrast medium, bone, metal; cortical bone and metal."""

FEWEST_AIR, FEWEST_SOFT = 0.005, 0.01
"""Least shares of the measured pixels. 344 clinical chest slices hold 0.21 and 0.18 or more, phantoms 0.13 and 0.29."""

AIR_MODE_BELOW_HU = -700
"""The most frequent value of air and lung: -1000 round the body, down from -750 in a field inside it.

Muscle that an intercept moves this far down has left its bones near 0 HU, and they are too few to be soft tissue.
"""

MODE_BIN_HU = 16

LARGEST_CLIPPED = 0.02
"""Largest share at the highest value. A picture of one window has its bones there, or all of its tissue."""

LARGEST_SCATTERED = 0.05
"""Largest share of an image that lies far below air, is not tagged as padding, and has not one value but many."""

ROW_STEP_HU = 200
MOST_ROW_STEPS = 6
"""Most rows in which more than half of the pixels lie ROW_STEP_HU and more from those above. Of 361 clinical slices no
one has such a row; the edges of an image cut off above and below, and of a flat couch as wide as it, make up to six."""

_FAR_BELOW_HU = -1280
_PADDING_SHIFT = 7


def require_one_padding(below: NDArray[np.int16], size: int) -> None:
    """Raise Excluded (IMPLAUSIBLE_HU) where values below any HU are scattered as no padding is.

    What a damaged codestream decodes to swings far below air; taken for padding it would look like air.

    Args:
        below: (n,) HU that are below any scanner's and not tagged as padding.
        size: pixels of the image.
    """
    far = below[below < _FAR_BELOW_HU]
    if far.size <= LARGEST_SCATTERED * size:
        return
    # Padding is one value, or round one where the coding is lossy: two bins hold it wherever their border lies.
    counts = np.bincount((far.astype(np.int32) - np.iinfo(np.int16).min) >> _PADDING_SHIFT, minlength=2)
    if far.size - int((counts[1:] + counts[:-1]).max()) > LARGEST_SCATTERED * size:
        raise Excluded(Reason.IMPLAUSIBLE_HU, "many values far below air: the pixel data may be damaged")


def require_rows_that_follow(hu: NDArray[np.int16]) -> None:
    """Raise Excluded (IMPLAUSIBLE_HU) where row after row has little to do with the one above.

    JPEG carries no checksum. From a wrong byte on a decoder reads other codes than were written: it does not stop, and
    what it predicts from its own errors steps from row to row as no body does. Not caught are errors of a few rows.

    Args:
        hu: (rows, columns) HU, before or after padding is set to air.
    """
    lower, upper = hu[1:].astype(np.int32), hu[:-1].astype(np.int32)
    far = np.count_nonzero(np.abs(lower - upper) >= ROW_STEP_HU, axis=1)
    if np.count_nonzero(2 * far > hu.shape[1]) > MOST_ROW_STEPS:
        raise Excluded(Reason.IMPLAUSIBLE_HU, "rows that do not follow one another: the pixel data may be damaged")


def require_body_in_air(hu: NDArray[np.int16], padding: NDArray[np.bool_] | None) -> None:
    """Raise Excluded (IMPLAUSIBLE_HU) where the histogram is none of a body in air.

    Caught are inverted values, a missing intercept, one applied twice, a slope that is far off, values read with the
    wrong sign, and pictures of 8 bits. Not caught is what moves air and soft tissue by less than about 150 HU.

    Args:
        hu: (rows, columns) HU before padding is set to air: padding looks like air that is not there.
        padding: (rows, columns) where nothing was measured, None for nowhere.
    """
    step = max(1, len(hu) // SAMPLE_ROWS)
    sample = hu[step // 2 :: step]
    measured = sample[~padding[step // 2 :: step]] if padding is not None else sample.ravel()
    if not measured.size:
        raise Excluded(Reason.IMPLAUSIBLE_HU, "every pixel is padding")
    top = int(measured.max())
    clipped = int(np.count_nonzero(measured == top))
    places = (np.minimum(measured, _HIGHEST) - np.int16(_LOWEST)) >> _BIN_SHIFT
    counts = np.bincount(places, minlength=_BINS)
    fault = _fault(counts, int(measured.size), clipped)
    if fault:
        raise Excluded(Reason.IMPLAUSIBLE_HU, fault)


def _fault(counts: NDArray[np.intp], size: int, clipped: int) -> str:
    """What is wrong with a histogram, "" where nothing is."""
    below = [0, *counts.cumsum().tolist()]
    air, between, soft, above, dense = (
        below[(high - _LOWEST) // BIN_HU] - below[(low - _LOWEST) // BIN_HU]
        for low, high in (AIR, BETWEEN, SOFT, ABOVE_SOFT, DENSE)
    )
    if air < FEWEST_AIR * size:
        return "no air: the intercept may be missing, or the values inverted"
    if dense > air:
        return "more bone than air: the values may be inverted, or have another sign"
    if soft < FEWEST_SOFT * size or 2 * soft < between or soft < above:
        return "no soft tissue near 0 HU: slope or intercept may be wrong"
    if _air_mode(counts) >= AIR_MODE_BELOW_HU:
        return "no air near -1000 HU: slope or intercept may be wrong"
    if clipped > LARGEST_CLIPPED * size:
        return "clipped at the highest value: a picture of one window"
    return ""


def _air_mode(counts: NDArray[np.intp]) -> int:
    """Lower end of the fullest bin of MODE_BIN_HU among what is as thin as air and lung.

    What lies between them and soft tissue is not looked at: ground glass may fill a field inside the body.
    """
    below = counts[: (AIR[1] - _LOWEST) // BIN_HU]
    width = MODE_BIN_HU // BIN_HU
    whole = below[: len(below) // width * width].reshape(-1, width).sum(axis=1)
    return int(whole.argmax()) * MODE_BIN_HU + _LOWEST
