import errno
from pathlib import Path

import pytest

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.storage.atomic import replacing, write_json, write_text


def leftovers(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_a_file_appears_whole_under_its_name(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "grüße\n")
    assert (tmp_path / "deep" / "a.txt").read_bytes() == "grüße\n".encode()
    assert leftovers(tmp_path / "deep") == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_no_part(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and leftovers(tmp_path) == ["a.txt"]


def test_a_full_disk_is_said_in_words_and_leaves_nothing(tmp_path):
    with pytest.raises(CheckFailed, match="the disk is full") as error, replacing(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "free space and run again" in error.value.text() and leftovers(tmp_path) == []


def test_a_really_full_disk(tmp_path):
    """/dev/full refuses every byte, as a full disk does."""
    with (
        pytest.raises(CheckFailed, match="the disk is full"),
        replacing(tmp_path / "a.txt"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"x")
    assert leftovers(tmp_path) == []


def test_a_place_that_cannot_be_written_is_said_in_words(tmp_path):
    write_text(tmp_path / "file", "")
    with pytest.raises(CheckFailed, match="could not be written") as error:
        write_text(tmp_path / "file" / "below.txt", "")
    assert "below.txt" in error.value.text()


def test_json_is_canonical_and_refuses_nan(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None]})
    write_json(tmp_path / "b.json", {"a": [1.5, None], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    with pytest.raises(ValueError):
        write_json(tmp_path / "c.json", float("nan"))
    assert not (tmp_path / "c.json").exists()
