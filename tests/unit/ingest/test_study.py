"""Several series of one study: the declared rule chooses, and everything is said in series.csv."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from fake_dicom import enhanced_ct_file, thorax, write_ct
from hypothesis import given
from hypothesis import strategies as st

from dsn_saal.ingest.dicom.study import RULES, SeriesRule, settle
from dsn_saal.ingest.manifest import SERIES_COLUMNS
from dsn_saal.ingest.stage import ingest_tree
from dsn_saal.storage.tables import read_table

HU, _ = thorax(32)
LUNG_FIRST = SeriesRule("one_per_study", 5.0, ("lung", "soft"))
_shift = itertools.count()


def write_series(folder, uid, *, z=(0, 5), start=1, **tags):
    """Slices at positions `z` with growing numbers; every slice has pixels of its own."""
    for number, place in enumerate(z, start):
        defaults = {"SeriesInstanceUID": uid, "InstanceNumber": number}
        write_ct(folder / f"{uid}-{number:03d}.dcm", HU + np.int16(next(_shift) % 50), z=place, **(defaults | tags))


@pytest.fixture
def ingested(source, reader, tmp_path):
    """Ingests what the source holds; a second class is there so that none is empty."""

    def run(rule=LUNG_FIRST, **change):
        write_series(source / "normal", "1.9.9", z=(0,), PatientID="N1", StudyInstanceUID="1.9")
        counts = ingest_tree(
            reader(series=rule, **change), tmp_path / "out", workers=1, progress=lambda items, total: items
        )
        series = pd.read_csv(tmp_path / "out" / "series.csv", dtype=str, keep_default_na=False)
        assert tuple(series.columns) == SERIES_COLUMNS
        manifest = read_table(tmp_path / "out" / "manifest.parquet")
        assert set(manifest["series"]) == set(series.query("taken == 'yes'")["series"])
        assert counts["files"] == counts["slices"] + counts["excluded_total"]
        return counts, series.query("class_name == 'covid19'"), manifest.query("class_name == 'covid19'")

    return run


@pytest.mark.parametrize(
    ("chosen", "other", "rule"),
    [
        ({"SliceThickness": 4}, {"SliceThickness": 7, "ConvolutionKernel": "B70s", "z": (0, 5, 10)}, "thickness"),
        ({"SliceThickness": 8}, {"SliceThickness": None, "z": (0, 5, 10)}, "thickness"),
        ({"ConvolutionKernel": "B70s"}, {"ConvolutionKernel": "B31f", "z": (0, 5, 10)}, "kernel"),
        ({"ConvolutionKernel": "B31f"}, {"ConvolutionKernel": "Canary", "z": (0, 5, 10)}, "kernel"),
        ({"SliceThickness": 4.9999, "z": (0, 5, 10)}, {"SliceThickness": 5}, "slices"),
        ({"z": (0, 5, 10)}, {}, "slices"),
    ],
)
def test_the_rule_chooses(source, ingested, chosen, other, rule):
    for names in (("1.1", "1.2"), ("1.2", "1.1")):  # neither name nor hash may matter
        for path in source.rglob("*.dcm"):
            path.unlink()
        write_series(source / "covid19", names[0], **chosen)
        write_series(source / "covid19", names[1], **other)
        counts, series, manifest = ingested()
        taken, passed = (series.query(f"taken == '{word}'").iloc[0] for word in ("yes", "no"))
        assert int(taken["slices"]) == len(manifest) == len(chosen.get("z", (0, 5)))
        assert taken["why"] == "chosen out of 2"
        assert passed["why"] == f"another series of the study goes before it by {rule}"
        assert counts["excluded"] == {"OTHER_SERIES": len(other.get("z", (0, 5)))}
        assert counts["findings"]["series"] == {"found": 3, f"passed over by {rule}": 1}


def test_params_say_which_kernel_and_thickness_go_first(source, ingested):
    write_series(source / "covid19", "1.1", ConvolutionKernel="B70s", SliceThickness=1)
    write_series(source / "covid19", "1.2", ConvolutionKernel="B31f", SliceThickness=1)
    write_series(source / "covid19", "1.3", ConvolutionKernel="B31f", SliceThickness=5)
    _, _, manifest = ingested(SeriesRule("one_per_study", 1.0, ("soft",)))
    assert manifest["kernel"].unique().tolist() == ["B31f"] and manifest["thickness_mm"].unique().tolist() == [1.0]
    _, _, manifest = ingested(SeriesRule("one_per_study", 1.0, ("lung", "soft")))
    assert manifest["kernel"].unique().tolist() == ["B70s"]


def test_equal_series_are_told_apart_by_their_hash_alone(source, ingested):
    write_series(source / "covid19", "1.1")
    write_series(source / "covid19", "1.2")
    _, series, _ = ingested()
    assert series.sort_values("series")["taken"].tolist() == ["yes", "no"]
    assert series.query("taken == 'no'")["why"].item().endswith(RULES[-1])


def test_all_series_are_read_where_params_say_so(source, ingested):
    write_series(source / "covid19", "1.1")
    write_series(source / "covid19", "1.2", z=(0, 5, 10))
    counts, series, manifest = ingested(SeriesRule("all", 5.0, ("lung", "soft")))
    assert len(manifest) == 5 and counts["excluded"] == {}
    assert set(series["why"]) == {"all series are read"}


def test_each_study_keeps_one_and_series_of_unknown_studies_belong_to_their_case(source, ingested):
    for number, study in enumerate(("1.5", "1.5", "1.6", None, ""), 1):
        write_series(source / "covid19", f"1.{number}", z=tuple(range(0, 5 * number, 5)), StudyInstanceUID=study)
    write_series(source / "covid19", "1.8", PatientID="P2", StudyInstanceUID=None)
    counts, series, _ = ingested()
    assert sorted(series.query("taken == 'yes'")["slices"]) == ["2", "2", "3", "5"]
    assert counts["findings"]["identifiers"]["StudyInstanceUID: empty"] == 4 + 5 + 2


def test_passed_over_files_say_by_which_rule_and_quote_nothing(source, ingested, tmp_path):
    write_series(source / "covid19", "1.1", SliceThickness=5)
    write_series(source / "covid19", "1.2", SliceThickness=1.23, ConvolutionKernel="Canary")
    ingested()
    exclusions = pd.read_csv(tmp_path / "out" / "exclusions.csv")
    assert exclusions["reason"].tolist() == ["OTHER_SERIES"] * 2
    assert exclusions["detail"].str.contains("by thickness").all()
    assert "Canary" not in (tmp_path / "out" / "series.csv").read_text()


@pytest.mark.parametrize(
    ("slices", "column", "value", "finding"),
    [
        ({"z": (0, 5, 10, 20, 25)}, "gaps", "1", "with gaps"),
        ({"z": (0, 5, 5, 10)}, "overlaps", "1", "with several slices in one place"),
        ({"z": (15, 10, 5, 0)}, "order", "descending", "numbered against position"),
        ({"z": (0, 10, 5, 15)}, "order", "shuffled", "shuffled"),
        ({"InstanceNumber": None}, "order", "missing", "without numbers"),
        ({"InstanceNumber": ""}, "order", "missing", "without numbers"),
        ({"z": (0, 5, 11, 16)}, "mixed", "spacing", "mixed spacing"),
    ],
)
def test_odd_series_are_named(source, ingested, slices, column, value, finding):
    write_series(source / "covid19", "1.1", **slices)
    counts, series, manifest = ingested()
    assert series[column].item() == value
    assert counts["findings"]["geometry"] == {finding: 1}
    assert manifest["z_mm"].is_monotonic_increasing, "the position orders, the number never does"


def test_a_malformed_number_costs_no_slice(source, ingested):
    write_series(source / "covid19", "1.1", start=1234)
    path = source / "covid19" / "1.1-1234.dcm"
    path.write_bytes(path.read_bytes().replace(b"IS\x04\x001234", b"IS\x04\x0012a4"))
    _, series, manifest = ingested()
    assert len(manifest) == 2 and series["order"].item() == "missing"


def test_a_series_that_does_not_hold_together_is_named(source, ingested):
    write_series(source / "covid19", "1.1", z=(0, 5))
    angle = np.radians(10)
    write_series(
        source / "covid19", "1.1", z=(10, 15), start=3, PixelSpacing=[0.8, 0.8], SliceThickness=3,
        ConvolutionKernel="B70s", Manufacturer="GE", ImageOrientationPatient=[1, 0, 0, 0, np.cos(angle), np.sin(angle)],
    )  # fmt: skip
    write_ct(source / "covid19" / "big.dcm", thorax(64)[0], z=20, SeriesInstanceUID="1.1", InstanceNumber=9)
    counts, series, manifest = ingested()
    assert {"pixel_spacing", "matrix", "thickness", "kernel", "manufacturer", "orientation"} <= set(
        series["mixed"].item().split()
    )
    assert counts["findings"]["geometry"]["mixed matrix"] == 1
    assert sorted(manifest["tilt_deg"].round(2)) == [0.0, 0.0, 0.0, 10.0, 10.0]


def test_identifiers_that_are_none_are_counted_and_stay_unknown(source, ingested):
    write_series(source / "covid19", "1.1", z=(0, 5), SOPInstanceUID="")
    write_series(source / "covid19", "1.1", z=(10,), start=3, SOPInstanceUID="7afb0d48-ec01-4941-9a50")
    write_series(source / "covid19", "1.1", z=(15,), start=4, SOPInstanceUID="1." + "2" * 70)
    write_series(source / "covid19", "1.1", z=(20,), start=5, SOPInstanceUID="1.02.3")
    write_series(source / "covid19", "1.1", z=(25, 30), start=6, SOPInstanceUID="1.2.77")
    counts, _, manifest = ingested()
    assert sorted(manifest["sop"] == "") == [False] * 5 + [True] * 2
    assert counts["findings"]["identifiers"] == {
        "SOPInstanceUID: empty": 2, "SOPInstanceUID: not digits and dots": 1, "SOPInstanceUID: too long": 1,
        "SOPInstanceUID: leading zero": 1, "SOPInstanceUID: of another slice": 1,
    }  # fmt: skip


def test_frames_of_one_file_are_a_series_like_any_other(source, reader, tmp_path):
    """Two frames lie in one place with the same pixels: one of them is a copy, and the file stays."""
    places = (0, 5, 5, 15)
    file = enhanced_ct_file(
        [HU + np.int16(place) for place in places], SeriesInstanceUID="1.1", InstanceNumber=1,
        own={
            number: {"PlanePositionSequence": {"ImagePositionPatient": [-100, -100, place]}}
            for number, place in enumerate(places)
        },
    )  # fmt: skip
    (source / "covid19").mkdir()
    file.save_as(source / "covid19" / "frames.dcm", enforce_file_format=True)
    write_series(source / "covid19", "1.2", z=(0,), SliceThickness=4)
    write_series(source / "normal", "1.9.9", z=(0,), PatientID="N1", StudyInstanceUID="1.9")
    out = tmp_path / "frames"
    ingest_tree(reader(series=LUNG_FIRST), out, workers=1, progress=lambda items, total: items)
    series = pd.read_csv(out / "series.csv", dtype=str, keep_default_na=False).query("class_name == 'covid19'")
    taken = series.query("taken == 'yes'").iloc[0]
    assert (taken["slices"], taken["order"], taken["spacing_mm"], taken["gaps"]) == ("3", "ascending", "7.5", "0")
    exclusions = pd.read_csv(out / "exclusions.csv").set_index("reason")["detail"]
    assert exclusions["DUPLICATE"].startswith("frame 2: same series, position and pixels")
    assert sorted(read_table(out / "manifest.parquet").query("label == 0")["frame"]) == [0, 1, 3]


@st.composite
def slices(draw):
    """Rows as the reader gives them, of few cases, studies, series, places and pixels, so that they often meet."""
    few = st.integers(0, 2)
    case, thickness, kernel = (
        draw(few),
        draw(st.sampled_from([1.0, 5.0, float("nan")])),
        draw(st.sampled_from(["", "B70s"])),
    )
    place = float(draw(few))
    return {
        "case": f"c{case}", "label": draw(st.sampled_from([0, 0, 0, 1])), "class_name": "k", "study": f"s{draw(few)}",
        "series": f"r{draw(few)}", "sop": draw(st.sampled_from(["", "p", "q"])), "z_mm": place,
        "position_mm": (0.0, 0.0, place), "cosines": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), "spacing_row_mm": 0.7,
        "spacing_col_mm": 0.7, "rows": 32, "columns": 32, "thickness_mm": thickness, "kernel": kernel,
        "manufacturer": "", "instance": draw(st.sampled_from([None, 1, 2])), "uid_faults": {},
        "pixel_sha256": f"x{draw(few)}", "path": "",
    }  # fmt: skip


@given(st.lists(slices(), max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_files_come_changes_nothing(rows, random):
    rows = [row | {"path": f"{number:02d}"} for number, row in enumerate(rows)]
    shuffled = random.sample(rows, len(rows))
    one, other = settle(rows, LUNG_FIRST), settle(shuffled, LUNG_FIRST)

    def ordered(settled):
        excluded = sorted((path, why.reason, why.detail) for path, why in settled.exclusions)
        return sorted(row["path"] for row in settled.rows), excluded, settled.series, settled.findings

    assert repr(ordered(one)) == repr(ordered(other))
    assert sorted(path for path, _ in one.exclusions) + sorted(row["path"] for row in one.rows) == sorted(
        (row["path"] for row in rows), key=lambda path: (path in {row["path"] for row in one.rows}, path)
    ), "every file is taken in or left out, once"
    taken = [(entry["case"], entry["study"]) for entry in one.series if entry["taken"] == "yes"]
    assert len(taken) == len(set(taken)) == len({(entry["case"], entry["study"]) for entry in one.series})
