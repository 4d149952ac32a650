"""Makers and reconstruction kernels by known names: free text of a scanner may hide a person's name."""

from __future__ import annotations

import re

OTHER = "other"
"""What stands for a text that is no known name."""

SOFT, LUNG = "soft", "lung"
"""Kinds of kernel that params knows: smooth ones, and sharp ones as lungs are read with."""

_MAKERS = {
    "SIEMENS": "SIEMENS", "GE": "GE MEDICAL SYSTEMS", "GEMS": "GE MEDICAL SYSTEMS", "PHILIPS": "PHILIPS",
    "MARCONI": "PHILIPS", "PICKER": "PHILIPS", "ELSCINT": "ELSCINT", "TOSHIBA": "TOSHIBA", "CANON": "CANON",
    "UIH": "UIH", "UNITED IMAGING": "UIH", "SHANGHAI UNITED IMAGING": "UIH", "NEUSOFT": "NEUSOFT",
    "HITACHI": "HITACHI", "FUJI": "FUJIFILM", "FUJIFILM": "FUJIFILM", "SAMSUNG": "SAMSUNG",
    "NEUROLOGICA": "SAMSUNG", "SHIMADZU": "SHIMADZU", "ANKE": "ANKE", "MINFOUND": "MINFOUND",
    "SINOVISION": "SINOVISION", "CARESTREAM": "CARESTREAM", "PLANMECA": "PLANMECA", "ACCURAY": "ACCURAY",
    "VARIAN": "VARIAN", "IMATRON": "IMATRON",
}  # fmt: skip
"""Words a maker's name begins with, and the one name that is written down."""

_SEPARATORS = re.compile(r"[^A-Z0-9]+")

_NUMBERED = re.compile(
    r"(?P<family>[BDHIJQTUS]|B[flrvx]|H[cdrsv]|I[rn]|Q[irs]|S[abd]|T[r]|U[brv])(?P<number>[1-9]\d)[dfhmsu]?(?:\\?[1-5])?",
    re.ASCII,
)
"""Siemens: family, sharpness, and the tube's or the iteration's mark (B31f, I30f\\2, Br36d\\3)."""

_NAMED = {
    # GE
    **dict.fromkeys(("STANDARD", "SOFT", "CHST", "CHEST", "STND", "SMOOTH"), SOFT),
    **dict.fromkeys(("LUNG", "BONE", "BONEPLUS", "BONE PLUS", "EDGE", "EDGE PLUS", "ULTRA", "HD LUNG"), LUNG),
    **dict.fromkeys(("DETAIL", "HD STANDARD", "HD DETAIL"), ""),
    # Philips
    **dict.fromkeys(("A", "B", "C"), SOFT),
    **dict.fromkeys(("D", "E", "L", "YA", "YB", "YC", "YD", "SHARP"), LUNG),
    **dict.fromkeys(("F", "CB", "EA", "EB", "EC", "UA", "UB", "UC", "XCA", "XCB", "XCC", "XCD"), ""),
}
"""Kernels with a name of their own, and their kind."""

_TOSHIBA = re.compile(r"F[CL](?P<number>\d{2})(?:-?[A-Z])?", re.ASCII)
_TOSHIBA_KINDS = {**dict.fromkeys(range(1, 20), SOFT), **dict.fromkeys((*range(30, 40), *range(50, 60)), LUNG)} | {
    **dict.fromkeys(range(80, 90), LUNG)
}
"""Canon and Toshiba: body with and without correction; bone; lung; high resolution lung and bone."""

_UIH = re.compile(r"[A-Z]{1,3}_(?P<word>V?SOFT|SMOOTH|STANDARD|V?SHARP|LUNG|BONE)_[A-D]")
_NEUSOFT = re.compile(r"(?P<word>F|SB|LUNG|BONE)\d{1,2}", re.ASCII)
_SHARP_WORDS = ("SHARP", "VSHARP", "LUNG", "BONE")

_SHARP_FROM = 50
"""Siemens: kernels from this number on are sharp."""


def manufacturer_name(text: str) -> str:
    """The maker that a Manufacturer tag names: one spelling for each, "" for none, OTHER for what is not known."""
    words = _SEPARATORS.sub(" ", text.upper()).split()
    for length in (3, 2, 1):
        if name := _MAKERS.get(" ".join(words[:length])):
            return name
    return OTHER if words or text.strip(" \0") else ""


def kernel_name(text: str) -> str:
    """A reconstruction kernel of a known family, "" for none, OTHER for any other text."""
    trimmed = text.strip(" \0")
    if not trimmed:
        return ""
    if _NUMBERED.fullmatch(trimmed):
        return trimmed
    upper = " ".join(trimmed.upper().split())
    known = upper in _NAMED or any(family.fullmatch(upper) for family in (_TOSHIBA, _UIH, _NEUSOFT))
    return upper if known else OTHER


def kernel_kind(name: str) -> str:
    """Whether a kernel's name means a smooth or a sharp one.

    Args:
        name: as `kernel_name` gives it.

    Returns:
        SOFT, LUNG, or "" where the name does not tell.
    """
    if name in _NAMED:
        return _NAMED[name]
    if match := _NUMBERED.fullmatch(name):
        return LUNG if match["family"] == "Bl" or int(match["number"]) >= _SHARP_FROM else SOFT
    if match := _TOSHIBA.fullmatch(name):
        return _TOSHIBA_KINDS.get(int(match["number"]), "")
    if match := _UIH.fullmatch(name):
        return LUNG if match["word"] in _SHARP_WORDS else SOFT
    if match := _NEUSOFT.fullmatch(name):
        return LUNG if match["word"] in _SHARP_WORDS else SOFT
    return ""
