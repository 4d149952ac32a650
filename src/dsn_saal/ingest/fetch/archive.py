"""An archive unpacked below a folder: nothing is written outside it, and what is refused is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.ingest.fetch.folder import Target, write_private
from dsn_saal.ingest.fetch.limits import Limits
from dsn_saal.ingest.fetch.members import EndsEarly, Member
from dsn_saal.ingest.fetch.names import Taken, is_archive, safe_path
from dsn_saal.ingest.fetch.refused import Refusals, Refused, Why
from dsn_saal.ingest.fetch.tars import tar_members
from dsn_saal.ingest.fetch.zips import zip_members

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""What a zip begins with: a member, the end of an empty list, or the first of several volumes."""


def unpack(source: Path, out: Path, limits: Limits | None = None) -> tuple[int, dict[str, int]]:
    """Unpack a zip or tar archive into `out`/files; the archive is only read.

    Args:
        source: the archive; its content tells its kind, not its name.
        out: folder that belongs to this command.
        limits: how much it may unpack to.

    Returns:
        Files written, and members refused by reason.

    Raises:
        BadRequest: where there is no such archive, or `out` holds other files.
        CheckFailed: where it unpacks to too much (nothing is kept), ends early or is damaged as a whole (what could
            be read is kept, without a listing), or the disk is full.
    """
    if not source.is_file():
        raise BadRequest("there is no such archive", value=source, next_step="correct datasets.<name>.source")
    if source.resolve().is_relative_to(out.resolve()):
        raise BadRequest("the archive lies in the folder to fill", value=source, next_step="name another --out")
    target, bounds = Target(out), limits or Limits()
    part = target.begin(resume=False)
    refusals = Refusals()
    with ExitStack() as failing:
        failing.callback(target.forget)
        written, complete = _all_members(source, part, bounds, refusals)
        failing.pop_all()
    target.finish(refusals, complete=complete)
    if not complete:
        raise CheckFailed(
            "the archive ends early, or is damaged as a whole",
            value=f"{written} files could be read",
            where=source,
            next_step=f"copy the archive again; what could be read lies in {target.files}",
        )
    return written, refusals.counts()


def _all_members(source: Path, part: Path, limits: Limits, refusals: Refusals) -> tuple[int, bool]:
    """Files written, and whether the archive was read to its end."""
    taken, written, total, packed = Taken(), 0, 0, source.stat().st_size
    try:
        for member in _members(source, limits):
            try:
                total += _write(member, part, taken, limits)
                written += 1
            except Refused as refused:
                refusals.add(member.number, refused)
            except EndsEarly:
                refusals.add(member.number, Refused(Why.DAMAGED, "the archive ends inside this member"))
                raise
            else:
                if is_archive(PurePosixPath(member.name)):
                    refusals.add(
                        member.number, Refused(Why.NESTED_ARCHIVE, "an archive itself: written, and left packed")
                    )
            limits.require_total(total, packed)
    except EndsEarly:
        return written, False
    return written, True


def _members(source: Path, limits: Limits) -> Iterator[Member]:
    with source.open("rb") as file:
        start = file.read(4)
    return (zip_members if start in _ZIP or source.suffix.lower() == ".zip" else tar_members)(source, limits)


def _write(member: Member, part: Path, taken: Taken, limits: Limits) -> int:
    """Write one member; its bytes."""
    if member.refused is not None:
        raise member.refused
    path = safe_path(member.name)
    if member.size > limits.member_bytes:
        raise Refused(Why.TOO_LARGE, f"more than {limits.member_bytes} bytes")
    taken.take(path)
    write_private(part / path, _bounded(member, limits))
    return member.size


def _bounded(member: Member, limits: Limits) -> Iterator[bytes]:
    """A member's content, as long as it says and no longer."""
    left = member.size
    for chunk in member.chunks():
        left -= len(chunk)
        if left < 0:
            raise Refused(Why.DAMAGED, "the member is longer than it says")
        yield chunk
    if left:
        raise Refused(Why.DAMAGED, "the packed data are damaged or end early")
