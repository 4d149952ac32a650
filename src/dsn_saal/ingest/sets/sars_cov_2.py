"""SARS-CoV-2 CT-scan (Soares et al.): `COVID/Covid (N).png`, `non-COVID/Non-Covid (N).png`; no patients, no lists."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from dsn_saal.ingest.dicom.reader import CLINICAL
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.sets.pictures import Counts, PictureReader
from dsn_saal.ingest.sets.published import SARS_COV_2
from dsn_saal.ingest.source import Row

_NAME = re.compile(r"(Covid|Non-Covid) \((\d{1,5})\)\.png")
_PREFIX = {"COVID": "Covid", "non-COVID": "Non-Covid"}


class SarsCov2(PictureReader):
    """Reader of SARS-CoV-2 CT-scan: the class is the folder, the number runs on through neighbouring slices."""

    def expected(self) -> None:
        """The set has no lists."""

    def published(self) -> Counts:
        """Images of each class as released."""
        return {"": SARS_COV_2}

    def mark_of(self, path: str) -> str:
        """The folder, where the file's name begins as this folder's do."""
        folder, name = self._parts(path)
        if _PREFIX.get(folder) != name[1]:
            raise Excluded(Reason.NO_CLASS, "folder and name of the file do not mark the same class")
        return folder

    def name_of(self, path: str) -> str:
        """Folder and file name."""
        return "/".join(PurePosixPath(path).parts[-2:])

    def described(self, path: str) -> Row:
        """The running number."""
        return {"number": int(self._parts(path)[1][2])}

    def rows(self, path: str) -> list[Row | Excluded]:
        """The row of a picture; raises Excluded where it is left out, or bears a number that was never published."""
        rows = super().rows(path)
        folder, name = self._parts(path)
        real = any(row["origin"] == CLINICAL for row in rows if not isinstance(row, Excluded))
        if real and not 1 <= int(name[2]) <= SARS_COV_2[folder]:
            raise Excluded(Reason.UNLISTED, f"the set's numbers run from 1 to {SARS_COV_2[folder]}")
        return rows

    def numbering(self, present: set[str]) -> set[str]:
        """Every number from 1 to the published one, or to the largest there where the copy holds phantoms."""
        last = {
            folder: max((int(self._parts(name)[1][2]) for name in present if name.startswith(f"{folder}/")), default=0)
            for folder in _PREFIX
        }
        whole = last if self._holds_phantoms(present) else SARS_COV_2
        return {
            f"{folder}/{_PREFIX[folder]} ({number}).png" for folder in _PREFIX for number in range(1, whole[folder] + 1)
        }

    def _holds_phantoms(self, present: set[str]) -> bool:
        for name in sorted(present):
            try:
                return all(row["origin"] == "phantom" for row in self.rows(name) if not isinstance(row, Excluded))
            except Excluded:
                continue
        return False

    def _parts(self, path: str) -> tuple[str, re.Match[str]]:
        pure = PurePosixPath(path)
        name = _NAME.fullmatch(pure.name)
        if name is None or pure.parent.name not in _PREFIX:
            raise Excluded(Reason.NO_CLASS, "not named as a file of the set")
        return pure.parent.name, name
