"""Pixel data to HU: one function for ingestion and preprocessing."""

from __future__ import annotations

import warnings
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.pixels.decoders.base import get_decoder

from dsn_saal.ingest.dicom.codestream import require_frame_size
from dsn_saal.ingest.dicom.header import numbers, tag, whole
from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LOWEST_HU = -1024
"""Lowest HU a CT scanner reconstructs; everything below is padding, whatever the tags say."""

AIR_BELOW_HU, TISSUE_ABOVE_HU = -500, -200
"""A slice of a body in air holds at least one value below the first and one above the second."""

_LITTLE_ENDIAN = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian)
_PLUGINS = {
    **dict.fromkeys((*uid.JPEGTransferSyntaxes, *uid.JPEGLSTransferSyntaxes), "pylibjpeg-libjpeg"),
    **dict.fromkeys(uid.JPEG2000TransferSyntaxes, "pylibjpeg-openjpeg"),
    uid.RLELossless: "pylibjpeg-rle",
    uid.ExplicitVRBigEndian: "pydicom",
}


def hounsfield(dataset: Dataset, *, air_hu: int) -> tuple[NDArray[np.int16], str]:
    """HU of one slice with padding set to air, and the decoder's name and version.

    Args:
        dataset: the whitelisted tags with pixel data.
        air_hu: HU that padding becomes.

    Returns:
        HU (rows, columns) int16, rounded half to even where the rescale is not whole; "name version".

    Raises:
        Excluded: where pixels are missing, short, not decodable, or no HU of a body in air.
    """
    stored, decoder, padding = _stored(dataset)
    slope, intercept = numbers(dataset, "RescaleSlope", 1), numbers(dataset, "RescaleIntercept", 1)
    if slope is None or intercept is None or slope[0] == 0:
        raise Excluded(Reason.NO_RESCALE, "RescaleSlope or RescaleIntercept is missing or malformed")
    hu = rescale(stored, slope=slope[0], intercept=intercept[0])
    if padding is not None:
        hu[_trusted(padding, hu)] = air_hu
    if int(hu.min()) < LOWEST_HU:
        np.putmask(hu, hu < LOWEST_HU, air_hu)
    if not (int(hu.min()) < AIR_BELOW_HU and int(hu.max()) > TISSUE_ABOVE_HU):
        raise Excluded(Reason.IMPLAUSIBLE_HU, "the values cannot be HU of a body in air")
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


def _stored(dataset: Dataset) -> tuple[NDArray[Any], str, NDArray[np.bool_] | None]:
    """Stored values, decoder, and which pixels hold PixelPaddingValue (None without that tag)."""
    if tag(dataset, "PixelData") is None:
        raise Excluded(Reason.NO_PIXELS, "no PixelData")
    syntax = dataset.file_meta.TransferSyntaxUID
    bits = whole(dataset, "BitsAllocated"), whole(dataset, "BitsStored"), whole(dataset, "PixelRepresentation", 0)
    if bits[0] not in (8, 16) or not 0 < bits[1] <= bits[0] or bits[2] not in (0, 1):
        raise Excluded(Reason.DECODER_FAILED, "BitsAllocated, BitsStored and PixelRepresentation do not fit together")
    if whole(dataset, "HighBit", bits[1] - 1) != bits[1] - 1:
        raise Excluded(Reason.DECODER_FAILED, "HighBit is not BitsStored - 1")
    if syntax in _LITTLE_ENDIAN and bits[0] == 16:
        raw = _uncompressed(dataset, signed=bits[2] == 1)
        return _within_bits(raw, bits[1]), _versioned("numpy"), _is_padding(raw, dataset)
    stored = _decoded(dataset, syntax)
    return stored, _versioned(_PLUGINS[syntax]), _is_padding(stored, dataset)


@cache
def _versioned(package: str) -> str:
    return f"{package} {metadata.version(package)}"


def _uncompressed(dataset: Dataset, *, signed: bool) -> NDArray[Any]:
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    content = dataset.PixelData
    if len(content) < 2 * rows * columns:
        raise Excluded(Reason.TRUNCATED, "fewer pixels than Rows x Columns")
    dtype = "<i2" if signed else "<u2"
    return np.frombuffer(content, dtype, rows * columns).reshape(rows, columns)


def _within_bits(raw: NDArray[Any], bits_stored: int) -> NDArray[Any]:
    """Values of the stored bits only: what stands in unused high bits (overlays) is cleared, the sign extended."""
    signed = raw.dtype.kind == "i"
    low, high = (-(1 << (bits_stored - 1)), 1 << (bits_stored - 1)) if signed else (0, 1 << bits_stored)
    if low <= int(raw.min()) and int(raw.max()) < high:
        return raw
    spare = 16 - bits_stored
    return (raw << spare) >> spare


def _decoded(dataset: Dataset, syntax: uid.UID) -> NDArray[Any]:
    if syntax not in _PLUGINS and syntax not in _LITTLE_ENDIAN:
        raise Excluded(Reason.DECODER_FAILED, "no decoder for this transfer syntax")
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    require_frame_size(dataset.PixelData, syntax, rows=rows, columns=columns)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plugin = "pylibjpeg" if syntax.is_compressed else ""
            stored, _ = get_decoder(syntax).as_array(dataset, raw=True, index=0, decoding_plugin=plugin)
    except Exception as error:
        raise Excluded(Reason.DECODER_FAILED, f"the decoder stopped with {type(error).__name__}") from None
    if stored.shape != (rows, columns) or stored.dtype.kind not in "iu":
        raise Excluded(Reason.DECODER_FAILED, "the decoded image does not have the declared size")
    return stored


def _is_padding(stored: NDArray[Any], dataset: Dataset) -> NDArray[np.bool_] | None:
    """Where the stored value is PixelPaddingValue, or lies between it and PixelPaddingRangeLimit (C.7.5.1.1.2)."""
    first = numbers(dataset, "PixelPaddingValue", 1)
    if first is None:
        return None
    last = numbers(dataset, "PixelPaddingRangeLimit", 1) or first
    low, high = (_as_stored(value, stored.dtype) for value in sorted((first[0], last[0])))
    return (stored >= low) & (stored <= high) if low <= high else None


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
