"""Stand-ins for the public sets, each written once for all tests of this room."""

from __future__ import annotations

import pytest
from stand_ins import write_stand_in


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    """Folder of a stand-in by its reader's name."""
    known = {}

    def written(name):
        if name not in known:
            known[name] = write_stand_in(name, tmp_path_factory.mktemp("stand_in") / name)
        return known[name]

    return written
