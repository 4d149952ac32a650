"""A member of an archive, as both kinds of archive give it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dsn_saal.ingest.fetch.refused import Refused


@dataclass(frozen=True)
class Member:
    """One entry of an archive's list that is no folder.

    Attributes:
        number: its place in the archive's list, from 1.
        name: as the archive holds it.
        size: bytes it says it unpacks to.
        refused: why it must not be unpacked, None where it may.
        chunks: its content, piece by piece; raises Refused where it is damaged. To be read before the next member.
    """

    number: int
    name: str
    size: int
    refused: Refused | None
    chunks: Callable[[], Iterator[bytes]]


class EndsEarly(Exception):
    """The archive ends, or is damaged, before its list does: what came until then is good."""
