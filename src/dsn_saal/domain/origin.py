"""Where slices come from: one phantom among them is enough to call the whole a phantom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from dsn_saal.domain.errors import BadRequest

Origin = Literal["phantom", "clinical"]

PHANTOM_MARK = "phantom data"
"""What every page, table and figure made from phantoms says."""


def common_origin(origins: Iterable[str]) -> Origin:
    """The origin of a whole made of these parts; raises BadRequest where one is unknown or there is none."""
    found = set(origins)
    unknown = sorted(found - {"phantom", "clinical"})
    if unknown or not found:
        raise BadRequest(
            "slices must say whether they are phantom or clinical", value=", ".join(unknown) or "no slices"
        )
    return "phantom" if "phantom" in found else "clinical"
