"""Fetching from a DICOMweb server that answers well, badly, late, half or not at all."""

import csv
import datetime
import io
import ipaddress
import re
import stat
import traceback

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fake_dicom import ct_file, thorax
from fake_pacs import FakePacs

from dsn_saal.cli import main
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.ingest.fetch import instances as instances_module
from dsn_saal.ingest.fetch import web
from dsn_saal.ingest.fetch.address import PASSWORD, TOKEN, USER, access, is_open_line
from dsn_saal.ingest.fetch.dicomweb import fetch_studies
from dsn_saal.ingest.fetch.wanted import list_digest, read_list
from dsn_saal.ingest.fetch.web import Patience, Server
from dsn_saal.storage.listing import LISTING, differences

KEY = b"k" * 32
FOLDERS = {"covid19": ("COVID", "covid"), "normal": ("NORMAL",)}
QUICK = Patience(attempts=3, wait_s=0.001, connect_s=1.0, silence_s=0.5)
HU = thorax(64)[0]


def instance(study, series, sop, *, modality="CT", patient="Doe^Jane", z=0.0, **tags):
    attributes = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "SOPInstanceUID": sop, "Modality": modality,
                  "PatientID": patient, "AccessionNumber": f"A{study}"}  # fmt: skip
    dataset = ct_file(HU, z=z, **attributes | tags)
    dataset.file_meta.MediaStorageSOPInstanceUID = tags.get("meta", sop)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return attributes, buffer.getvalue()


def cohort():
    first = [instance("1.1", "1.1.1", f"1.1.1.{n}", z=5.0 * n) for n in range(3)]
    second = [instance("1.2", "1.2.1", f"1.2.1.{n}", z=5.0 * n, patient="Roe^Max") for n in range(2)]
    return [*first, *second, instance("1.2", "1.2.9", "1.2.9.1", modality="SR", patient="Roe^Max")]


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    for name in (USER, PASSWORD, TOKEN, "DSN_SAAL_DICOMWEB_LIST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))


@pytest.fixture
def pacs():
    with FakePacs(cohort()) as made:
        yield made


@pytest.fixture
def fetch(pacs, tmp_path):
    """Fetch what a list names into the test's folder."""

    def fetching(rows="covid19,1.1\nnormal,1.2\n", column="study_uid", ca_file=None):
        (tmp_path / "list.csv").write_text(f"class,{column}\n{rows}")
        wanted = read_list(tmp_path / "list.csv", tuple(FOLDERS))
        server = Server(access(pacs.address, ca_file), QUICK)
        return fetch_studies(
            server, wanted, tmp_path / "out", folders=FOLDERS, key=KEY, progress=lambda items, _: iter(items)
        )

    return fetching


def files(tmp_path):
    root = tmp_path / "out/files"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def is_complete(tmp_path):
    ct = sorted(data for tags, data in cohort() if tags["Modality"] == "CT")
    return sorted(files(tmp_path).values()) == ct and not differences(tmp_path / "out")


class TestGood:
    def test_every_ct_instance_arrives_as_it_was_sent(self, fetch, tmp_path):
        fetched = fetch()
        assert (fetched.studies, fetched.series, fetched.instances, fetched.new) == (2, 2, 5, 5)
        assert is_complete(tmp_path) and fetched.refused == {"OTHER_MODALITY": 1}
        assert {name.split("/")[0] for name in files(tmp_path)} == {"COVID", "NORMAL"}

    def test_no_identity_is_written_but_inside_the_files(self, fetch, tmp_path):
        fetch()
        assert all(re.fullmatch(r"\w+/[0-9a-f]{16}/[0-9a-f]{16}/[0-9a-f]{16}\.dcm", name) for name in files(tmp_path))
        refused = list(csv.DictReader((tmp_path / "out/refused.csv").open()))
        assert [row["reason"] for row in refused] == ["OTHER_MODALITY"]
        assert re.fullmatch(r"#[0-9a-f]{16}", refused[0]["item"])

    def test_only_the_owner_can_read_it(self, fetch, tmp_path):
        fetch()
        found = [tmp_path / "out", *(tmp_path / "out/files").rglob("*")]
        assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600, 0o700}

    @pytest.mark.parametrize(
        ("column", "rows"),
        [("patient_id", "covid19,Doe^Jane\nnormal,Roe^Max\n"), ("accession_number", "covid19,A1.1\nnormal,A1.2\n")],
    )
    def test_other_columns(self, fetch, tmp_path, column, rows):
        fetch(rows, column)
        assert is_complete(tmp_path)

    def test_a_series_is_asked_for_once(self, fetch, pacs):
        fetch()
        retrieved = [path for path in pacs.requests if len(path.split("/")) % 2 == 0]
        assert retrieved == ["studies/1.1/series/1.1.1", "studies/1.2/series/1.2.1"]
        assert {header["Accept"] for header in pacs.headers} == {
            "application/dicom+json", 'multipart/related; type="application/dicom"; transfer-syntax=*',
        }  # fmt: skip

    def test_a_server_that_answers_page_by_page(self, fetch, pacs, tmp_path):
        pacs.page = 1
        fetch()
        assert is_complete(tmp_path)

    def test_a_server_that_ignores_the_keys_of_a_search(self, fetch, pacs, tmp_path):
        pacs.ignores_keys = True
        fetch("covid19,Doe^Jane\n", "patient_id")
        assert {name.split("/")[0] for name in files(tmp_path)} == {"COVID"} and len(files(tmp_path)) == 3

    def test_an_answer_without_its_envelope(self, fetch, pacs, tmp_path):
        pacs.faults["/series/1.1.1"] = "html"
        pacs.faults["/1.1.1.0"] = "bare"
        fetch()
        assert is_complete(tmp_path)

    def test_meta_information_that_names_another_instance(self, fetch, pacs, tmp_path):
        pacs.instances = [instance("1.1", "1.1.1", f"1.1.1.{n}", meta="9.9") for n in range(3)]
        fetch("covid19,1.1\n")
        assert len(files(tmp_path)) == 3

    def test_parts_that_go_on_and_on(self, fetch, pacs, tmp_path):
        pacs.extra_parts = 50
        fetch()
        assert is_complete(tmp_path)


