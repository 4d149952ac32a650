"""Identifiers that are none: what the law of DICOM UIDs (PS3.5, 9.1) says of a text."""

from __future__ import annotations

import re

LONGEST_UID = 64
"""Characters of the longest UID."""

EMPTY, TOO_LONG, LEADING_ZERO, NOT_DIGITS = "empty", "too long", "leading zero", "not digits and dots"
"""What can be wrong with a UID."""

_LOOSE = re.compile(r"[0-9]+(\.[0-9]+)*")
_LAW = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")


def uid_fault(uid: str) -> str:
    """What is wrong with a UID, "" where nothing is; it is hashed and told apart from others all the same."""
    if not uid:
        return EMPTY
    if not _LOOSE.fullmatch(uid):
        return NOT_DIGITS
    if len(uid) > LONGEST_UID:
        return TOO_LONG
    return "" if _LAW.fullmatch(uid) else LEADING_ZERO
