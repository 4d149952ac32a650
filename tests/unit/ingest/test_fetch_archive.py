"""Archives, honest and hostile: what is unpacked, what is refused, and that nothing lands outside the target."""

import bz2
import csv
import gzip
import hashlib
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.ingest.fetch.archive import unpack
from dsn_saal.ingest.fetch.limits import Limits
from dsn_saal.storage.listing import LISTING, differences, read_listing

GOOD = {"set/covid19/a/1.dcm": b"one" * 500, "set/normal/b/2.dcm": b"two", "set/read me.txt": b""}
PACKERS = {"tar": lambda data: data, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}


def zipped(path, members, method=zipfile.ZIP_DEFLATED):
    """Write a zip; a member is a name and content, or a ready ZipInfo and content."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tar_bytes(members, **options):
    """A tar as bytes; a member is a name and content, or a TarInfo and content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **options) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name) if isinstance(name, str) else name
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def tarred(path, members, **options):
    path.write_bytes(PACKERS["".join(path.suffixes)[1:]](tar_bytes(members, **options)))
    return path


def packed(path, members):
    return zipped(path, members) if path.suffix == ".zip" else tarred(path, members)


def entry(name, kind, link=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def zip_entry(name, mode):
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr = 3, mode << 16
    return made


def found(out):
    """Relative path to content of all that was unpacked."""
    files = out / "files"
    return {path.relative_to(files).as_posix(): path.read_bytes() for path in files.rglob("*") if path.is_file()}


def refused(out):
    return {int(row["item"]): row["reason"] for row in csv.DictReader((out / "refused.csv").open())}


@pytest.fixture(params=["zip", *PACKERS])
def kind(request):
    return request.param


class TestHonest:
    def test_every_member_arrives_with_its_bytes_and_is_listed(self, tmp_path, kind):
        source, out = packed(tmp_path / f"a.{kind}", GOOD.items()), tmp_path / "out"
        before = source.read_bytes()
        assert unpack(source, out) == (3, {})
        assert found(out) == GOOD and refused(out) == {}
        listed = {f"files/{name}": hashlib.sha256(content).hexdigest() for name, content in GOOD.items()}
        assert read_listing(out).items() >= listed.items()
        assert not differences(out) and source.read_bytes() == before

    def test_only_the_owner_can_read_it(self, tmp_path, kind):
        unpack(packed(tmp_path / f"a.{kind}", GOOD.items()), tmp_path / "out")
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out/files").rglob("*") if path.is_file()}
        folders = [tmp_path / "out", *(path for path in (tmp_path / "out/files").rglob("*") if path.is_dir())]
        assert modes == {0o600} and {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_every_method_of_zip(self, tmp_path, method):
        unpack(zipped(tmp_path / "a.zip", GOOD.items(), method), tmp_path / "out")
        assert found(tmp_path / "out") == GOOD

    @pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_every_form_of_tar_with_long_names(self, tmp_path, form):
        deep = "/".join(["folder"] * 20) + "/file"  # beyond the 100 bytes of the oldest form
        unpack(tarred(tmp_path / "a.tar", [(deep, b"x"), ("./b", b"y")], format=form), tmp_path / "out")
        assert found(tmp_path / "out") == {deep: b"x", "b": b"y"}

    def test_the_content_tells_the_kind_not_the_name(self, tmp_path):
        path = tmp_path / "a.tar.gz"
        path.write_bytes(zipped(tmp_path / "b.zip", GOOD.items()).read_bytes())
        unpack(path, tmp_path / "out")
        assert found(tmp_path / "out") == GOOD

    def test_a_second_run_replaces_what_an_older_or_a_killed_one_left(self, tmp_path):
        out = tmp_path / "out"
        unpack(packed(tmp_path / "a.zip", [("old", b"old")]), out)
        (out / ".files.part").mkdir()
        (out / ".files.part" / "half").write_bytes(b"half")
        (out / LISTING).unlink()
        unpack(packed(tmp_path / "b.zip", GOOD.items()), out)
        assert found(out) == GOOD and not differences(out)
        assert sorted(path.name for path in out.iterdir()) == [LISTING, "files", "refused.csv"]


HOSTILE = [
    "/etc/evil",
    "../evil",
    "a/../../evil",
    "C:evil",
    "c:/evil",
    "a\\..\\evil",
    "\\\\host\\evil",
    "a\nb",
    "x" * 256,
]


class TestHostileNames:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_are_refused_and_the_rest_arrives(self, tmp_path, kind, name):
        out = tmp_path / "below" / "out"
        source = packed(tmp_path / f"a.{kind}", [(name, b"evil"), *GOOD.items()])
        before = sorted(tmp_path.rglob("*"))
        assert unpack(source, out)[0] == 3
        assert found(out) == GOOD and set(refused(out)) == {1}
        left = set(tmp_path.rglob("*")) - set(before) - {out.parent, out}
        assert all(path.is_relative_to(out) for path in left)

    def test_no_name_is_written_down(self, tmp_path, kind):
        unpack(packed(tmp_path / f"a.{kind}", [("../Doe^Jane", b"x"), *GOOD.items()]), tmp_path / "out")
        assert "Doe" not in (tmp_path / "out/refused.csv").read_text()

    def test_names_that_are_no_utf8(self, tmp_path):
        source = tarred(tmp_path / "a.tar", [("M\udcfcller", b"x"), *GOOD.items()], format=tarfile.GNU_FORMAT,
                        errors="surrogateescape")  # fmt: skip
        unpack(source, tmp_path / "out")
        assert refused(tmp_path / "out") == {1: "NOT_UTF8"} and found(tmp_path / "out") == GOOD

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_twins_and_names_that_differ_in_case_or_form(self, tmp_path, kind):
        members = [("a/x", b"1"), ("a/x", b"2"), ("A/X", b"3"), ("a/x/y", b"4"), ("a", b"5"), ("\u00e9", b"6"),
                   ("e\u0301", b"7")]  # fmt: skip
        unpack(packed(tmp_path / f"a.{kind}", members), tmp_path / "out")
        assert found(tmp_path / "out") == {"a/x": b"1", "\u00e9": b"6"}
        assert refused(tmp_path / "out") == {
            2: "DUPLICATE", 3: "CASE_COLLISION", 4: "CASE_COLLISION", 5: "CASE_COLLISION", 7: "CASE_COLLISION",
        }  # fmt: skip

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(names=st.lists(st.text(st.sampled_from("ab./\\:C~\u00e9\x01 "), min_size=1, max_size=12), max_size=6))
    def test_whatever_the_names_nothing_lands_outside(self, tmp_path_factory, names):
        top = tmp_path_factory.mktemp("any")
        out = top / "deep" / "out"
        source = tarred(top / "a.tar", [(name, b"x") for name in names])
        unpack(source, out)
        assert {path.name for path in top.iterdir()} == {"a.tar", "deep"}
        assert {path.name for path in out.iterdir()} == {"files", "refused.csv", LISTING}
        assert all(path.resolve().is_relative_to(out.resolve()) for path in out.rglob("*"))
        assert len(found(out)) + len(refused(out)) == len(names)


class TestWhatIsNoFile:
    @pytest.mark.parametrize(
        ("made", "why"),
        [
            (entry("link", tarfile.SYMTYPE, "/etc/passwd"), "LINK"),
            (entry("hard", tarfile.LNKTYPE, "set/covid19/a/1.dcm"), "LINK"),
            (entry("pipe", tarfile.FIFOTYPE), "NOT_A_FILE"),
            (entry("disk", tarfile.BLKTYPE), "NOT_A_FILE"),
            (entry("tty", tarfile.CHRTYPE), "NOT_A_FILE"),
        ],
        ids=lambda value: getattr(value, "name", value),
    )
    def test_in_a_tar(self, tmp_path, made, why):
        unpack(tarred(tmp_path / "a.tar", [(made, b""), *GOOD.items()]), tmp_path / "out")
        assert refused(tmp_path / "out") == {1: why} and found(tmp_path / "out") == GOOD

    def test_a_link_does_not_lead_a_later_member_out(self, tmp_path, kind):
        (tmp_path / "elsewhere").mkdir()
        link = (
            zip_entry("dir", stat.S_IFLNK | 0o777)
            if kind == "zip"
            else entry("dir", tarfile.SYMTYPE, str(tmp_path / "elsewhere"))
        )
        content = str(tmp_path / "elsewhere").encode() if kind == "zip" else b""
        unpack(packed(tmp_path / f"a.{kind}", [(link, content), ("dir/evil", b"x")]), tmp_path / "out")
        assert not list((tmp_path / "elsewhere").iterdir())
        assert refused(tmp_path / "out") == {1: "LINK"} and found(tmp_path / "out") == {"dir/evil": b"x"}

    @pytest.mark.parametrize("mode", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
    def test_in_a_zip(self, tmp_path, mode):
        unpack(zipped(tmp_path / "a.zip", [(zip_entry("x", mode), b""), *GOOD.items()]), tmp_path / "out")
        assert refused(tmp_path / "out") == {1: "NOT_A_FILE"}

    def test_an_archive_inside_stays_packed(self, tmp_path, kind):
        inner = zipped(tmp_path / "inner.zip", [("../evil", b"x")]).read_bytes()
        unpack(packed(tmp_path / f"a.{kind}", [("inner.zip", inner)]), tmp_path / "out")
        assert found(tmp_path / "out") == {"inner.zip": inner}
        assert refused(tmp_path / "out") == {1: "NESTED_ARCHIVE"}


class TestBombs:
    SMALL = Limits(member_bytes=4000, total_bytes=14_000, members=10, ratio=20, free_bytes=1000)

    def test_a_member_that_packs_too_well(self, tmp_path):
        source = zipped(tmp_path / "a.zip", [("zeros", bytes(3000)), ("noise", os.urandom(3000))])
        unpack(source, tmp_path / "out", self.SMALL)
        assert refused(tmp_path / "out") == {1: "BOMB"} and set(found(tmp_path / "out")) == {"noise"}

    @pytest.mark.parametrize("packer", ["tar.gz", "tar.bz2", "tar.xz"])
    def test_a_stream_that_packs_too_well_is_stopped_before_it_is_unpacked(self, tmp_path, packer):
        source = tarred(tmp_path / f"a.{packer}", [("zeros", bytes(2**23))])
        with pytest.raises(CheckFailed, match="too many bytes for its size"):
            unpack(source, tmp_path / "out", Limits(ratio=50, free_bytes=2**20))
        assert not list((tmp_path / "out").iterdir())

    def test_a_large_member(self, tmp_path, kind):
        source = packed(tmp_path / f"a.{kind}", [("large", os.urandom(4001)), ("small", b"x")])
        unpack(source, tmp_path / "out", self.SMALL)
        assert refused(tmp_path / "out") == {1: "TOO_LARGE"} and found(tmp_path / "out") == {"small": b"x"}

    @pytest.mark.parametrize(
        ("members", "what"),
        [
            ([(str(n), os.urandom(300)) for n in range(11)], "too many members"),
            ([(str(n), os.urandom(3000)) for n in range(5)], "too many bytes"),
        ],
        ids=["members", "bytes"],
    )
    def test_too_much_of_all_is_refused_and_what_was_there_stays(self, tmp_path, kind, members, what):
        out = tmp_path / "out"
        unpack(packed(tmp_path / "before.zip", [("before", b"x")]), out)
        with pytest.raises(CheckFailed, match=what):
            unpack(packed(tmp_path / f"a.{kind}", members), out, self.SMALL)
        assert found(out) == {"before": b"x"} and not differences(out)

    def test_a_header_that_says_it_is_huge(self, tmp_path):
        data = tar_bytes([(entry("x", tarfile.XHDTYPE), bytes(2**23)), ("y", b"")])
        (tmp_path / "a.tar").write_bytes(data)
        with pytest.raises(CheckFailed, match="bytes in a header"):
            unpack(tmp_path / "a.tar", tmp_path / "out")

    def test_a_zip_member_longer_than_it_says(self, tmp_path):
        path = zipped(tmp_path / "a.zip", [("x", b"abcd" * 100)], zipfile.ZIP_STORED)
        data = path.read_bytes()
        path.write_bytes(data.replace(struct.pack("<LL", 400, 400), struct.pack("<LL", 400, 40)))
        unpack(path, tmp_path / "out")
        assert refused(tmp_path / "out") == {1: "DAMAGED"}


class TestDamage:
    def test_a_zip_member_with_a_wrong_check_sum(self, tmp_path):
        path = zipped(tmp_path / "a.zip", [("x", b"abcdefgh" * 9), ("y", b"good")], zipfile.ZIP_STORED)
        path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"abcdefgX", 1))
        assert unpack(path, tmp_path / "out") == (1, {"DAMAGED": 1})
        assert found(tmp_path / "out") == {"y": b"good"}

    def test_an_encrypted_member(self, tmp_path):
        path = zipped(tmp_path / "a.zip", [("x", b"secret"), ("y", b"good")])
        data = bytearray(path.read_bytes())
        data[6] |= 1  # the flag in the member's own header, and in the list
        data[data.index(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(data)
        assert unpack(path, tmp_path / "out") == (1, {"ENCRYPTED": 1})

    def test_an_unknown_method(self, tmp_path):
        path = zipped(tmp_path / "a.zip", [("x", b"x"), ("y", b"good")])
        data = bytearray(path.read_bytes())
        data[data.index(b"PK\x01\x02") + 10] = 99
        path.write_bytes(data)
        assert unpack(path, tmp_path / "out") == (1, {"UNSUPPORTED": 1})

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
    def test_a_tar_cut_off_keeps_what_is_whole_and_says_so(self, tmp_path, kind, share):
        members = [(f"{n}.dcm", os.urandom(20_000)) for n in range(10)]
        path, out = packed(tmp_path / f"a.{kind}", members), tmp_path / "out"
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        with pytest.raises(CheckFailed, match="ends early") as raised:
            unpack(path, out)
        assert "copy the archive again" in raised.value.text()
        assert found(out).items() <= dict(members).items() and not (out / LISTING).exists()
        if kind == "tar":
            assert len(found(out)) == int(share * len(members)) and list(refused(out).values()) == ["DAMAGED"]

    @pytest.mark.parametrize("cut", [512, 700, 1024])
    def test_a_tar_cut_off_between_members(self, tmp_path, cut):
        """The file ends where a member's header begins, inside it, or before the mark of the end."""
        data = tar_bytes([("a", b"x" * 512), ("b", b"y" * 512)])
        (tmp_path / "a.tar").write_bytes(data[: 512 + cut])
        with pytest.raises(CheckFailed, match="ends early"):
            unpack(tmp_path / "a.tar", tmp_path / "out")

    def test_a_wrong_check_sum_at_the_end_of_a_gzip(self, tmp_path):
        path = tarred(tmp_path / "a.tar.gz", GOOD.items())
        data = bytearray(path.read_bytes())
        data[-8] ^= 1
        path.write_bytes(data)
        with pytest.raises(CheckFailed, match="ends early, or is damaged"):
            unpack(path, tmp_path / "out")

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(at=st.integers(0, 6000), value=st.integers(0, 255), kind=st.sampled_from(["zip", *PACKERS]))
    def test_any_byte_may_be_wrong(self, tmp_path_factory, at, value, kind):
        top = tmp_path_factory.mktemp("any")
        path = packed(top / f"a.{kind}", [*GOOD.items(), ("../evil", b"x")])
        data = bytearray(path.read_bytes())
        data[at % len(data)] = value
        path.write_bytes(data)
        try:
            unpack(path, top / "deep" / "out")
        except CheckFailed as error:
            assert error.next_step
        assert {entry.name for entry in top.iterdir()} <= {path.name, "deep"}


class TestRequests:
    def test_no_archive(self, tmp_path):
        with pytest.raises(BadRequest, match="no such archive"):
            unpack(tmp_path / "a.zip", tmp_path / "out")

    @pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 hello", b"\x1f\x8b\x08 hello"])
    def test_what_is_no_archive(self, tmp_path, content):
        (tmp_path / "a.tar").write_bytes(content)
        with pytest.raises(CheckFailed, match="damaged as a whole"):
            unpack(tmp_path / "a.tar", tmp_path / "out")

    def test_a_folder_with_other_files_is_left_alone(self, tmp_path):
        out = tmp_path / "out"
        out.mkdir()
        (out / "thesis.tex").write_text("years of work")
        with pytest.raises(BadRequest, match="holds other files"):
            unpack(packed(tmp_path / "a.zip", GOOD.items()), out)
        assert [path.name for path in out.iterdir()] == ["thesis.tex"]

    def test_an_archive_in_the_folder_to_fill(self, tmp_path):
        (tmp_path / "out/files").mkdir(parents=True)
        source = packed(tmp_path / "out/files/a.zip", GOOD.items())
        with pytest.raises(BadRequest, match="lies in the folder"):
            unpack(source, tmp_path / "out")
        assert source.is_file()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_place_that_cannot_be_written(self, tmp_path):
        place = Path(tmp_path / "shut")
        place.mkdir(mode=0o500)
        with pytest.raises(CheckFailed, match="could not be written"):
            unpack(packed(tmp_path / "a.zip", GOOD.items()), place / "out")