class TestAgain:
    def test_nothing_is_fetched_twice(self, fetch, pacs, tmp_path):
        fetch()
        pacs.requests.clear()
        assert fetch().new == 0 and is_complete(tmp_path)
        assert all(len(path.split("/")) % 2 for path in pacs.requests)

    def test_what_a_dead_server_left_undone_is_done_by_the_next_run(self, fetch, pacs, tmp_path):
        pacs.faults["/series/1.2.1"] = "die"
        pacs.faults["/1.2.1.1"] = "cut"
        with pytest.raises(CheckFailed, match="ended in the middle") as raised:
            fetch()
        assert "not fetched twice" in raised.value.text()
        assert not (tmp_path / "out" / LISTING).exists() and not (tmp_path / "out/files").exists()
        pacs.faults.clear()
        pacs.requests.clear()
        assert fetch().new == 1 and is_complete(tmp_path)
        assert [path for path in pacs.requests if len(path.split("/")) % 2 == 0] == [
            "studies/1.2/series/1.2.1/instances/1.2.1.1"
        ]

    def test_what_is_no_longer_on_the_list_goes(self, fetch, tmp_path):
        fetch()
        fetch("covid19,1.1\n")
        assert len(files(tmp_path)) == 3 and not differences(tmp_path / "out")
        assert not (tmp_path / "out/files/NORMAL").exists()

    def test_a_study_that_is_missing_leaves_what_was_there(self, fetch, tmp_path):
        fetch()
        with pytest.raises(CheckFailed, match="does not have 1 of the 2 rows") as raised:
            fetch("covid19,1.1\nnormal,7.7.7\n")
        assert "lines 3" in raised.value.text() and "7.7.7" not in raised.value.text()
        assert is_complete(tmp_path)


class TestPassingFaults:
    @pytest.mark.parametrize("fault", [503, 500, 429, "die", "cut", "slow"])
    def test_a_search_is_repeated(self, fetch, pacs, tmp_path, fault):
        pacs.faults["studies"] = [fault]
        fetch()
        assert is_complete(tmp_path)

    @pytest.mark.parametrize("fault", [503, 404, "die", "cut", "cut without length", "html", "other", "bare"])
    def test_of_a_series_its_instances_are_asked_for_one_by_one(self, fetch, pacs, tmp_path, fault):
        pacs.faults["/series/1.1.1"] = [fault]
        fetch()
        assert is_complete(tmp_path)

    @pytest.mark.parametrize("fault", [503, "die", "cut", "cut without length", "bare cut"])
    def test_an_instance_is_asked_for_again(self, fetch, pacs, tmp_path, fault):
        pacs.faults |= {"/series/1.1.1": [503], "/1.1.1.1": [fault, fault]}
        fetch()
        assert is_complete(tmp_path)


NEVER = ("Doe", "Roe", "1.1.1", "127.0.0.1:1/")
"""What no message may quote: names, UIDs, or where a redirect leads."""


