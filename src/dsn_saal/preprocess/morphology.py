"""Erosion, dilation, opening and closing with a disk, a whole binary image in one long integer.

A shift moves every pixel at once, so a dilation costs a few dozen operations on some kilobytes, whatever the image
shows; and integers are the same on every processor.
"""

from __future__ import annotations

from math import isqrt

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
"""Binary image, 0 or 255."""


def dilated(mask: Mask, radius: int) -> Mask:
    """Dilation with the disk of all offsets no longer than `radius`."""
    return _morphed(mask, (radius,))


def eroded(mask: Mask, radius: int) -> Mask:
    """Erosion with the disk, with nothing beyond the image."""
    return _morphed(mask, (-radius,))


def closed(mask: Mask, radius: int) -> Mask:
    """Closing with the disk, as on an unbounded plane, so that the image border attracts nothing."""
    return _morphed(mask, (radius, -radius))


def opened(mask: Mask, radius: int) -> Mask:
    """Opening with the disk."""
    return _morphed(mask, (-radius, radius))


def closed_then_opened(mask: Mask, close_px: int, open_px: int) -> Mask:
    """Closing, then opening."""
    return _morphed(mask, (close_px, -close_px, -open_px, open_px))


def _morphed(mask: Mask, steps: tuple[int, ...]) -> Mask:
    """Dilate by each positive radius and erode by each negative one, in turn, within the rectangle round the mask."""
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return np.zeros_like(mask)
    # Room for all dilations, as bits that leave a row on one side come back on the other; and one empty pixel beyond,
    # which stands for all emptiness outside when an erosion looks for it.
    room = 1 + sum(radius for radius in steps if radius > 0)
    part = np.zeros((height + 2 * room, width + 2 * room), np.uint8)
    part[room : room + height, room : room + width] = mask[y : y + height, x : x + width]
    stride, spare = part.shape[1], -part.size % 8
    whole = (1 << part.size) - 1
    bits = int.from_bytes(np.packbits(part).tobytes(), "big") >> spare
    for radius in steps:
        bits = _spread(bits, radius, stride) & whole if radius > 0 else whole ^ _spread(whole ^ bits, -radius, stride)
        bits &= whole
    packed = np.frombuffer((bits << spare).to_bytes((part.size + spare) // 8, "big"), np.uint8)
    return _placed(np.unpackbits(packed, count=part.size).reshape(part.shape) * np.uint8(255), mask.shape, x, y, room)


def _placed(part: Mask, shape: tuple[int, ...], x: int, y: int, room: int) -> Mask:
    """The part with its room, cut to an image of `shape`, in which (x, y) is the first pixel within the room."""
    rows, columns = shape
    top, left = min(y, room), min(x, room)
    bottom, right = min(rows, y + part.shape[0] - room), min(columns, x + part.shape[1] - room)
    result = np.zeros((rows, columns), np.uint8)
    first_row, first_column = room - top, room - left
    height, width = bottom - (y - top), right - (x - left)
    result[y - top : bottom, x - left : right] = part[
        first_row : first_row + height, first_column : first_column + width
    ]
    return result


def _spread(bits: int, radius: int, stride: int) -> int:
    """Union of the image shifted by every offset of the disk: a run of columns, grown from the one before, per row."""
    run, length, result = bits, 1, 0  # `run` is the union of all shifts to the left by 0 to `length` - 1 columns
    for away in range(radius, -1, -1):
        across = isqrt(radius * radius - away * away)
        while length < 2 * across + 1:
            step = min(length, 2 * across + 1 - length)
            run |= run << step
            length += step
        up, down = away * stride - across, away * stride + across
        result |= (run << up if up > 0 else run >> -up) | (run >> down)
    return result
