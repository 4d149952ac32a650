import subprocess

import pytest

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.storage.listing import LISTING, differences, write_listing


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "b.txt").write_text("b")
    (tmp_path / "a name.txt").write_text("a")
    write_listing(tmp_path)
    return tmp_path


def test_sha256sum_reads_it(folder):
    subprocess.run(["sha256sum", "--check", "--strict", LISTING], cwd=folder, check=True, capture_output=True)


def test_a_whole_folder_differs_in_nothing(folder):
    assert differences(folder) == []


def test_every_kind_of_difference_is_named(folder):
    (folder / "run" / "b.txt").write_text("B")
    (folder / "a name.txt").unlink()
    (folder / "new.txt").write_text("")
    assert differences(folder) == ["a name.txt is missing", "new.txt is not listed", "run/b.txt was altered"]


@pytest.mark.parametrize("line", ["nonsense", f"{'0' * 64}  ../outside", f"{'0' * 64}  /etc/passwd", f"{'0' * 64}  "])
def test_a_line_that_is_malformed_or_leaves_the_folder_is_refused(folder, line):
    (folder / LISTING).write_text(line + "\n")
    with pytest.raises(CheckFailed, match="malformed"):
        differences(folder)