class TestLastingFaults:
    @pytest.mark.parametrize(
        ("ending", "fault", "kind", "words"),
        [
            ("studies", 401, BadRequest, "refuses the credentials"),
            ("studies", 403, BadRequest, "refuses the credentials"),
            ("studies", 404, BadRequest, "does not know this address"),
            ("studies", 400, CheckFailed, "refuses the request"),
            ("studies", 503, CheckFailed, "the server fails"),
            ("studies", "html", CheckFailed, "not what DICOMweb asks for"),
            ("studies", "half json", CheckFailed, "not what DICOMweb asks for"),
            ("studies", "no uid", CheckFailed, "not what DICOMweb asks for"),
            ("studies", "redirect", BadRequest, "another address"),
            ("studies", "die", CheckFailed, "ended in the middle|cannot be reached"),
            ("studies", "cut", CheckFailed, "ended in the middle"),
            ("studies", "slow", CheckFailed, "does not answer in time"),
            ("/1.1.1.1", 404, BadRequest, "no longer what was asked for"),
            ("/1.1.1.1", 500, CheckFailed, "the server fails"),
            ("/1.1.1.1", "html", CheckFailed, "not what DICOMweb asks for"),
            ("/1.1.1.1", "other", CheckFailed, "not what DICOMweb asks for"),
            ("/1.1.1.1", "cut", CheckFailed, "ended in the middle"),
            ("/1.1.1.1", "cut without length", CheckFailed, "ended in the middle"),
            ("/1.1.1.1", "bare cut", CheckFailed, "ended in the middle"),
        ],
    )
    def test_have_a_name_and_a_next_step(self, fetch, pacs, tmp_path, ending, fault, kind, words):
        pacs.faults |= {"/series/1.1.1": 503, ending: fault}
        with pytest.raises(kind, match=words) as raised:
            fetch()
        assert raised.value.next_step and not any(word in raised.value.text() for word in NEVER)
        trace = "".join(traceback.format_exception(raised.value))
        assert not any(word in trace for word in NEVER)
        assert not (tmp_path / "out" / LISTING).exists()

    def test_an_instance_larger_than_any_file_that_is_opened(self, fetch, pacs, monkeypatch, tmp_path):
        monkeypatch.setattr(instances_module, "MAX_FILE_BYTES", len(cohort()[0][1]) - 1)
        pacs.instances[1] = ({**pacs.instances[1][0]}, pacs.instances[1][1][:4000])
        assert fetch("covid19,1.1\n").refused == {"TOO_LARGE": 2} and len(files(tmp_path)) == 1

    def test_an_endless_answer_to_a_search(self, fetch, monkeypatch):
        monkeypatch.setattr(web, "MAX_JSON_BYTES", 100)
        with pytest.raises(CheckFailed, match="not what DICOMweb asks for"):
            fetch()

    def test_nobody_there(self, fetch, pacs):
        pacs.__exit__()
        with pytest.raises(CheckFailed, match="cannot be reached"):
            fetch()


