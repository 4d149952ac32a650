"""Pixel data to HU: one function for ingestion and preprocessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsn_saal.ingest.dicom.plausible import require_body_in_air, require_one_padding, require_rows_that_follow
from dsn_saal.ingest.dicom.stored import is_jpeg, stored_values
from dsn_saal.ingest.dicom.tags import numbers, tag, text, whole
from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LOWEST_HU = -1024
"""Lowest HU a CT scanner reconstructs; everything below is padding, whatever the tags say."""

NOT_HU = ("OD", "MGML", "Z_EFF", "ED", "EDW", "PCT")
"""Values of RescaleType that stand for other units (PS3.3 C.11.1.1.2); of anything else the histogram decides."""


def hounsfield(dataset: Dataset, *, air_hu: int, number: int = 0, count: int = 1) -> tuple[NDArray[np.int16], str]:
    """HU of one slice with padding set to air, and the decoder's name and version.

    The rescale comes before the photometric interpretation (PS3.3 C.11.1): MONOCHROME1 holds the same HU.

    Args:
        dataset: the whitelisted tags of the slice with the file's pixel data.
        air_hu: HU that padding becomes.
        number: the frame, from 0.
        count: frames of the file.

    Returns:
        HU (rows, columns) int16, rounded half to even where the rescale is not whole; "name version".

    Raises:
        Excluded: where pixels are missing, short, not decodable, or no HU of a body in air.
    """
    slope, intercept = numbers(dataset, "RescaleSlope", 1), numbers(dataset, "RescaleIntercept", 1)
    if slope is None or intercept is None or slope[0] == 0:
        raise Excluded(Reason.NO_RESCALE, "RescaleSlope or RescaleIntercept is missing or malformed")
    if text(dataset, "RescaleType").upper() in NOT_HU:
        raise Excluded(Reason.NO_RESCALE, "RescaleType says that the values are no HU")
    raw, decoder = stored_values(dataset, number, count)
    stored = _within_bits(raw, whole(dataset, "BitsStored"))
    hu = rescale(stored, slope=slope[0], intercept=intercept[0])
    padding = _padding(raw, hu, dataset)
    require_body_in_air(hu, padding)
    if padding is not None:
        hu[padding] = air_hu
    if is_jpeg(tag(dataset.file_meta, "TransferSyntaxUID")):
        require_rows_that_follow(hu)
    return hu, decoder


def rescale(stored: NDArray[Any], *, slope: float, intercept: float) -> NDArray[np.int16]:
    """`stored * slope + intercept` as int16, clipped to its range; exact where both are whole."""
    low, high = np.iinfo(np.int16).min, np.iinfo(np.int16).max
    if slope == 1 and intercept.is_integer() and abs(intercept) <= high:
        shift = int(intercept)
        if low <= int(stored.min()) + shift and int(stored.max()) + shift <= high:
            hu = stored.astype(np.int16)  # wraps for unsigned values; the sum below wraps back
            hu += np.int16(shift)
            return hu
    scaled = stored.astype(np.float64) * slope + intercept
    return np.clip(np.rint(scaled), low, high).astype(np.int16)


def _within_bits(raw: NDArray[Any], bits_stored: int) -> NDArray[Any]:
    """Values of the stored bits only: what stands in unused high bits (overlays) is cleared, the sign extended."""
    signed = raw.dtype.kind == "i"
    low, high = (-(1 << (bits_stored - 1)), 1 << (bits_stored - 1)) if signed else (0, 1 << bits_stored)
    if low <= int(raw.min()) and int(raw.max()) < high:
        return raw
    spare = 8 * raw.dtype.itemsize - bits_stored
    return (raw << spare) >> spare


def _padding(raw: NDArray[Any], hu: NDArray[np.int16], dataset: Dataset) -> NDArray[np.bool_] | None:
    """Where no scanner has measured: padding by its tag as far as it can be trusted, and everything below any HU.

    Raises Excluded where what is below any HU can be no padding.
    """
    tagged = _is_padding(raw, dataset)
    if tagged is not None:
        tagged = _trusted(tagged, hu)
    if int(hu.min()) >= LOWEST_HU:
        return tagged
    below = hu < LOWEST_HU
    require_one_padding(hu[below if tagged is None else below & ~tagged], hu.size)
    return below if tagged is None else tagged | below


def _is_padding(stored: NDArray[Any], dataset: Dataset) -> NDArray[np.bool_] | None:
    """Where the stored value is PixelPaddingValue, or lies between it and PixelPaddingRangeLimit (C.7.5.1.1.2)."""
    first = numbers(dataset, "PixelPaddingValue", 1)
    if first is None:
        return None
    last = numbers(dataset, "PixelPaddingRangeLimit", 1) or first
    low, high = sorted(_as_stored(value[0], stored.dtype) for value in (first, last))
    return stored == low if low == high else (stored >= low) & (stored <= high)


def _as_stored(value: float, dtype: np.dtype[Any]) -> int:
    """A padding value in the pixels' signedness: writers give -2000 and 63536 for the same bits."""
    limits, span = np.iinfo(dtype), 1 << (8 * dtype.itemsize)
    number = int(value)
    if number > limits.max:
        return number - span
    return number + span if number < limits.min else number


def _trusted(padding: NDArray[np.bool_], hu: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Padding that may be set to air.

    A wrong PixelPaddingValue can name a value that tissue has as well. What lies above air is therefore believed only
    outside the circle that the matrix encloses, where no scanner reconstructs.
    """
    suspicious = padding & (hu > LOWEST_HU)
    if not suspicious.any():
        return padding
    side = hu.shape[0]
    centred = 2 * np.arange(side, dtype=np.int64) - (side - 1)
    outside = centred[:, None] ** 2 + centred[None, :] ** 2 > side * side
    return padding & (~suspicious | outside)
