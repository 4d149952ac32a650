"""Readers of a source in the test's own folder, with a secret of its own."""

from __future__ import annotations

import pytest

from dsn_saal.ingest.dicom.reader import DicomReader
from dsn_saal.ingest.identity import KEY_FILE_VARIABLE, clinical_key

FOLDERS = {"covid19": ("covid19", "COVID-19 subjects"), "normal": ("normal",)}


@pytest.fixture(autouse=True)
def own_key(tmp_path, monkeypatch):
    """No test reads or makes the user's own key."""
    path = tmp_path / "config" / "own.key"
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(path))
    clinical_key.cache_clear()
    return path


@pytest.fixture
def source(tmp_path):
    """An empty source folder."""
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def reader(source):
    """Makes a reader of the source; `change` replaces its attributes."""

    def make(**change):
        base = {"case_id": "patient_id", "key_file": None, "air_hu": -1000, "derived": "exclude", "paths": "plain"}
        return DicomReader(**({"root": source, "folders": FOLDERS} | base | change))

    return make
