"""Names of params.yaml to readers of public sets."""

from __future__ import annotations

from pathlib import Path

from dsn_saal.domain.errors import BadRequest
from dsn_saal.ingest.dicom.reader import DicomReader
from dsn_saal.ingest.sets.covid_ct import CovidCt
from dsn_saal.ingest.sets.covid_ct_md import CovidCtMd
from dsn_saal.ingest.sets.covidx_ct import CovidxCt
from dsn_saal.ingest.sets.pictures import PictureReader
from dsn_saal.ingest.sets.sars_cov_2 import SarsCov2
from dsn_saal.ingest.source import Reader

PICTURE_SETS: dict[str, type[PictureReader]] = {"covidx_ct": CovidxCt, "covid_ct": CovidCt, "sars_cov_2": SarsCov2}


def set_reader(
    layout: str, *, root: Path, folders: dict[str, tuple[str, ...]], slices: str, counts: str, air_hu: int
) -> Reader:
    """The reader of a public set.

    Args:
        layout: its name.
        root: root of the set.
        folders: per class, in label order, what marks it.
        slices: "all" or "lesion", for sets that label single slices.
        counts: "published" or "any".
        air_hu: HU that padding becomes, for sets in DICOM.

    Raises:
        BadRequest: where no reader is built for the layout, or the root is no folder.
    """
    if not root.is_dir():
        raise BadRequest("the set's folder does not exist", value=root, next_step="see docs/datasets.md for its layout")
    if layout in PICTURE_SETS:
        return PICTURE_SETS[layout](root, folders, counts)
    if layout != "covid_ct_md":
        raise BadRequest(
            "no such layout", value=layout, next_step=f"choose one of: {', '.join(PICTURE_SETS)}, covid_ct_md"
        )
    dicom = DicomReader(
        root=root,
        folders=folders,
        case_id="folder",
        key_file=None,
        air_hu=air_hu,
        derived="exclude",
        paths="plain",
        published=True,
    )
    return CovidCtMd(dicom, slices, counts)
