"""Phantoms in the layout of SARS-CoV-2 CT-scan: numbered PNG files in two folders, modes that give the class away."""

from __future__ import annotations

from collections.abc import Sequence

from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts.drawing import Files, Progress, by_folder, cropped, drawn_cases, encoded, note

PREFIX = {"COVID": "Covid", "non-COVID": "Non-Covid"}
SIDES = (182, 534)
"""Smallest and largest width of the published pictures."""


def files(plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
    """Every file of the set: consecutive numbers are neighbouring slices; the last COVID file copies the first."""
    cases = drawn_cases(plans, workers=workers, progress=progress)
    for folder, members in by_folder(plans).items():
        written = []
        for at in members:
            rng = plans[at].generator(9)
            # As in the set: every file without a fourth channel is COVID.
            mode = "RGB" if folder == "COVID" and at % 3 == 0 else "RGBA"
            written += [encoded(cropped(drawn, rng, SIDES), mode, "PNG") for drawn in cases[at]]
        if folder == "COVID":
            written.append(written[0])
        for number, content in enumerate(written, 1):
            yield f"set/{folder}/{PREFIX[folder]} ({number}).png", content
    yield note("SARS-CoV-2 CT-scan")
