"""The section `datasets`: where each data set lies, how it is read, what its classes are, how it is split."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dsn_saal.domain.classes import ClassSet
from dsn_saal.params.base import Name, Section, open_choice, ours, stated

PHANTOM_ROOT = "data/raw/phantom/"
"""A source below this folder is written by the program; the phantom stage owns it."""

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""Sources with these endings are unpacked by the fetch stage."""

PhantomClass = Literal["covid19", "normal", "bacterial_pneumonia"]
"""Classes that a phantom can be drawn of."""


class DatasetClass(Section):
    """One class of a data set."""

    title: str = ours("what tables and figures print")
    folders: tuple[str, ...] = ours(
        "what marks the class in the source: folder names, or the word a file name begins with; phantoms get the first",
        min_length=1,
        strict=False,
    )
    phantom: tuple[PhantomClass, ...] = ours(
        "which phantoms stand in for the class, in turn", min_length=1, strict=False
    )


class Dataset(Section):
    """One data set: where it lies, who reads it, which names carry which label."""

    title: str = ours("what tables and figures print")
    reader: Literal["dicom", "covid_ct_md", "covidx_ct", "covid_ct", "sars_cov_2"] = ours(
        "layout: dicom (class folders of CT series), or a public set in its published layout"
    )
    source: str = ours(
        "folder, DICOMDIR or archive (zip, tar); what lies below data/raw/phantom/ the program writes itself",
        min_length=1,
    )
    classes: dict[Name, DatasetClass] = ours("classes in label order", min_length=2)
    positive: Name = stated("class that sensitivity and specificity speak of", source="section 5.3")
    lungs: Literal["hull", "none"] = open_choice(
        "whether the lungs are cut out",
        paper="convex hull for COVID19-Diag; nothing is said for the public sets",
        default="hull for CT in HU, none for published pictures",
        alternatives="hull, none",
    )
    slices: Literal["all", "lesion"] = open_choice(
        "which slices of a diseased case carry its label, where the set says which show the disease",
        paper="2 to 54 slices chosen per case, by a rule not stated",
        default="all",
        alternatives="lesion (those marked as showing it; normal cases keep all)",
    )
    counts: Literal["published", "any"] = ours(
        "whether a public set must be complete: its published counts and lists, or whatever part of it is there; "
        "phantoms are held against their own lists"
    )
    protocols: tuple[Name, ...] = ours("splits that are made of it", min_length=1, strict=False)
    accept: tuple[str, ...] = ours(
        "findings of the certificate that training accepts by name: a finding, or a level as a whole", strict=False
    )

    @model_validator(mode="after")
    def _classes_fit_together(self) -> Dataset:
        if self.positive not in self.classes:
            raise ValueError(f"positive is {self.positive!r}, which is not one of the classes {sorted(self.classes)}")
        folders = [folder for entry in self.classes.values() for folder in entry.folders]
        if len(set(folders)) != len(folders):
            raise ValueError("one folder name marks two classes")
        if "://" in self.source:
            raise ValueError("source is an address; `dsn-saal fetch` brings its files into a folder, name that folder")
        if self.slices == "lesion" and self.reader != "covid_ct_md":
            raise ValueError(f"slices: lesion needs labels of single slices, which {self.reader} does not have")
        return self

    @property
    def is_phantom(self) -> bool:
        """Whether the program writes this source itself."""
        return self.source.startswith(PHANTOM_ROOT)

    @property
    def is_fetched(self) -> bool:
        """Whether the fetch stage brings the files, out of an archive."""
        return self.source.lower().endswith(ARCHIVES)

    @property
    def in_hu(self) -> bool:
        """Whether the source holds CT in HU, rather than pictures that somebody windowed."""
        return self.reader in ("dicom", "covid_ct_md")

    @property
    def is_published(self) -> bool:
        """Whether ids and file names are public already, so that results may print them."""
        return self.is_phantom or self.reader != "dicom"

    @property
    def class_set(self) -> ClassSet:
        """The classes as the shared value type."""
        titles = tuple(entry.title for entry in self.classes.values())
        return ClassSet(tuple(self.classes), titles, self.positive)


class Cohort(Section):
    """Size of the phantoms that stand in for one data set."""

    cases: dict[Name, int] = ours("cases per class")
    slices: dict[Name, int] = ours("slices per class, shared out over its cases")
    slices_per_case: tuple[int, int] = ours("fewest and most slices of a case", strict=False)

    @model_validator(mode="after")
    def _counts_are_possible(self) -> Cohort:
        low, high = self.slices_per_case
        if not 1 <= low <= high:
            raise ValueError(f"slices_per_case must be [fewest, most] with 1 <= fewest <= most, not {[low, high]}")
        if set(self.cases) != set(self.slices):
            raise ValueError("cases and slices must name the same classes")
        for name, cases in self.cases.items():
            if cases < 1:
                raise ValueError(f"cases of {name} must be at least 1, not {cases}")
            if not cases * low <= self.slices[name] <= cases * high:
                raise ValueError(
                    f"{self.slices[name]} slices of {name} do not fit into {cases} cases of {low} to {high}"
                )
        return self


class Phantom(Section):
    """The phantoms that stand in for data sets that are not here."""

    seed: int = ours("seed of every cohort", ge=0)
    mild_share: float = ours("share of diseased cases with few, faint lesions", ge=0, le=1)
    cohorts: dict[Name, Cohort] = Field(description="cohort of each data set that the program writes itself")
