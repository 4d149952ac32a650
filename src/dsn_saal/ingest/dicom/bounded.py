"""Bytes that a parser reads in a bounded number of pieces: nested items must not allocate without end."""

from __future__ import annotations

from io import BytesIO

from dsn_saal.ingest.reasons import Excluded, Reason

MAX_READS = 400_000
"""Most pieces that the parser may take a file in: an element is two or three. It bounds what nested items allocate."""


class Counted(BytesIO):
    """Bytes that are read in a bounded number of pieces."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.left, self.size = MAX_READS, len(content)

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; raises Excluded where the parser asks without end."""
        self.left -= 1
        if self.left < 0:
            raise Excluded(Reason.TOO_LARGE, "more elements than a CT image has")
        return BytesIO.read(self, size)
