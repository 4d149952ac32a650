"""A published picture as grey values: mode and container give the class away, so nothing after this sees them."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.reasons import Excluded, Reason

MAX_FILE_BYTES = 32 * 2**20
"""Largest file that is opened."""

MAX_SIDE = 4096
"""Longest side that is decoded: the largest published picture has 1671 pixels."""

PHANTOM_MARK = "QualityControlImage"
"""Key of the PNG text, or start of the JPEG comment, that a phantom bears; its value is YES."""

_STARTS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}

_RED, _GREEN, _BLUE = 19595, 38470, 7471
"""Luma weights of ITU-R BT.601 in 65536ths; they sum to one, so that equal channels give their own value."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        grey: (rows, columns) uint8.
        kind: container and colour mode, for the record: "image/png RGBA".
        phantom: whether it bears the mark of a phantom.
    """

    grey: NDArray[np.uint8]
    kind: str
    phantom: bool

    @property
    def sha256(self) -> str:
        """Digest of the grey values."""
        return hashlib.sha256(np.ascontiguousarray(self.grey).data).hexdigest()


def decoder() -> str:
    """Name and version of what decodes pictures."""
    return f"pillow {metadata.version('pillow')}"


def read_bytes(path: Path) -> bytes:
    """A file's bytes; raises Excluded where it is too large or the system refuses."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise Excluded(Reason.TOO_LARGE, f"more than {MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise Excluded(Reason.UNREADABLE, f"cannot be read: {error.strerror}") from None


def decode(content: bytes) -> Picture:
    """A PNG or JPEG file as grey values, by its content and whatever its suffix says.

    Raises:
        Excluded: NOT_AN_IMAGE, TOO_LARGE, TRUNCATED or DECODER_FAILED.
    """
    container = next((name for start, name in _STARTS.items() if content.startswith(start)), None)
    if container is None:
        raise Excluded(Reason.NOT_AN_IMAGE, "neither PNG nor JPEG by its content")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # sizes are bounded here, other warnings quote what the file says
            image = Image.open(io.BytesIO(content), formats=[container])
            if not 0 < max(image.size) <= MAX_SIDE:
                raise Excluded(Reason.TOO_LARGE, f"a side of more than {MAX_SIDE} pixels")
            image.load()
    except Excluded:
        raise
    except Image.DecompressionBombError:
        raise Excluded(Reason.TOO_LARGE, f"a side of more than {MAX_SIDE} pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        short = "truncated" in str(error) or isinstance(error, EOFError)
        raise Excluded(
            Reason.TRUNCATED if short else Reason.DECODER_FAILED, f"decoding stopped with {type(error).__name__}"
        ) from None
    except Exception as error:
        raise Excluded(Reason.DECODER_FAILED, f"decoding stopped with {type(error).__name__}") from None
    return Picture(_grey(image), f"image/{container.lower()} {image.mode}", _is_phantom(image.info))


def _is_phantom(info: dict[Any, Any]) -> bool:
    return info.get(PHANTOM_MARK) == "YES" or info.get("comment") == f"{PHANTOM_MARK}=YES".encode()


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    """Luma of colour, the high byte of 16 bits; what is transparent lies on black."""
    if image.mode in ("L", "1"):
        return np.array(image.convert("L"))
    if image.mode.startswith("I"):  # 16 bits, and 16 of 32
        return (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA"):
        channels = np.asarray(image.convert("RGBA")).astype(np.int64)
        return _luma((channels[..., :3] * channels[..., 3:] + 127) // 255)
    return _luma(np.asarray(image.convert("RGB")).astype(np.int64))


def _luma(rgb: NDArray[np.int64]) -> NDArray[np.uint8]:
    weighed = _RED * rgb[..., 0] + _GREEN * rgb[..., 1] + _BLUE * rgb[..., 2]
    return ((weighed + 32768) >> 16).astype(np.uint8)


def read_picture(root: Path, path: str, frame: int, file_sha256: str) -> NDArray[np.uint8]:
    """Grey values (rows, columns) of a file that ingestion has seen; pictures have one frame.

    Raises:
        CheckFailed: where the file is gone, changed since, or no longer readable.
    """
    advice = "restore the file, or ingest the source again"
    try:
        content = read_bytes(root / path)
        if hashlib.sha256(content).hexdigest() != file_sha256:
            raise CheckFailed("a source file changed after it was ingested", where=path, next_step=advice)
        return decode(content).grey
    except Excluded as excluded:
        raise CheckFailed(
            "a source file of the manifest cannot be read", value=excluded.reason, where=path, next_step=advice
        ) from None
