"""Sections about what is done to every data set: ingestion and preprocessing."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from dsn_saal.params.base import Section, open_choice, ours, stated


class Series(Section):
    """Which series of a study is read, where it has several."""

    choose: Literal["one_per_study", "all"] = open_choice(
        "how many series of a study are read",
        paper="not stated",
        default="one_per_study",
        alternatives="all",
    )
    thickness_mm: float = stated("slice thickness: the series nearest to it is chosen", source="section 4.1", gt=0)
    kernels: tuple[Literal["soft", "lung"], ...] = open_choice(
        "among equals, which kind of reconstruction kernel goes first",
        paper="not stated",
        default="lung before soft",
        alternatives="soft before lung",
        min_length=1,
        strict=False,
    )


class Ingest(Section):
    """Reading DICOM into the manifest."""

    case_id: Literal["patient_id", "study_uid", "folder"] = open_choice(
        "what makes two series one case",
        paper="split by case; a case is not defined",
        default="patient_id",
        alternatives="study_uid, folder (the folder below the class folder)",
    )
    key_file: str | None = ours("file with the secret that keys the case ids; null: the user's own, made on first use")
    air_hu: int = ours("HU that padding outside the scan circle is set to", ge=-1024, le=-900)
    derived: Literal["exclude", "keep"] = ours(
        "images that ImageType calls DERIVED or SECONDARY: reformats, averages, lossy copies; keep takes them in"
    )
    paths: Literal["hashed", "plain"] = ours(
        "how paths of clinical files are written down: hashed, because folder names may name patients, or plain"
    )
    series: Series


class Window(Section):
    """Linear window from HU to [0, 255]."""

    level_hu: int = stated("centre of the window in HU", source="section 4.1", ge=-2000, le=2000)
    width_hu: int = stated("width of the window in HU", source="section 4.1", ge=2, le=8000)
    formula: Literal["exact", "dicom_linear"] = open_choice(
        "which linear function",
        paper="linear",
        default="exact",
        alternatives="dicom_linear (width - 1, centre - 0.5: DICOM PS3.3 C.11.2.1.2)",
    )
    rounding: Literal["trunc", "round"] = open_choice(
        "how grey values become integers",
        paper="not stated",
        default="trunc",
        alternatives="round",
    )


class Lung(Section):
    """Lung mask from the windowed slice."""

    threshold: int = stated("grey value of the binarisation", source="section 4.2", ge=1, le=255)
    tissue_side: Literal["at_or_above", "above"] = open_choice(
        "which grey values are tissue, counted from the threshold",
        paper="pixel value 170",
        default="at_or_above (170 is HU -150 exactly)",
        alternatives="above",
    )
    order: Literal["close_first", "open_first"] = open_choice(
        "order of the morphology",
        paper="erosion, dilation, flood fill, others",
        default="close_first",
        alternatives="open_first (the literal order)",
    )
    close_px: int = open_choice(
        "closing radius in pixels of a 512 matrix", paper="not stated", default="7", alternatives="any", ge=0, le=64
    )
    open_px: int = open_choice(
        "opening radius in pixels of a 512 matrix", paper="not stated", default="3", alternatives="any", ge=0, le=64
    )
    n_regions: int = open_choice(
        "how many of the largest regions are lung",
        paper="largest connected regions",
        default="2",
        alternatives="1",
        ge=1,
        le=2,
    )
    fewest_px: int = open_choice(
        "pixels at 512 of the smallest lung; a slice with less is without lungs",
        paper="not stated",
        default="300 (a disc of 14 mm at 0.7 mm a pixel)",
        alternatives="any; 1 takes every speck that is among the largest",
        ge=1,
        le=20000,
    )
    candidates: Literal["lung_density", "any"] = open_choice(
        "which air inside the body may be lung",
        paper="largest connected regions",
        default="lung_density (without it noise in fat, trachea and bowel gas win on real scans; phantoms do not mind)",
        alternatives="any (the paper's words)",
    )
    dense_hu: int = open_choice(
        "largest median HU of a lung region's core; above it a region is noise in fat",
        paper="not stated",
        default="-300",
        alternatives="any",
        ge=-700,
        le=-150,
    )
    gas_hu: int = open_choice(
        "largest median HU of a gas region's core: trachea and bowel, not lung",
        paper="not stated",
        default="-915",
        alternatives="any; -1024 switches it off",
        ge=-1024,
        le=-800,
    )
    gas_share: float = open_choice(
        "share of the body's rectangle above which a region is lung however thin its tissue (emphysema)",
        paper="not stated",
        default="0.08",
        alternatives="any",
        ge=0,
        le=1,
    )
    core_px: int = open_choice(
        "how deep inside a region its density is judged, in pixels of a 512 matrix",
        paper="not stated",
        default="3",
        alternatives="any",
        ge=0,
        le=16,
    )
    bone_hu: int = open_choice(
        "smallest HU of bone: beside a small region of lung lies a rib or the spine, beside bowel none",
        paper="not stated",
        default="200",
        alternatives="any",
        ge=100,
        le=1500,
    )
    bone_px: int = open_choice(
        "how near bone must be to a region of at most gas_share, in pixels of a 512 matrix",
        paper="largest connected regions",
        default="9",
        alternatives="any; 0 asks for no bone (bowel gas as dense as lung is then taken in)",
        ge=0,
        le=64,
    )
    airways: Literal["cut_out", "kept"] = open_choice(
        "trachea, bronchi and gullet whose wall is too thin to keep them apart from a lung",
        paper="largest connected regions",
        default="cut_out (gas within a wall is no lung)",
        alternatives="kept (the paper's words: the hull then takes in the mediastinum between)",
    )
    midline: Literal["as_closed", "split"] = open_choice(
        "what keeps the two lungs apart and each of them whole",
        paper="largest connected regions",
        default="split (one lung on each side: closing cannot join the two, opening neither tear nor remove one)",
        alternatives="as_closed (the paper's words: one hull may take in the mediastinum)",
    )
    pieces: Literal["all", "largest"] = open_choice(
        "which pieces of a lung that the slice cuts more than once are kept, where the lungs are split",
        paper="largest connected regions",
        default="all (of at least fewest_px, a hull round each)",
        alternatives="largest",
    )
    cut_off: Literal["found", "dropped"] = open_choice(
        "a lung that the field of view cuts off",
        paper="not stated",
        default="found (up to the image border, and flagged)",
        alternatives="dropped (as air that touches the border, and flagged)",
    )
    hull: Literal["per_lung", "joint"] = open_choice(
        "what the convex hull is drawn round", paper="convex hull", default="per_lung", alternatives="joint"
    )
    on_empty: Literal["keep", "drop", "fail"] = open_choice(
        "a slice without lungs", paper="not stated", default="keep (unmasked, flagged)", alternatives="drop, fail"
    )


class Resize(Section):
    """From the acquired matrix to the network's input."""

    interpolation: Literal["bilinear", "area", "cubic"] = open_choice(
        "interpolation",
        paper="bilinear for the public sets, not stated for COVID19-Diag",
        default="bilinear",
        alternatives="area, cubic",
    )


class Preprocess(Section):
    """Window, lungs, resize: paper section 4."""

    window: Window
    lung: Lung
    resize: Resize
    image_size: int = stated("side of the network's input in pixels (paper: 224)", source="section 4.1", ge=32, le=1024)

    @field_validator("image_size")
    @classmethod
    def _five_halvings(cls, value: int) -> int:
        if value % 32:
            raise ValueError(f"image_size must be a multiple of 32 (five stages halve it), not {value}")
        return value
