"""Which version of a library the lock file pins, by the name under which code imports it.

The lock file and not what is installed: it is in git, so that a clone on another machine asks the same question.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

DISTRIBUTIONS = {
    "PIL": ("pillow",),
    "cv2": ("opencv-python-headless",),
    "pydicom": ("pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle"),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "yaml": ("pyyaml",),
}
"""Where a library is not imported by its distribution's name, or loads others that decide what it gives."""

WITHOUT_RESULT = frozenset({"rich"})
"""Libraries that only show progress."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", flags=re.MULTILINE)


class Pins:
    """Pinned versions.

    Args:
        lock: requirements file with one `name==version` a library; where it is missing nothing is pinned.
    """

    def __init__(self, lock: Path) -> None:
        self._versions: dict[str, list[str]] = defaultdict(list)
        if lock.is_file():
            for name, version in _PIN.findall(lock.read_text(encoding="utf-8")):
                self._versions[name.lower().replace("_", "-")].append(version)

    def of(self, imported: str) -> list[str]:
        """`name==version` of what an import brings; empty where it is not pinned or shapes no result."""
        if imported in WITHOUT_RESULT:
            return []
        names = DISTRIBUTIONS.get(imported, (imported.lower().replace("_", "-"),))
        return [f"{name}=={version}" for name in names for version in self._versions.get(name, ())]
