"""Table 2 from index and split."""

import pandas as pd
import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.table_jobs import table_job
from dsn_saal.storage.tables import write_table
from dsn_saal.tables.cohort import make_table


def table_of(fake, settings):
    return make_table(
        table_job(settings, "table2"), index=fake.index_path, split=fake.split, certificate=fake.certificate
    )


@pytest.fixture
def papers_cohort(tmp_path):
    """The paper's own Table 2: cases and slices per class and part."""
    rows = []
    counts = [((43, 1256), (18, 513)), ((67, 2674), (28, 1150)), ((48, 980), (21, 409))]
    for label, parts in enumerate(counts):
        for part, (cases, slices) in zip(("train", "test"), parts, strict=True):
            rows += [(f"{label}{part}{number % cases}", label, part) for number in range(slices)]
    table = pd.DataFrame(rows, columns=["case", "label", "part"])
    table.insert(0, "row", range(len(table)))
    write_table(tmp_path / "index.parquet", table.drop(columns="part").assign(origin="phantom", empty=False))
    write_table(tmp_path / "split.parquet", table.assign(draw=0))
    (tmp_path / "certificate.json").write_text('{"verdict": "PROVEN"}')
    return tmp_path


def test_the_papers_cohort_gives_the_papers_table(papers_cohort, small_settings):
    table = make_table(
        table_job(small_settings(), "table2"), index=papers_cohort / "index.parquet",
        split=papers_cohort / "split.parquet", certificate=papers_cohort / "certificate.json",
    )  # fmt: skip
    assert table.rows == (
        ("COVID-19", "43", "18", "61", "1256", "513", "1769", "29.0", "71.0 %"),
        ("Normal", "67", "28", "95", "2674", "1150", "3824", "40.3", "69.9 %"),
        ("Bacterial pneumonia", "48", "21", "69", "980", "409", "1389", "20.1", "70.6 %"),
        ("all", "158", "67", "225", "4910", "2072", "6982", "31.0", "70.3 %"),
    )
    assert "55.5 %" in table.footnotes[1] and "PROVEN" in table.footnotes[0]


def test_title_says_phantom_only_of_phantoms(cohort, small_settings):
    assert "(phantom data)" in table_of(cohort(), small_settings()).heading
    clinical = cohort("other", origin="clinical")
    assert "phantom" not in table_of(clinical, small_settings()).heading


def test_slices_without_lungs_are_counted_in_a_footnote(cohort, small_settings):
    fake = cohort()
    write_table(fake.index_path, fake.index.assign(empty=fake.index["row"] < 2))
    assert any(note.startswith("2 slices without a lung mask") for note in table_of(fake, small_settings()).footnotes)


def test_a_split_of_another_index_is_refused(cohort, small_settings):
    fake = cohort()
    write_table(fake.split, pd.read_parquet(fake.split).assign(label=0))
    with pytest.raises(CheckFailed, match="do not belong together"):
        table_of(fake, small_settings())


def test_a_class_without_slices_is_refused(cohort, small_settings):
    fake = cohort()
    kept = pd.read_parquet(fake.split).query("label != 1")
    write_table(fake.split, kept)
    with pytest.raises(CheckFailed, match="a class has no slice"):
        table_of(fake, small_settings())


def test_a_missing_or_damaged_certificate_is_refused(cohort, small_settings):
    fake = cohort()
    fake.certificate.write_text("{}")
    with pytest.raises(CheckFailed, match="damaged"):
        table_of(fake, small_settings())
    fake.certificate.unlink()
    with pytest.raises(BadRequest, match="no certificate"):
        table_of(fake, small_settings())
