"""Phantoms in the layout of SARS-CoV-2 CT-scan: numbered PNG files in two folders, modes that give the class away."""

from __future__ import annotations

from collections.abc import Sequence

from dsn_saal.phantom.case import FIGURE, draw_case
from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts.members import Member, made, members, note
from dsn_saal.phantom.layouts.picture import body_box, draw_crop, encoded, windowed
from dsn_saal.phantom.write import Files, Progress

PREFIX = {"COVID": "Covid", "non-COVID": "Non-Covid"}

WIDTHS = (182, 534)
"""Smallest and largest width of the published pictures."""


def files(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
    """Every file of the set: consecutive numbers are neighbouring slices of a patient.

    The second COVID file is a copy of the first, as (129) is of (128) in the set.
    """
    found = members(plans, PREFIX)
    numbers = dict.fromkeys(PREFIX, 0)
    copied = b""
    for member, pictures in zip(found, made(_pictures, found, workers=workers, progress=progress), strict=True):
        folder = member.plan.folder
        for content in pictures:
            numbers[folder] += 1
            if folder == "COVID":
                content = copied if numbers[folder] == 2 else content
                copied = content
            yield f"set/{folder}/{PREFIX[folder]} ({numbers[folder]}).png", content
    yield note("SARS-CoV-2 CT-scan")


def _pictures(member: Member) -> list[bytes]:
    """One patient's pictures, all cut alike. As in the set, a file without a fourth channel is always COVID."""
    plain = member.plan.folder == "COVID" and member.place % 3 == 0
    crop, case = draw_crop(member.plan.generator(FIGURE), WIDTHS), draw_case(member.plan)
    return [
        encoded(
            crop.of(windowed(drawn.hu), body_box(drawn.hu)),
            "RGB" if plain else "RGBA",
            "PNG",
            dpi=96 if plain else None,
        )
        for drawn in case.slices()
    ]
