"""The table of certificates says what leaks, and what somebody let pass."""

import json

import pytest

from dsn_saal.params.table_jobs import CertificatesTableJob
from dsn_saal.tables.certificates import make_table

NAME = "near_duplicate: a.png = b.png"


@pytest.fixture
def table(tmp_path):
    level = {"verdict": "PROVEN", "found": 0, "missing": 0, "findings": []}
    shared = {"verdict": "VIOLATED", "found": 1, "missing": 0, "findings": [{"name": NAME}]}
    levels = {"case": level, "near_duplicate": shared}
    certificate = {"verdict": "VIOLATED", "draws": 1, "label_conflicts_total": 1, "levels": levels}
    (tmp_path / "certificate.json").write_text(json.dumps(certificate))
    (tmp_path / "flow.json").write_text(json.dumps({"origins": {"clinical": 2}}))

    def make(accept):
        entry = {"title": "COVID19-CT", "protocols": ["official"], "accept": accept}
        job = CertificatesTableJob.model_validate_json(json.dumps({"datasets": {"covid_ct": entry}}))
        proofs = {"covid_ct/official": tmp_path / "certificate.json"}
        return make_table(job, certificates=proofs, flows={"covid_ct": tmp_path / "flow.json"})

    return make


def test_a_violated_split_is_called_accepted_only_where_every_finding_is(table):
    assert table([]).rows[0][-2] == "VIOLATED" == table(["case"]).rows[0][-2]
    assert table([NAME]).rows[0][-2] == "VIOLATED, accepted" == table(["near_duplicate"]).rows[0][-2]


def test_what_was_accepted_stands_below_the_table_by_name(table):
    assert f"COVID19-CT: accepted by the parameters is {NAME}." in table([NAME]).footnotes
    assert not [note for note in table([]).footnotes if "accepted by the parameters is" in note]
