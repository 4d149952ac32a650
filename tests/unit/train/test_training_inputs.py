import numpy as np
import pandas as pd
import pytest
from tiny_experiment import settings

from dsn_saal.cli import main
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.train.inputs import require_certificate, training_slices


def test_proven_and_unprovable_splits_may_train(place):
    here = place()
    require_certificate(here.certificate, ())
    here.write_certificate("UNPROVABLE", case="PROVEN", study="UNPROVABLE")
    require_certificate(here.certificate, ())


def test_violated_split_trains_only_where_each_finding_is_accepted_by_name(place):
    here = place()
    here.write_certificate("VIOLATED", case="PROVEN", series="VIOLATED", pixel="VIOLATED")
    for accepted in ((), ("pixel",), ("series",), ("pixel", "series: a"), ("case",)):
        with pytest.raises(CheckFailed, match=r"2 at (series|pixel) level, first"):
            require_certificate(here.certificate, accepted)
    assert require_certificate(here.certificate, ("pixel", "series")) == []
    assert require_certificate(here.certificate, ("pixel", "series: b", "series: a")) == []
    assert require_certificate(here.certificate, ("pixel", "series", "sop", "file: x")) == ["sop", "file: x"]
    here.write_certificate("VIOLATED", case="PROVEN")
    with pytest.raises(CheckFailed, match="contradicts itself"):
        require_certificate(here.certificate, ("case",))


def test_job_refuses_a_violated_split_and_accepts_it_by_name_and_says_so(place, capsys):
    here = place()
    here.write_certificate("VIOLATED", pixel="VIOLATED")
    with pytest.raises(CheckFailed, match="pixel"):
        here.train(deep=False)
    assert not here.out.exists() and not here.state.exists()
    accepted = here.train(deep=False, accept=["pixel"])
    assert "accept allows it: pixel" in "".join(capsys.readouterr())
    assert accepted == place("proven").train(deep=False)
    assert "accept allows it" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"verdict": "PROVEN", "levels": ["case"]}'])
def test_what_is_no_certificate_is_refused(place, text):
    here = place()
    here.certificate.write_text(text)
    with pytest.raises(BadRequest, match="not a certificate"):
        require_certificate(here.certificate, ())
    here.certificate.unlink()
    with pytest.raises(BadRequest, match="no certificate"):
        require_certificate(here.certificate, ())


def test_training_rows_are_in_the_order_of_the_images_whatever_the_table_s(place):
    here = place()
    table = pd.DataFrame(
        {"row": [9, 2, 5], "case": "c", "label": [2, 0, 1], "draw": 0, "part": ["train", "train", "test"]}
    )
    here.write_split(table)
    part = training_slices(here.split, 0)
    rows, labels = part.rows, part.labels
    assert rows.tolist() == [2, 9] and labels.tolist() == [0, 2] and rows.dtype == np.int64
    here.write_split(table.assign(part="test"))
    with pytest.raises(CheckFailed, match="no training slice"):
        training_slices(here.split, 0)
    here.write_split(table.drop(columns="label"))
    with pytest.raises(BadRequest, match="columns are missing"):
        training_slices(here.split, 0)


def test_class_without_training_images_stops_the_job(place):
    here = place()
    table = pd.DataFrame({"row": [0, 1, 8], "case": "c", "label": [0, 0, 1], "draw": 0, "part": "train"})
    here.write_split(table)
    with pytest.raises(CheckFailed, match="bacterial_pneumonia"):
        here.train()


def test_command_line_trains_and_says_what_is_wrong_by_exit_code(place, capsys):
    here = place()
    assert main([*here.arguments(), "--settings", settings(deep=False)]) == 0
    said = capsys.readouterr()
    assert "tiny: run 1/1 finished" in said.err and said.out == "" and (here.out / "SHA256SUMS").exists()
    here.write_certificate("VIOLATED", case="VIOLATED")
    assert main([*here.arguments(), "--settings", settings(deep=False)]) == 1
    assert main([*here.arguments(), "--settings", settings(deep=False, epochs=0)]) == 2
    (here.images / "images.npy").unlink()
    here.write_certificate("PROVEN", case="PROVEN")
    assert main([*here.arguments(), "--settings", settings(deep=False)]) == 2
    assert "dsn-saal preprocess" in capsys.readouterr().err
