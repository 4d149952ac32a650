"""Hashes, records, listings of what belongs, and the digest of data from outside."""

import fcntl
import json
import os
import time

import pytest
from snakemake.io import IOFile
from snakemake.persistence.file import FilePersistence

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.provenance import locks
from dsn_saal.provenance.belongings import strangers, tidy
from dsn_saal.provenance.hashes import HashCache
from dsn_saal.provenance.records import Records
from dsn_saal.provenance.sources import fingerprint
from dsn_saal.provenance.travel import export_facts, read_facts
from dsn_saal.storage.listing import write_listing


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, text="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class TestHashes:
    def test_remembers_until_the_file_changes(self, here):
        file = write(here / "a", "one")
        os.utime(file, (1e9, 1e9))
        cache = HashCache(here / "cache.json")
        cache._known[str(file)] = [*identity(file), "remembered"]
        assert cache.of(file) == "remembered"
        file.write_text("two")
        assert cache.of(file) != "remembered"

    def test_sees_an_edit_whose_time_was_put_back(self, here):
        file = write(here / "a", "one")
        before = file.stat()
        cache = HashCache(here / "cache.json")
        cache._known[str(file)] = [*identity(file), "remembered"]
        file.write_text("two")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert cache.of(file) != "remembered"

    def test_does_not_remember_a_file_that_may_still_change_within_its_time(self, here, monkeypatch):
        file = write(here / "a", "one")
        cache = HashCache(here / "cache.json")
        digest = cache.of(file)
        assert str(file) not in cache._known
        later = time.time() + 60
        monkeypatch.setattr(time, "time", lambda: later)
        assert cache.of(file) == digest and str(file) in cache._known
        cache.save()
        assert HashCache(here / "cache.json")._known[str(file)][-1] == digest

    @pytest.mark.parametrize("broken", ["", "[]", "{"])
    def test_starts_anew_from_a_broken_cache(self, here, broken):
        write(here / "cache.json", broken)
        assert len(HashCache(here / "cache.json").of(write(here / "a"))) == 64


def identity(file):
    status = file.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


class TestRecords:
    @pytest.mark.parametrize("output", ["results/a.txt", "results/" + "long/" * 60 + "name.txt", "results/ä ö.txt"])
    def test_snakemake_reads_what_is_written_and_the_other_way_round(self, here, output):
        theirs = FilePersistence(path=here / ".snakemake")
        ours = Records(here / ".snakemake")
        ours.write(output, {"rule": "train", "params": ["1"], "record_format_version": 6, "sha256": "abc"})
        ours.mark(output, "because")
        write(here / output)
        file = IOFile(output)
        assert theirs.rule(file) == "train" and theirs.params(file) == ["1"]
        assert theirs._filter_incomplete_keys([output]) == {output}
        assert ours.outputs() == [output] and ours.marked() == {output: "because"}
        ours.unmark(output)
        theirs._clear_cache()
        assert theirs._filter_incomplete_keys([output]) == set()
        theirs._mark_incomplete(output, None)
        assert ours.marked() == {output: None}
        theirs._write_record(output, theirs._read_record(output))
        assert ours.read(output)["rule"] == "train" and "sha256" not in ours.read(output)

    def test_a_half_written_record_counts_as_none(self, here):
        records = Records(here / ".snakemake")
        records.write("a", {"rule": "r"})
        next((here / ".snakemake/metadata").iterdir()).write_text('{"rule"')
        assert records.read("a") is None


class TestTravel:
    def made(self, here, **changes):
        records, hashes = Records(here / ".snakemake"), HashCache(here / "cache.json")
        for name in ("b", "a"):
            path = write(here / f"results/{name}")
            record = {"rule": "r", "params": ["1"], "input": [], "endtime": 7.0, "shellcmd": "cat /home/me"}
            records.write(f"results/{name}", {**record, "sha256": hashes.of(path), **changes})
        write(here / "results/unrecorded")
        return records, hashes

    def test_carries_what_lasts_and_nothing_else(self, here):
        target = here / "provenance/x.json"
        assert export_facts([here.__class__("results")], target, *self.made(here)) == 2
        first = target.read_bytes()
        assert b"home" not in first and b"endtime" not in first
        facts = read_facts(target)
        assert list(facts) == ["results/a", "results/b"] and facts["results/a"].kept["params"] == ["1"]
        assert len(json.loads(first)["jobs"]) == 1
        export_facts([here.__class__("results")], target, *self.made(here, endtime=9.0))
        assert target.read_bytes() == first

    def test_refuses_what_is_not_what_its_record_says(self, here):
        records, hashes = self.made(here, sha256="0" * 64)
        with pytest.raises(CheckFailed, match="not what its record says"):
            export_facts([here.__class__("results")], here / "x.json", records, hashes)
        assert not (here / "x.json").exists()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("<<<<<<< HEAD", "cannot be read"),
            ("[]", "cannot be read"),
            ('{"record_format": 5, "jobs": []}', "another format"),
            ('{"record_format": 6, "jobs": [1]}', "cannot be read"),
        ],
    )
    def test_refuses_a_file_it_does_not_know(self, here, text, message):
        with pytest.raises(CheckFailed, match=message):
            read_facts(write(here / "x.json", text))


