"""Small CT slices in true DICOM format: a body with two lungs, trachea, couch and noise, and a writer for any tag."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

SIDE = 128
CT_IMAGE, ENHANCED_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"


def ellipse(side, x, y, across, down):
    """Filled ellipse in fractions of the side."""
    rows, columns = np.mgrid[:side, :side] / side
    return ((columns - x) / across) ** 2 + ((rows - y) / down) ** 2 <= 1


def thorax(side=SIDE, *, lungs=True, trachea=True, couch=True, noise=0, seed=0, lung_hu=-850, gap=0.22):
    """HU of a slice and its true lungs; `gap` is the distance of the lungs' centres from the midline."""
    hu = np.full((side, side), -1000.0)
    body = ellipse(side, 0.5, 0.48, 0.44, 0.32)
    hu[body] = -100  # fat
    hu[ellipse(side, 0.5, 0.48, 0.40, 0.28)] = 40
    hu[ellipse(side, 0.5, 0.66, 0.05, 0.06)] = 500  # spine
    truth = np.zeros((side, side), bool)
    if lungs:
        truth = ellipse(side, 0.5 - gap, 0.48, 0.13, 0.2) | ellipse(side, 0.5 + gap, 0.48, 0.13, 0.2)
        hu[truth] = lung_hu
        hu[ellipse(side, 0.5 - gap, 0.45, 0.012, 0.012)] = 40  # a vessel
    if trachea:
        hu[ellipse(side, 0.5, 0.4, 0.025, 0.025)] = -1000
    if couch:
        shell = ellipse(side, 0.5, 0.9, 0.46, 0.08)
        hu[shell] = -300
        hu[ellipse(side, 0.5, 0.9, 0.44, 0.06)] = -980
    if noise:
        hu += np.random.default_rng(seed).normal(0, noise, hu.shape)
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16), truth


def ct_file(hu, *, z=0.0, syntax=ExplicitVRLittleEndian, intercept=-1024, signed=False, **tags):
    """A dataset that stores `hu`.

    `tags` replace or (None) remove a tag, `stored` replaces the pixels as they are, `frame` is a compressed frame of
    `syntax` that takes their place.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CT_IMAGE
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(z), str(tags)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = Dataset()
    dataset.file_meta, dataset.preamble = meta, b"\0" * 128
    stored, frame = tags.pop("stored", None), tags.pop("frame", None)
    if stored is None:
        stored = (np.asarray(hu, np.int32) - intercept).astype(np.int16 if signed else np.uint16)
    values = {
        "SOPClassUID": CT_IMAGE, "SOPInstanceUID": meta.MediaStorageSOPInstanceUID, "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "PatientID": "P1", "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4", "ImagePositionPatient": [-100, -100, z],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.7, 0.7], "SliceThickness": 5,
        "Manufacturer": "SIEMENS", "ConvolutionKernel": "B31f", "Rows": stored.shape[0], "Columns": stored.shape[1],
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 16,
        "HighBit": 15, "PixelRepresentation": int(signed), "RescaleSlope": 1, "RescaleIntercept": intercept,
        "PixelData": stored.tobytes(),
    } | tags  # fmt: skip
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OW"
    if frame is not None:
        meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    elif syntax.is_compressed and not syntax.is_deflated:
        dataset.compress(syntax)
    elif syntax != ExplicitVRLittleEndian:
        meta.TransferSyntaxUID = syntax
        if not syntax.is_little_endian:
            dataset.PixelData = stored.astype(stored.dtype.newbyteorder(">")).tobytes()
    return dataset


def enhanced_ct_file(slices, *, syntax=ExplicitVRLittleEndian, shared=None, own=None, **tags):
    """An enhanced CT file of several HU arrays, 5 mm apart; position and rescale are in functional groups only.

    `shared` maps a group's name to its tags (None removes the group), `own` a frame's number to such a mapping.
    """
    stored = np.stack([np.asarray(hu, np.int32) + 1024 for hu in slices]).astype(np.uint16)
    top = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"))
    top |= dict.fromkeys(("RescaleSlope", "RescaleIntercept", "ConvolutionKernel"))
    dataset = ct_file(
        slices[0],
        **(top | {"SOPClassUID": ENHANCED_CT_IMAGE, "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]}
           | {"NumberOfFrames": len(slices), "PixelData": stored.tobytes()} | tags),
    )  # fmt: skip
    groups = {
        "PlaneOrientationSequence": {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        "PixelMeasuresSequence": {"PixelSpacing": [0.7, 0.8], "SliceThickness": 5},
        "PixelValueTransformationSequence": {"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"},
        "CTReconstructionSequence": {"ConvolutionKernel": "B31f"},
        "CTImageFrameTypeSequence": {"FrameType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]},
    } | (shared or {})
    dataset.SharedFunctionalGroupsSequence = [_groups(groups)]
    dataset.PerFrameFunctionalGroupsSequence = [
        _groups({"PlanePositionSequence": {"ImagePositionPatient": [-100, -100, 5.0 * at]}} | (own or {}).get(at, {}))
        for at in range(len(slices))
    ]
    if syntax.is_compressed and not syntax.is_deflated:
        dataset.compress(syntax)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def _groups(groups):
    """One item of functional groups."""
    item = Dataset()
    for name, tags in groups.items():
        if tags is not None:
            inner = Dataset()
            for keyword, value in tags.items():
                setattr(inner, keyword, value)
            setattr(item, name, [inner])
    return item


def file_bytes(dataset):
    """A dataset as a DICOM Part 10 file."""
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def with_syntax(content, syntax):
    """A file's bytes with another TransferSyntaxUID; pydicom refuses to write what does not fit together.

    The length of the file meta information is left as it was: writers get it wrong, too.
    """
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    at = content.index(b"\x02\x00\x10\x00UI") + 6
    after = at + 2 + int.from_bytes(content[at : at + 2], "little")
    return content[:at] + len(value).to_bytes(2, "little") + value + content[after:]


def write_ct(path, hu=None, **tags):
    """Write a slice to `path`, making its folders; a thorax unless `hu` is given."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = ct_file(thorax()[0] if hu is None else hu, **tags)
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_tree(root, *, classes=("covid19", "normal"), cases=2, slices=3, noise=10, **tags):
    """A tree of class, case and series folders whose file names and instance numbers run against the positions."""
    truths = {}
    for label, name in enumerate(classes):
        for case in range(cases):
            folder = Path(root) / name / f"case{case}" / "series"
            for number in range(slices):
                hu, truth = thorax(noise=noise, seed=100 * label + 10 * case + number, gap=0.2 + 0.01 * number)
                write_ct(
                    folder / f"{slices - number:03d}.dcm", hu, z=5.0 * number, InstanceNumber=slices - number,
                    **{"PatientID": f"{name}-{case}", "StudyInstanceUID": f"1.2.{label}.{case + 1}",
                       "SeriesInstanceUID": f"1.2.{label}.{case + 1}.7"} | tags,
                )  # fmt: skip
                truths.setdefault(folder.relative_to(root).as_posix(), []).append(truth)
    return truths
