"""The table of what alpha and beta do."""

import json

import pytest

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.table_jobs import table_job
from dsn_saal.statistics.effective_number import weight_ratio
from dsn_saal.tables.ablation import make_table
from dsn_saal.tables.cells import Source
from dsn_saal.tables.table import to_markdown

NAMES = ["dsn_saal", "dsn_saal_informed"]


@pytest.fixture
def study(cohort, small_settings):
    fake, settings = cohort(), small_settings(report__saal_ablation=NAMES)
    summaries = {name: fake.evaluate(name, skill=1 + n, seed=n) / "summary.json" for n, name in enumerate(NAMES)}
    training = {name: fake.train(name, ends=((0.5,), (0.9, 0.999, 0.99))[n]) for n, name in enumerate(NAMES)}
    return table_job(settings, "saal_ablation"), summaries, training


def column(table, head):
    return [row[table.columns.index(head)] for row in table.rows]


def test_what_was_learnt_is_the_mean_and_the_range_over_runs(study):
    job, summaries, training = study
    table = make_table(job, summaries=summaries, training=training)
    assert column(table, "variant") == ["DSN-SAAL", "DSN-SAAL, informed start"]
    assert column(table, "alpha, end") == ["0.50000", "0.96300 [0.90000, 0.99900]"]
    ratios = [float(weight_ratio(alpha, (9, 19, 7))) for alpha in (0.9, 0.999, 0.99)]
    expected = f"{sum(ratios) / 3:.3f} [{min(ratios):.3f}, {max(ratios):.3f}]"
    assert column(table, "largest / smallest weight, end")[1] == expected


def test_differences_are_paired_by_run_with_the_first_row(study):
    job, summaries, training = study
    table = make_table(job, summaries=summaries, training=training)
    values = [json.loads(summaries[name].read_text())["metrics"]["sensitivity.macro"]["values"] for name in NAMES]
    paired = [after - before for before, after in zip(*values, strict=True)]
    mean = sum(paired) / 3
    first, second = column(table, "Δ macro recall")
    assert first == "–" and second.startswith(f"{mean:+.3f}".replace("-", "−"))
    assert second.endswith(f"({sum(value > 0 for value in paired)} of 3)")
    assert column(table, "SEN COVID-19")[0].count("±") == 1


def test_footnotes_say_from_which_alpha_on_and_that_the_data_are_phantoms(study):
    job, summaries, training = study
    text = to_markdown(make_table(job, summaries=summaries, training=training))
    assert "9, 19 and 7 training images" in text and "their ratio goes to 2.714" in text
    assert "phantom data" in text and "over 3 runs" in text and "Scale demo" in text


def test_panels_hold_every_column_once_beside_the_variant(study):
    job, summaries, training = study
    table = make_table(job, summaries=summaries, training=training)
    shown = [place for panel in table.panels for place in panel.columns if place]
    assert shown == list(range(1, len(table.columns)))


def test_a_variant_without_its_training_is_refused(study):
    job, summaries, training = study
    training.pop("dsn_saal")
    with pytest.raises(BadRequest, match="missing: dsn_saal\n  where: --training"):
        make_table(job, summaries=summaries, training=training)


def test_differences_name_both_experiments(study):
    job, summaries, training = study
    table = make_table(job, summaries=summaries, training=training)
    place = table.columns.index("Δ macro recall")
    assert [line[place] for line in table.sources] == [
        None, Source("difference", "dsn_saal_informed", "sensitivity.macro", "dsn_saal"),
    ]  # fmt: skip
