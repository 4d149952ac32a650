"""How much an archive may unpack to; a small file must not fill the disk."""

from __future__ import annotations

from dataclasses import dataclass

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.dicom.header import MAX_FILE_BYTES


@dataclass(frozen=True)
class Limits:
    """Bounds on what is unpacked.

    Attributes:
        member_bytes: largest member; ingestion opens no larger file.
        total_bytes: all members together.
        members: entries of the archive's list.
        ratio: how many bytes one packed byte may unpack to. Air around a patient packs well, but DICOM and PNG stay
            below a hundred; deflate can reach a thousand.
        free_bytes: what may be unpacked before the ratio counts.
    """

    member_bytes: int = MAX_FILE_BYTES
    total_bytes: int = 2**40
    members: int = 2_000_000
    ratio: int = 200
    free_bytes: int = 2**24

    def require_members(self, count: int) -> None:
        """Raise CheckFailed where the archive has too many members."""
        if count > self.members:
            raise too_much("members", f"more than {self.members}")

    def require_total(self, unpacked: int, packed: int) -> None:
        """Raise CheckFailed where too much came out of an archive of `packed` bytes."""
        if unpacked > self.total_bytes:
            raise too_much("bytes", f"more than {self.total_bytes}")
        if self.is_bomb(unpacked, packed):
            raise too_much("bytes for its size", f"more than {self.ratio} for one")

    def is_bomb(self, unpacked: int, packed: int) -> bool:
        """Whether the ratio is beyond anything honest."""
        return unpacked > self.free_bytes and unpacked > self.ratio * packed


def too_much(of: str, value: str) -> CheckFailed:
    """The error of an archive that unpacks to too much."""
    return CheckFailed(
        f"the archive holds too many {of}; nothing was unpacked",
        value=value,
        next_step="if you trust it, unpack it yourself and name the folder as the source",
    )
