"""Parts of a multipart/related body, piece by piece: no part is ever held whole, and one that ends early is known."""

from __future__ import annotations

from collections.abc import Iterator

LONGEST_HEADER = 2**14
"""Most bytes between a boundary and its part's content."""


class Malformed(Exception):
    """The body is not what its media type says."""


class BodyEnded(Exception):
    """The body ended before its last boundary."""


class Parts:
    """Iterates over the parts of a body; each is an iterator of bytes, to be read before the next.

    Args:
        chunks: the body.
        boundary: as the media type names it.
    """

    def __init__(self, chunks: Iterator[bytes], boundary: bytes) -> None:
        self._chunks, self._mark = chunks, b"\r\n--" + boundary
        self._held = bytearray(b"\r\n")  # so that the first boundary looks like the others

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        for _ in self._until_mark():
            pass
        while not self._is_last():
            self._skip_header()
            content = self._until_mark()
            yield content
            for _ in content:
                pass

    def _more(self) -> None:
        chunk = next(self._chunks, b"")
        if not chunk:
            raise BodyEnded
        self._held += chunk

    def _until_mark(self) -> Iterator[bytes]:
        """What stands before the next boundary, which is taken away with it."""
        while (at := self._held.find(self._mark)) < 0:
            safe = len(self._held) - len(self._mark) + 1  # the mark may lie across two chunks
            if safe > 0:
                yield bytes(self._held[:safe])
                del self._held[:safe]
            self._more()
        if at:
            yield bytes(self._held[:at])
        del self._held[: at + len(self._mark)]

    def _is_last(self) -> bool:
        while len(self._held) < 2:
            self._more()
        return self._held[:2] == b"--"

    def _skip_header(self) -> None:
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            if len(self._held) > LONGEST_HEADER:
                raise Malformed
            self._more()
        del self._held[: end + 4]


def boundary_of(content_type: str) -> bytes:
    """The boundary that a media type names; raises Malformed where it is no multipart/related or names none."""
    from email.message import Message

    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/related" or not isinstance(boundary, str) or not boundary:
        raise Malformed
    try:
        return boundary.encode("ascii")
    except UnicodeEncodeError:
        raise Malformed from None
