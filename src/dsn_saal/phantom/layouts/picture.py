"""Pictures made of slices: windowed, cropped, encoded, marked as phantoms; in whole numbers throughout."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

Box = tuple[int, int, int, int]
"""x0, y0, and one past the last column and row."""

Grey = NDArray[np.uint8]

MARK = ("QualityControlImage", "YES")
"""Text of every picture: what it is, wherever it is moved to. The words are those of DICOM's tag for phantoms."""

BODY_HU = -500
"""HU above which the largest region is the body."""


def windowed(hu: NDArray[np.int16], *, level_hu: int = -400, width_hu: int = 1500) -> Grey:
    """HU (rows, columns) as 8 bits; the default window is the one of the publication's section 4.1."""
    above = hu.astype(np.int32) - (level_hu - width_hu // 2)
    return np.clip(above * 255 // width_hu, 0, 255).astype(np.uint8)


def body_box(hu: NDArray[np.int16]) -> Box:
    """Rectangle of the body."""
    _, _, regions, _ = cv2.connectedComponentsWithStats((hu > BODY_HU).astype(np.uint8), connectivity=8)
    largest = regions[1 + int(np.argmax(regions[1:, cv2.CC_STAT_AREA]))]
    x, y, width, height = (int(value) for value in largest[:4])
    return x, y, x + width, y + height


@dataclass(frozen=True)
class Crop:
    """How a picture was cut out.

    Attributes:
        margins: pixels left of, above, right of and below the body; below zero the body is cut.
        width: of the picture.
        stretch: per mille of its height that its proportions are off.
    """

    margins: tuple[int, int, int, int]
    width: int
    stretch: int

    def of(self, grey: Grey, box: Box) -> Grey:
        """The picture that is cut out of a slice."""
        x0, y0, x1, y1 = (side + sign * by for side, sign, by in zip(box, (-1, -1, 1, 1), self.margins, strict=True))
        part = grey[max(0, y0) : max(1, y1), max(0, x0) : max(1, x1)]
        height = max(1, part.shape[0] * self.width * self.stretch // (part.shape[1] * 1000))
        resized: Grey = cv2.resize(part, (self.width, height), interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[assignment]
        return resized


def draw_crop(rng: np.random.Generator, widths: tuple[int, int]) -> Crop:
    """A crop at random, as uneven as in figures of articles; `widths` are the smallest and the largest."""
    left, top, right, bottom = (int(margin) for margin in rng.integers(-12, 25, 4))
    return Crop((left, top, right, bottom), int(rng.integers(widths[0], widths[1] + 1)), int(rng.integers(940, 1061)))


def encoded(pixels: NDArray[np.uint8], mode: str, container: str, *, dpi: int | None = None) -> bytes:
    """A marked picture.

    Args:
        pixels: (rows, columns) or (rows, columns, 3) uint8.
        mode: L, RGB or RGBA.
        container: PNG or JPEG.
        dpi: resolution that a PNG states, if it does.
    """
    image, stream = Image.fromarray(pixels).convert(mode), io.BytesIO()
    if container == "JPEG":
        image.save(stream, "JPEG", quality=88, subsampling="4:2:0", comment="=".join(MARK).encode())
        return stream.getvalue()
    text = PngInfo()
    text.add_text(*MARK)
    said = {} if dpi is None else {"dpi": (dpi, dpi)}
    # Run lengths only: the search for longer repeats differs with the processor, and noise has none.
    image.save(stream, "PNG", pnginfo=text, compress_level=6, compress_type=zlib.Z_RLE, **said)
    return stream.getvalue()
