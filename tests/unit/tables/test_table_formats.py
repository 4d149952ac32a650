"""One table in four formats, marked by its origin in each."""

import csv
import json

import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.tables.cells import Cell, Source, read_sources, split_cells
from dsn_saal.tables.latex import latex_text
from dsn_saal.tables.table import Panel, Table, write_table_files


def make(origin="phantom", **change):
    fields = {
        "id": "t", "title": "Cells & more", "columns": ("a_b", "x", "y"),
        "rows": (("r|1", "0.9 ± 0.1", "–"), ("r2", "1", "2")),
        "footnotes": ("Ten % of it.",), "origin": origin, "align": "lrr",
    }  # fmt: skip
    return Table(**(fields | change))


def write(table, tmp_path):
    write_table_files(table, tmp_path / "t")
    return {path.suffix[1:]: path.read_text() for path in tmp_path.iterdir()}


def test_phantom_data_say_so_in_every_format(tmp_path):
    texts = write(make(), tmp_path)
    assert set(texts) == {"csv", "tex", "md", "json"}
    assert all("phantom" in text for text in texts.values())


def test_clinical_data_say_nothing_of_phantoms(tmp_path):
    assert not any("phantom" in text for text in write(make("clinical"), tmp_path).values())


def test_csv_and_json_hold_the_cells_as_they_are(tmp_path):
    texts, table = write(make(), tmp_path), make()
    rows = list(csv.reader(texts["csv"].splitlines()))
    assert rows[0] == ["a_b", "x", "y", "origin"] and rows[1] == ["r|1", "0.9 ± 0.1", "–", "phantom"]
    held = json.loads(texts["json"])
    assert held["rows"] == [list(row) for row in table.rows] and held["columns"] == ["a_b", "x", "y"]
    assert held["title"] == "Cells & more (phantom data)" and held["footnotes"] == ["Ten % of it."]


def test_markdown_escapes_pipes_and_keeps_footnotes(tmp_path):
    lines = write(make(), tmp_path)["md"].splitlines()
    assert "| r\\|1 | 0.9 ± 0.1 | – |" in lines and "| --- | ---: | ---: |" in lines and "Ten % of it." in lines


def test_latex_escapes_what_is_a_command(tmp_path):
    text = write(make(), tmp_path)["tex"]
    assert r"a\_b & x & y \\" in text and r"0.9 $\pm$ 0.1 & -- \\" in text and r"Cells \& more (phantom data)" in text
    assert r"Ten \% of it." in text and text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert latex_text("50% {x}_1 \\ ~^#$") == r"50\% \{x\}\_1 \textbackslash{} \textasciitilde{}\textasciicircum{}\#\$"


def test_latex_breaks_the_columns_into_panels(tmp_path):
    panels = (Panel("First", (0, 1)), Panel("Second", (0, 2)))
    text = write(make(panels=panels), tmp_path)["tex"]
    assert text.count(r"\begin{tabular}{lr}") == 2 and "r|1 & -- " in text and r"\emph{Second}" in text


def test_a_row_of_another_length_is_refused():
    with pytest.raises(BadRequest, match="as many cells"):
        make(rows=(("1", "2"),))


def test_where_a_cell_comes_from_stands_in_the_json_alone(tmp_path):
    lines = [("r", Cell("0.9 ± 0.1", Source("mean_sd", "exp_a", "f1.macro")), "–")]
    rows, sources = split_cells([*lines, ("r2", "1", Cell("+1", Source("difference", "exp_b", "f1.macro", "exp_a")))])
    texts = write(make(rows=rows, sources=sources), tmp_path)
    held = json.loads(texts["json"])
    assert held["rows"][0] == ["r", "0.9 ± 0.1", "–"]
    assert held["sources"] == [[None, "mean_sd exp_a f1.macro", None], [None, None, "difference exp_b f1.macro exp_a"]]
    assert read_sources(held["sources"]) == sources
    assert not any("exp_a" in texts[kind] for kind in ("csv", "tex", "md"))


def test_sources_of_another_shape_or_in_other_words_are_refused():
    with pytest.raises(BadRequest, match="as many sources"):
        make(sources=((None, None, None), (None,)))
    for words in ("mean exp f1.macro", "mean_sd exp", "mean_sd exp f1.macro a b"):
        with pytest.raises(CheckFailed, match="source of a number"):
            read_sources([[words]])