class TestAccess:
    def test_user_and_password(self, fetch, pacs, monkeypatch, tmp_path):
        pacs.authorization = "Basic ZG9jdG9yOnPDqXNhbWU="  # doctor:sésame as printed by base64(1)
        with pytest.raises(BadRequest, match="refuses the credentials"):
            fetch()
        monkeypatch.setenv(USER, "doctor")
        monkeypatch.setenv(PASSWORD, "sésame")
        fetch()
        assert is_complete(tmp_path)

    def test_token_goes_before_netrc(self, fetch, pacs, monkeypatch, tmp_path):
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setenv(TOKEN, "abc.def")
        pacs.authorization = "Bearer abc.def"
        fetch()
        assert is_complete(tmp_path)

    def test_netrc(self, fetch, pacs, monkeypatch, tmp_path):
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        pacs.authorization = "Basic YTpi"
        fetch()
        assert is_complete(tmp_path)

    @pytest.mark.parametrize(
        "variables", [{USER: "a"}, {PASSWORD: "b"}, {TOKEN: "t", USER: "a", PASSWORD: "b"}, {TOKEN: "sec\nret"}]
    )
    def test_incomplete_credentials(self, monkeypatch, variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(BadRequest) as raised:
            access("https://host/dicom-web", None)
        assert "sec" not in raised.value.text()

    @pytest.mark.parametrize(
        "address",
        ["https://me:secret@host/x", "https://host/x?key=secret", "ftp://secret", "http://", "https://host:port/secret",
         "https://host/\nsecret", "http://[secret"],
    )  # fmt: skip
    def test_a_bad_address_is_not_quoted(self, address):
        with pytest.raises(BadRequest) as raised:
            access(address, None)
        assert "secret" not in raised.value.text()

    def test_files_of_certificates(self, fetch, pacs, tmp_path):
        with pytest.raises(BadRequest, match="file of certificates"):
            access("https://host", tmp_path / "none.pem")
        assert repr(access("https://host/", None)) == "Access(https://host)"

    def test_an_open_line_is_told_from_a_closed_one(self):
        assert is_open_line("http://pacs.hospital/x") and is_open_line("http://10.0.0.1/x")
        assert not any(
            map(is_open_line, ["https://pacs/x", "http://127.0.0.1:8042", "http://localhost", "http://[::1]/"])
        )


class TestTheList:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "does not name its columns"),
            ("study_uid\n1.1\n", "does not name its columns"),
            ("class,study_uid,patient_id\na,b,c\n", "does not name its columns"),
            ("class,study_uid\n", "holds no row"),
            ("class,study_uid\ncovid19\n", "number of columns"),
            ("class,study_uid\nDoe^Jane,1.1\n", "names a class"),
            ("class,patient_id\ncovid19,Doe*\n", "could match several"),
            ("class,patient_id\ncovid19,\n", "could match several"),
            ("class,patient_id\ncovid19,Doe\nnormal,Doe\n", "two classes"),
            ('class,patient_id\ncovid19,"Doe\n', "no CSV"),
        ],
    )
    def test_what_is_wrong_is_said_by_its_line_only(self, tmp_path, text, words):
        path = tmp_path / "list.csv"
        path.write_text(text)
        with pytest.raises(BadRequest, match=words) as raised:
            read_list(path, tuple(FOLDERS))
        assert "Doe" not in raised.value.text()

    def test_any_order_of_columns_a_mark_of_order_and_repetitions(self, tmp_path):
        path = tmp_path / "list.csv"
        path.write_bytes("\ufeffStudy_UID, class\r\n 1.1 ,covid19\r\n\r\n1.1,covid19\r\n1.2,normal".encode())
        assert [(row.value, row.class_name) for row in read_list(path, tuple(FOLDERS))] == [
            ("1.1", "covid19"), ("1.2", "normal"),
        ]  # fmt: skip

    def test_it_stays_outside_a_repository(self, tmp_path):
        (tmp_path / ".git").mkdir()
        (tmp_path / "list.csv").write_text("class,study_uid\ncovid19,1.1\n")
        with pytest.raises(BadRequest, match="inside a git repository"):
            read_list(tmp_path / "list.csv", tuple(FOLDERS))

    def test_one_study_of_two_rows(self, fetch, pacs):
        pacs.instances += [instance("1.1", "1.1.5", "1.1.5.1", patient="Twin")]
        with pytest.raises(BadRequest, match="one study two classes") as raised:
            fetch("covid19,Doe^Jane\nnormal,Twin\n", "patient_id")
        assert "lines 2 and 3" in raised.value.text()

    def test_its_digest_needs_the_key(self, tmp_path):
        (tmp_path / "list.csv").write_text("class,study_uid\ncovid19,1.1\n")
        keys = [tmp_path / "a.key", tmp_path / "b.key"]
        for number, key in enumerate(keys):
            key.write_text(f"{number}" * 32)
        digests = {list_digest(tmp_path / "list.csv", str(key)) for key in keys}
        assert len(digests) == 2


class TestTheCommand:
    def test_from_start_to_end(self, pacs, tmp_path, monkeypatch, capsys):
        (tmp_path / "list.csv").write_text("class,study_uid\ncovid19,1.1\n")
        (tmp_path / "key").write_text("0123456789abcdef" * 2)
        monkeypatch.setenv("DSN_SAAL_DICOMWEB_LIST", str(tmp_path / "list.csv"))
        settings = f'{{"folders": {{"covid19": ["COVID"], "normal": ["N"]}}, "key_file": "{tmp_path}/key"}}'
        command = ["fetch", "--dataset", "any", "--source", pacs.address, "--out", str(tmp_path / "out")]
        assert main([*command, "--settings", settings]) == 0
        said = capsys.readouterr()
        assert said.out == "1 studies: 1 CT series, 3 files, 3 of them new; not brought: nothing\n" and not said.err
        monkeypatch.delenv("DSN_SAAL_DICOMWEB_LIST")
        assert main([*command, "--settings", settings]) == 2
        assert "needs a list" in capsys.readouterr().err


class TestCertificates:
    @pytest.fixture
    def trusted(self, pacs, tmp_path):
        """The file with the certificate that the server now shows."""
        now, key = datetime.datetime.now(datetime.UTC), ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .sign(key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (tmp_path / "server.pem").write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        pacs.encrypt(tmp_path / "server.pem")
        return tmp_path / "ca.pem"

    def test_an_unknown_one_is_refused_and_a_named_one_is_trusted(self, fetch, pacs, trusted, tmp_path):
        with pytest.raises(BadRequest, match="certificate is not trusted") as raised:
            fetch()
        assert "--ca-file" in raised.value.text() and not pacs.requests
        fetch(ca_file=trusted)
        assert is_complete(tmp_path)

    def test_a_file_that_holds_none(self, fetch, trusted):
        trusted.write_text("no certificate")
        with pytest.raises(BadRequest, match="certificate") as raised:
            fetch(ca_file=trusted)
        assert raised.value.next_step
