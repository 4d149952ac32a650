"""Why a file was left out: one code a file, never with the value of a tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum


class Reason(StrEnum):
    """Reason codes of exclusions.csv."""

    NO_CLASS = "NO_CLASS"
    """No folder of the path marks a class of the data set."""
    CLASS_CONFLICT = "CLASS_CONFLICT"
    """The path, or the case over all its files, lies in folders of two classes."""
    NO_CASE = "NO_CASE"
    """What the rule `ingest.case_id` reads is missing."""
    SYMLINK = "SYMLINK"
    """A link that leaves the source folder, or a link to a folder; not followed."""
    NOT_A_FILE = "NOT_A_FILE"
    """A pipe, a socket or a device."""
    UNREADABLE = "UNREADABLE"
    """The system or the DICOM parser refused it."""
    TOO_LARGE = "TOO_LARGE"
    """File or image larger than any CT slice."""
    NOT_DICOM = "NOT_DICOM"
    """Neither the mark of a DICOM file nor a bare dataset."""
    TRUNCATED = "TRUNCATED"
    """The file ends before its content does."""
    NOT_CT = "NOT_CT"
    """Modality or SOP class is not that of CT."""
    LOCALIZER = "LOCALIZER"
    """A scout view."""
    DERIVED = "DERIVED"
    """Computed from other images (ImageType DERIVED, or a kind of reformat), so not what the scanner reconstructed."""
    SECONDARY = "SECONDARY"
    """A secondary capture, by its SOP class or ImageType."""
    BURNED_IN = "BURNED_IN"
    """The file says that text is burnt into its pixels: it may name the patient."""
    MULTI_FRAME = "MULTI_FRAME"
    """Several frames in a file without functional groups, so without positions; enhanced CT has them."""
    NOT_GREYSCALE = "NOT_GREYSCALE"
    """Colour."""
    NOT_SQUARE = "NOT_SQUARE"
    """Rows and Columns differ: no axial CT reconstruction has that."""
    NO_POSITION = "NO_POSITION"
    """Position or orientation is missing or malformed: the slice cannot be ordered."""
    NOT_AXIAL = "NOT_AXIAL"
    """The slice is coronal, sagittal or tilted by more than 45 degrees."""
    NO_RESCALE = "NO_RESCALE"
    """Rescale slope or intercept is missing or malformed: HU unknown."""
    NO_PIXELS = "NO_PIXELS"
    """No pixel data."""
    DECODER_FAILED = "DECODER_FAILED"
    """The pixel data cannot be decoded, or do not have the declared size."""
    IMPLAUSIBLE_HU = "IMPLAUSIBLE_HU"
    """The values cannot be HU of a body in air: inverted, without their rescale, or a picture."""
    DUPLICATE = "DUPLICATE"
    """Same series, position and pixels as a file that was kept."""
    OTHER_SERIES = "OTHER_SERIES"
    """Another series of the same study was chosen by the declared rule."""
    OUTSIDE = "OUTSIDE"
    """A DICOMDIR names a file outside its folder."""
    MISSING = "MISSING"
    """A list of the data set, a DICOMDIR or the published numbering names this file, and it is not there."""
    UNLISTED = "UNLISTED"
    """The file is there, but no list of the data set names it."""
    NOT_AN_IMAGE = "NOT_AN_IMAGE"
    """No PNG or JPEG by its content, where the data set holds pictures."""
    LESION_FREE = "LESION_FREE"
    """The set marks this slice of a diseased case as free of the disease (datasets.<name>.slices: lesion)."""


class Excluded(Exception):
    """A file is left out.

    Args:
        reason: the code.
        detail: a fixed sentence; it never quotes what a tag holds.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(reason, detail)


def gathered(refused: Iterable[Excluded], frames: int) -> list[Excluded]:
    """The exclusions of a file's frames, one a reason and detail, in the order of their first frame.

    Args:
        refused: one a frame that is left out.
        frames: frames of the file; of a file with one nothing is said of frames.
    """
    counts = Counter((excluded.reason, excluded.detail) for excluded in refused)
    return [
        Excluded(reason, detail if frames == 1 else f"{count} of {frames} frames: {detail}")
        for (reason, detail), count in counts.items()
    ]