class TestBelongings:
    def test_removes_what_no_job_makes_and_lists_the_rest(self, here):
        root = here.__class__("results/train")
        for name in ("one/run-0/w", "one/run-1/w", "old/run-0/w", "stray"):
            write(root / name)
        write_listing(root / "one")
        write(root / "one/run-2/w")
        (root / "link").symlink_to(here / "nowhere")
        removed = tidy(root / "MANIFEST", [root / "one/SHA256SUMS"])
        assert removed == ["link", "old/run-0/w", "one/run-2/w", "stray"]
        assert (root / "MANIFEST").read_text() == "one/SHA256SUMS\none/run-0/w\none/run-1/w\n"
        assert not (root / "old").exists() and strangers(root / "MANIFEST") == []
        write(root / "note")
        (root / "one/run-0/w").unlink()
        assert strangers(root / "MANIFEST") == ["one/run-0/w is missing", "note does not belong there"]

    def test_a_link_to_a_folder_is_removed_and_not_entered(self, here):
        write(here / "elsewhere/precious")
        root = here.__class__("results/train")
        root.mkdir(parents=True)
        (root / "link").symlink_to(here / "elsewhere")
        assert tidy(root / "MANIFEST", []) == ["link"]
        assert (here / "elsewhere/precious").exists()

    @pytest.mark.parametrize("manifest", ["/tmp/MANIFEST", "../MANIFEST", "MANIFEST"])
    def test_reaches_nothing_outside_a_stage(self, here, manifest):
        write(here / "precious")
        with pytest.raises(BadRequest, match="below the working folder"):
            tidy(here.__class__(manifest), [])
        assert (here / "precious").exists()

    def test_refuses_an_output_of_another_stage(self, here):
        with pytest.raises(BadRequest, match="outside the folder"):
            tidy(here.__class__("results/train/MANIFEST"), [here.__class__("results/split/a")])


class TestFingerprint:
    def test_depends_on_names_and_contents_and_not_on_the_place(self, here):
        hashes = HashCache(here / "cache.json")
        for place in ("one", "two"):
            write(here / place / "a/1", "x")
            write(here / place / "b", "y")
        first = fingerprint(here / "one", hashes)
        assert first == fingerprint(here / "two", hashes)
        (here / "two/b").rename(here / "two/c")
        assert first != fingerprint(here / "two", hashes)
        (here / "one/b").write_text("z")
        assert first != fingerprint(here / "one", hashes)

    @pytest.mark.parametrize("folder", ["missing", "empty"])
    def test_refuses_a_folder_without_data(self, here, folder):
        (here / "empty").mkdir()
        with pytest.raises(BadRequest, match="the source folder"):
            fingerprint(here / folder, HashCache(here / "cache.json"))

    def test_goes_on_over_what_cannot_be_read(self, here):
        (here / "one").mkdir()
        (here / "one/broken").symlink_to(here / "nowhere")
        assert len(fingerprint(here / "one", HashCache(here / "cache.json"))) == 64


class TestLocks:
    def test_is_alone_until_another_is_there(self, monkeypatch):
        monkeypatch.setattr(locks, "PATIENCE_S", 0.2)
        first, second = locks.FolderLock(), locks.FolderLock()
        assert first.take() and first.certain
        assert not second.take()
        del first
        assert second.take()

    def test_a_job_counts_while_it_lasts(self, monkeypatch):
        monkeypatch.setattr(locks, "PATIENCE_S", 0.2)
        with locks.at_work():
            pass
        assert not locks.STATE.exists(), "a folder that no Snakemake uses is left as it is"
        locks.STATE.mkdir()
        with locks.at_work(), locks.at_work():
            assert not locks.FolderLock().take()
        assert locks.FolderLock().take()

    def test_without_locks_it_goes_on_but_is_not_certain(self, monkeypatch):
        def no_locks(*_):
            raise OSError(37, "No locks available")

        monkeypatch.setattr(fcntl, "flock", no_locks)
        lock = locks.FolderLock()
        assert lock.take() and not lock.certain
        with locks.at_work():
            pass
