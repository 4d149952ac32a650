"""The images of one file: an enhanced CT file holds many, each with a position, orientation and rescale of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from dsn_saal.ingest.dicom.tags import MAX_SIDE, SEQUENCES, TAGS, item_tags, items, tag, whole
from dsn_saal.ingest.reasons import Excluded, Reason

MAX_PIXELS = 2**30
"""Most pixels of all frames together: 4096 frames of 512 x 512."""

_PER_FRAME, _SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"

_GROUPS = {
    "CTImageFrameTypeSequence": ("FrameType",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "RescaleType"),
    "CTReconstructionSequence": ("ConvolutionKernel",),
}
"""Functional groups that are read, and the tags taken from each (DICOM PS3.3 C.7.6.16.2, C.8.15.3)."""

_ONCE = {TAGS[keyword] for keyword in (*SEQUENCES, "NumberOfFrames")}


@dataclass(frozen=True)
class Frame:
    """One image of a file.

    Attributes:
        number: from 0, in the order of the file.
        count: frames of the file.
        dataset: the whitelisted tags as they hold for this image, as in a file of one image.
    """

    number: int
    count: int
    dataset: Dataset


def frame_count(dataset: Dataset) -> int:
    """Frames of a file.

    Raises:
        Excluded: MULTI_FRAME where there are several without functional groups, and so without positions; TOO_LARGE;
            UNREADABLE where the functional groups are not one a frame.
    """
    count = whole(dataset, "NumberOfFrames", 1)
    if TAGS[_PER_FRAME] not in dataset:
        if count not in (0, 1):  # 0 is what some writers give a file of one image
            raise Excluded(Reason.MULTI_FRAME, "several frames, and no functional group tells their positions")
        return 1
    # Above MAX_SIDE the slice itself is refused.
    side = min(whole(dataset, "Rows"), MAX_SIDE) * min(whole(dataset, "Columns"), MAX_SIDE)
    if count < 1 or count * side > MAX_PIXELS:
        raise Excluded(Reason.TOO_LARGE, f"no frame, or more than {MAX_PIXELS} pixels in all frames")
    return count


def frames(dataset: Dataset) -> Iterator[Frame]:
    """Every image of a file; raises Excluded as `frame_count` does."""
    count = frame_count(dataset)
    if TAGS[_PER_FRAME] not in dataset:
        yield Frame(0, 1, dataset)
        return
    groups = items(dataset, _PER_FRAME)
    if len(groups) != count:
        raise Excluded(Reason.UNREADABLE, "NumberOfFrames and the per-frame functional groups differ")
    shared = _shared(dataset)
    for number, group in enumerate(groups):
        yield Frame(number, count, _flat(dataset, shared, group))


def _shared(dataset: Dataset) -> Dataset:
    found = items(dataset, _SHARED)
    if len(found) > 1:
        raise Excluded(Reason.UNREADABLE, "more than one item of shared functional groups")
    return found[0] if found else Dataset()


def _flat(dataset: Dataset, shared: Dataset, own: Dataset) -> Dataset:
    """The file's tags, with those of the functional groups in their place: the frame's own before the shared ones.

    A tag of a group counts at its group's place only: what the top level says of rescale or position is not believed
    in an enhanced image, where the standard has no such tag.
    """
    grouped = {TAGS[keyword] for keywords in _GROUPS.values() for keyword in keywords}
    flat: dict[Any, Any] = {number: dataset.get_item(number) for number in dataset.keys() - _ONCE - grouped}
    for sequence, keywords in _GROUPS.items():
        group = items(own, sequence) or items(shared, sequence)
        if len(group) > 1:
            raise Excluded(Reason.UNREADABLE, f"{sequence} has more than one item")
        for item in group:
            flat |= {n: item.get_item(n) for n in (TAGS[keyword] for keyword in keywords) if n in item}
    view = item_tags(Dataset(flat))
    if tag(view, "FrameType") is not None and TAGS["ImageType"] in view:
        del view[TAGS["ImageType"]]  # of a file of several kinds it says MIXED only
    view.file_meta = dataset.file_meta
    return view
