"""Tables of comparisons and of levels print what the analyses hold, and a dash where they hold nothing."""

import json

import pytest

from dsn_saal.analyse import comparisons, levels
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.params.analyse_jobs import analyse_job
from dsn_saal.params.table_jobs import table_job
from dsn_saal.statistics import printed
from dsn_saal.storage.atomic import write_json
from dsn_saal.tables import comparisons as comparisons_table
from dsn_saal.tables import levels as levels_table

PAIR = ["vgg16_bn_ce", "dsn_saal"]


@pytest.fixture
def made(cohort, small_settings, tmp_path):
    def make(name, failed=()):
        fake = cohort(cases=(8, 9, 7), test_cases=3)
        families = {"table3": {"kind": "against", "reference": "dsn_saal"}}
        settings = small_settings(report__table3=PAIR, analyse__families=families)
        folders = {row: fake.evaluate(row, skill=1 + place, seed=place, settings=settings,
                                      failed=failed if row == "dsn_saal" else ())
                   for place, row in enumerate(PAIR)}  # fmt: skip
        room = {"comparisons": comparisons, "levels": levels}[name]
        write_json(tmp_path / "a.json", room.analyse(analyse_job(settings, name), predictions=folders))
        make_table = {"comparisons": comparisons_table, "levels": levels_table}[name].make_table
        return make_table(table_job(settings, name), analysis=tmp_path / "a.json"), json.loads(
            (tmp_path / "a.json").read_text()
        )

    return make


def test_a_comparison_is_a_row_of_all_metrics(made):
    table, held = made("comparisons")
    one = held["families"]["table3"]["comparisons"][0]
    assert table.rows[0][0] == "Table 3: DSN-SAAL − VGG-16" and len(table.rows) == 1
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["ACC Δ"].startswith(printed.signed(one["difference"]["mean"]))
    assert cells["ACC 95 % over cases"] == printed.signed_interval(one["difference"]["interval"])
    assert cells["ACC p seeds"] == printed.metric(one["p_seeds"]) and cells["G-mean Holm"] != "–"
    assert [panel.title for panel in table.panels] == ["ACC (right/all)", "F1 (macro)", "G-mean (product of recalls)"]
    assert any("3 in Table 3" in note for note in table.footnotes)
    assert any("smallest p seeds that so many runs can give is 0.250" in note for note in table.footnotes)


def test_what_diverged_is_a_dash_with_its_reason(made):
    table, _ = made("comparisons", failed=(0, 1, 2))
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert (
        cells["ACC Δ"] == cells["ACC p seeds"] == cells["ACC higher in"] == "–" and cells["ACC reading"] == "undefined"
    )
    assert "–: all 3 runs of DSN-SAAL diverged." in table.footnotes


def test_levels_stand_in_the_papers_order_of_metrics(made):
    table, held = made("levels")
    heads = [column for column in table.columns if column.endswith("95 %")]
    assert heads == ["ACC 95 %", "F1 95 %", "G-mean 95 %", "AUC 95 %"]
    assert [row[1] for row in table.rows] == ["slice", "slice, case-weighted", "case"] * 2
    at = held["experiments"][1]["levels"]["case"]
    cells = dict(zip(table.columns, table.rows[5], strict=True))
    assert cells["ACC right/all"].startswith(printed.metric(at["metrics"]["accuracy.overall"]["mean"]))
    assert cells["named rightly: COVID-19"].endswith(printed.interval(at["recognised"]["covid19"]["wilson"]))
    shown = sorted({place for panel in table.panels for place in panel.columns})
    assert shown == list(range(len(table.columns)))


def test_levels_of_what_diverged_are_dashes(made):
    table, _ = made("levels", failed=(0, 1, 2))
    assert set(table.rows[3][2:]) == {"–"} and "3 of 3 runs of DSN-SAAL diverged." in table.footnotes


def test_another_analysis_is_refused(made, tmp_path, small_settings):
    made("levels")
    with pytest.raises(CheckFailed, match="not the analysis comparisons"):
        comparisons_table.make_table(table_job(small_settings(), "comparisons"), analysis=tmp_path / "a.json")
