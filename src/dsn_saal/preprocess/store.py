"""Arrays of slices written one by one: any number of them in constant memory, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from dsn_saal.storage.atomic import replacing


class ArrayWriter:
    """An .npy file that grows by one row at a time.

    NumPy's header leaves room for a longer first axis, so it is written again with the true length at the end. Written
    and not mapped: on a full disk a write fails with a message, a mapped page kills the process.
    """

    def __init__(self, stream: BinaryIO, row_shape: tuple[int, ...], descr: str) -> None:
        self._stream, self._row_shape, self._descr, self.length = stream, row_shape, descr, 0
        self._write_header()

    def _write_header(self) -> None:
        shape = (self.length, *self._row_shape)
        self._stream.seek(0)
        npy.write_array_header_1_0(self._stream, {"descr": self._descr, "fortran_order": False, "shape": shape})

    def append(self, row: NDArray[np.uint8] | NDArray[np.int16]) -> None:
        """Write one row."""
        wanted = np.dtype(self._descr)
        if row.shape != self._row_shape or row.dtype != wanted:
            raise ValueError(f"a row must be {wanted} of shape {self._row_shape}, not {row.dtype} of {row.shape}")
        self._stream.write(row.astype(wanted).tobytes())
        self.length += 1

    def finish(self) -> None:
        """Write the true length."""
        self._write_header()


@contextmanager
def growing_array(path: Path, row_shape: tuple[int, ...], descr: str = "|u1") -> Iterator[ArrayWriter]:
    """An ArrayWriter whose file takes its final name when the block ends well; `descr` is NumPy's word for a type."""
    with replacing(path) as part, part.open("r+b") as stream:
        writer = ArrayWriter(stream, row_shape, descr)
        yield writer
        writer.finish()
