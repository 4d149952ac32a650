"""The stored values of one frame, in whatever transfer syntax they came."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder

from dsn_saal.ingest.dicom.codestream import compressed_frame, require_frame
from dsn_saal.ingest.dicom.tags import code, pixel_bytes, tag, whole
from dsn_saal.ingest.reasons import Excluded, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LITTLE_ENDIAN = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian)
_PLUGINS = {
    **dict.fromkeys((*uid.JPEGTransferSyntaxes, *uid.JPEGLSTransferSyntaxes), "pylibjpeg-libjpeg"),
    **dict.fromkeys((uid.JPEG2000Lossless, uid.JPEG2000), "pylibjpeg-openjpeg"),
    **dict.fromkeys((uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K), "pylibjpeg-openjpeg"),
    uid.RLELossless: "pylibjpeg-rle",
    uid.ExplicitVRBigEndian: "pydicom",
}


def is_jpeg(syntax: uid.UID) -> bool:
    """Whether a transfer syntax is JPEG or JPEG-LS, whose damage a decoder does not notice."""
    return syntax in uid.JPEGTransferSyntaxes or syntax in uid.JPEGLSTransferSyntaxes


def stored_values(dataset: Dataset, number: int, count: int) -> tuple[NDArray[Any], str]:
    """Stored values of one frame, bits above BitsStored among them, and the decoder.

    Args:
        dataset: the whitelisted tags with pixel data.
        number: the frame, from 0.
        count: frames of the file.

    Returns:
        (rows, columns) of 8 or 16 bits, signed as PixelRepresentation says; "name version" of the decoder.

    Raises:
        Excluded: where pixels are missing, short, too many, or not decodable.
    """
    content, encapsulated = pixel_bytes(dataset)
    syntax = tag(dataset.file_meta, "TransferSyntaxUID")
    if syntax not in _PLUGINS and syntax not in _LITTLE_ENDIAN:
        known = syntax.name if not syntax.is_private and syntax.is_transfer_syntax else "an unknown transfer syntax"
        raise Excluded(Reason.DECODER_FAILED, f"no decoder for {known}")
    options = _options(dataset, count)
    if encapsulated != syntax.is_encapsulated:
        raise Excluded(Reason.DECODER_FAILED, "the pixel data are not packed as the transfer syntax says")
    if encapsulated:
        frame = compressed_frame(content, number, count)
        size = {name: options[name] for name in ("rows", "columns", "bits_allocated")}
        require_frame(frame, syntax, **size)
        return _decoded(encapsulate([frame], has_bot=False), syntax, 0, options | {"number_of_frames": 1})
    content = _whole_frames(content, options)
    if syntax not in _LITTLE_ENDIAN:
        return _decoded(content, syntax, number, options)
    return _uncompressed(content, number, options), _versioned("numpy")


def _options(dataset: Dataset, count: int) -> dict[str, Any]:
    """What a decoder has to know, as pydicom names it; raises Excluded where it does not fit together."""
    allocated, stored = whole(dataset, "BitsAllocated"), whole(dataset, "BitsStored")
    signed = whole(dataset, "PixelRepresentation", 0)
    if allocated not in (8, 16) or not 0 < stored <= allocated or signed not in (0, 1):
        raise Excluded(Reason.DECODER_FAILED, "BitsAllocated, BitsStored and PixelRepresentation do not fit together")
    if whole(dataset, "HighBit", stored - 1) != stored - 1:
        raise Excluded(Reason.DECODER_FAILED, "HighBit is not BitsStored - 1")
    return {
        "rows": whole(dataset, "Rows"), "columns": whole(dataset, "Columns"), "number_of_frames": count,
        "bits_allocated": allocated, "bits_stored": stored, "pixel_representation": signed, "samples_per_pixel": 1,
        "photometric_interpretation": code(dataset, "PhotometricInterpretation"),
        "pixel_keyword": "PixelData", "pixel_vr": "OW",
    }  # fmt: skip


def _dtype(options: dict[str, Any]) -> np.dtype[Any]:
    return np.dtype(f"<{'iu'[options['pixel_representation'] == 0]}{options['bits_allocated'] // 8}")


def _whole_frames(content: bytes, options: dict[str, Any]) -> bytes:
    """Uncompressed pixel data without padding; what is left over and could hold a row shows that the size is a lie."""
    row = options["columns"] * options["bits_allocated"] // 8
    expected = options["number_of_frames"] * options["rows"] * row
    if len(content) < expected:
        raise Excluded(Reason.TRUNCATED, "fewer pixels than Rows x Columns")
    if len(content) - expected >= max(row, 2):
        raise Excluded(Reason.DECODER_FAILED, "more pixels than Rows x Columns")
    return content if len(content) - expected < 2 else content[: expected + expected % 2]


def _uncompressed(content: bytes, number: int, options: dict[str, Any]) -> NDArray[Any]:
    shape, dtype = (options["rows"], options["columns"]), _dtype(options)
    size = shape[0] * shape[1]
    return np.frombuffer(content, dtype, size, offset=number * size * dtype.itemsize).reshape(shape)


def _decoded(content: bytes, syntax: uid.UID, number: int, options: dict[str, Any]) -> tuple[NDArray[Any], str]:
    plugin = _PLUGINS[syntax]
    try:
        decoder = get_decoder(syntax)
        # pydicom takes the first of several decoders that are installed; ours must be the one that is written down.
        name = "pylibjpeg" if syntax.is_encapsulated else ""
        values, _ = decoder.as_array(content, raw=True, index=number, decoding_plugin=name, **options)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of pylibjpeg-rle, which is written in Rust, is no Exception
        detail = f"decoding: {plugin} stopped with {type(error).__name__}"
        raise Excluded(Reason.DECODER_FAILED, detail) from None
    if values.shape != (options["rows"], options["columns"]) or values.dtype.kind not in "iu":
        raise Excluded(Reason.DECODER_FAILED, "the decoded image does not have the declared size")
    return values, _versioned(plugin)


@cache
def _versioned(package: str) -> str:
    return f"{package} {metadata.version(package)}"
