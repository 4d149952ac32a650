"""The page as a file: whole, safe, the same each time, and refused where its sources do not belong together."""

import base64
import hashlib
import json
import re

import pytest
from markupsafe import escape

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.report.html.build import gather
from dsn_saal.report.html.findings import MOST_ROWS, finding_view
from dsn_saal.report.html.flow import flow_view
from dsn_saal.report.html.items import figure_view
from dsn_saal.report.html.numbers import explained


@pytest.fixture(scope="module")
def text(lasting_page):
    return lasting_page.path.read_text()


def rewritten(path, change):
    held = json.loads(path.read_text())
    change(held)
    path.write_text(json.dumps(held))


def test_every_table_and_figure_stands_on_it_with_every_cell(lasting_page, text):
    for name, path in lasting_page.sources.tables.items():
        held = json.loads(path.read_text())
        assert f'id="all-table-{name}"' in text
        for panel in held["panels"]:  # what every row of a panel says alike stands in the panel's title
            rows = [held["rows"][place] for place in panel["rows"]] if panel.get("rows") else held["rows"]
            shown = [row[place] for row in rows for place in panel["columns"]]
            assert [cell for cell in shown if str(escape(cell)) not in text] == [], name
        assert all(str(escape(note)) in text for note in held["footnotes"])
    for name in lasting_page.sources.figures:
        assert f'id="figure-{name}"' in text


def test_it_names_no_address_no_path_of_this_machine_and_no_date(lasting_page, text):
    assert set(re.findall(r"""(?:src|href)="(?!#|data:)[^"]*""", text)) == set()
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    assert str(lasting_page.root) not in text and str(lasting_page.paper.fake.root) not in text
    assert not re.search(r"\b20\d\d-\d\d-\d\d", text)


def test_the_policy_names_the_very_script_and_style_that_it_holds(text):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    for tag in ("style", "script"):
        inline = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.S)
        assert len(inline) == 1
        digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy


def test_the_same_files_give_the_same_bytes(lasting_page):
    assert lasting_page.build("again.html").read_bytes() == lasting_page.path.read_bytes()


def test_behind_a_number_stands_the_array_that_its_networks_saw(lasting_page):
    held = explained(lasting_page.job, lasting_page.sources)["experiments"]
    seen = {name: [path for path, _ in one["files"] if path.endswith(".npy")] for name, one in held.items()}
    for name, paths in seen.items():
        array = "surroundings" if lasting_page.job.experiments[name].pixels == "surroundings" else "images"
        assert paths and all(path.endswith(f"/{array}.npy") for path in paths), name
    assert any(path.endswith("/surroundings.npy") for paths in seen.values() for path in paths)


def test_what_data_say_is_text_and_never_markup(page):
    made = page
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    rewritten(made.sources.tables["table2"], lambda held: held["rows"][0].__setitem__(0, evil))
    rewritten(
        made.sources.evaluated["resnet50_ce"] / "summary.json",
        lambda held: held["training"][0]["record"].update(device=evil),
    )
    text = made.build().read_text()
    assert evil not in text and text.count("<script") == 2 and "<img src=x" not in text
    assert str(escape(evil)) in text and "\\u003c/script\\u003e" in text


@pytest.fixture(scope="module")
def clinical_page(page_of, lasting_cohort, small_settings, tmp_path_factory):
    fake = lasting_cohort(origin="clinical", cases=(8, 9, 7), test_cases=3)
    return page_of(fake, small_settings(), tmp_path_factory.mktemp("clinical"))


def test_phantoms_are_called_so_and_clinical_data_are_not(clinical_page, text):
    assert 'class="phantom"' in text and "not a result about patients" in text
    clinical = clinical_page.build().read_text()
    assert 'class="phantom"' not in clinical and "not a result about patients" not in clinical


def test_what_no_file_answers_is_said_to_be_open_and_clinical_data_leave_more_open(clinical_page, lasting_page):
    def open_fields(made):
        held = gather(made.job, made.sources)
        cards = [held["model_card"], *held["datasheets"]]
        return {field.asks for card in cards for fields in card.values() for field in fields if field.answer is None}

    phantom, clinical = open_fields(lasting_page), open_fields(clinical_page)
    assert {"Licence of the weights", "External validation", "Subgroups (age, sex, scanner)"} <= phantom
    assert {"Ethics and consent", "Reference standard", "Age, sex, symptoms"} <= clinical - phantom


def test_open_fields_say_what_would_fill_them(lasting_page, text):
    held = gather(lasting_page.job, lasting_page.sources)
    for card in [held["model_card"], *held["datasheets"]]:
        for field in (field for fields in card.values() for field in fields):
            assert field.answer is not None or field.needs
    assert text.count("Not filled in.") > 5


def test_a_run_that_diverged_is_in_the_run_table_without_weights(page, cohort):
    made = page
    fake = cohort("other", cases=(8, 9, 7), test_cases=3)
    made.sources.evaluated["resnet50_ce"] = fake.evaluate("resnet50_ce", settings=made.settings, failed=(1,))
    runs = [run for run in gather(made.job, made.sources)["runs"] if run["experiment"] == "resnet50_ce"]
    assert [run["state"] for run in runs] == ["finished", "diverged in epoch 1", "finished"]
    assert runs[1]["weights"] is None and runs[1]["predictions"] is None and runs[0]["predictions"]


def test_a_run_whose_epochs_vote_shows_them_with_their_weights(page, cohort):
    made = page
    folder = cohort("other", cases=(8, 9, 7), test_cases=3).evaluate("self_trans", settings=made.settings)
    held = json.loads((folder / "summary.json").read_text())
    names = {"weights_epoch_006.safetensors": "6" * 64, "weights_epoch_007.safetensors": "7" * 64}
    entry = held["training"][1]
    entry["record"]["voting_epochs"], entry["earlier_weights_sha256"] = [6, 7, 8], names
    (folder / "summary.json").write_text(json.dumps(held))
    made.sources.evaluated["self_trans"] = folder
    runs = [run for run in gather(made.job, made.sources)["runs"] if run["experiment"] == "self_trans"]
    assert [run["earlier_weights"] for run in runs] == [{}, names, {}] and runs[1]["epoch"] == "6 to 8"


def test_predictions_other_than_those_measured_are_refused(page):
    made = page
    path = made.sources.evaluated["dsn_saal"] / "run-01" / "predictions.parquet"
    path.write_bytes((path.parent.parent / "run-00" / "predictions.parquet").read_bytes())
    with pytest.raises(CheckFailed, match="not those that were measured"):
        made.build()


@pytest.mark.parametrize("kind", ["tables", "figures", "evaluated", "ingested", "preprocessed", "proofs"])
def test_items_that_are_missing_or_too_many_are_refused_by_name(page, kind):
    made = page
    held = getattr(made.sources, kind)
    name, path = held.popitem()
    told = "/".join(name) if kind == "proofs" else name
    with pytest.raises(BadRequest, match=f"missing: {re.escape(told)}"):
        made.build()
    held |= {name: path, ("another", "split") if kind == "proofs" else "another": path}
    with pytest.raises(BadRequest, match="not wanted: another"):
        made.build()


def test_a_damaged_table_a_figure_that_is_none_and_a_missing_list_are_refused(page):
    made = page
    rewritten(made.sources.tables["table2"], lambda held: held.pop("panels"))
    with pytest.raises(CheckFailed, match="not the JSON of a table"):
        made.build()
    (made.sources.ingested["covid19_diag"] / "exclusions.csv").unlink()
    with pytest.raises(BadRequest, match="list of exclusions"):
        made.sources.exclusions  # noqa: B018
    made.sources.figures["figure4"].write_text("<html></html>")
    with pytest.raises(CheckFailed, match="not an SVG"):
        figure_view("figure4", made.sources.figures["figure4"], made.job.figures["figure4"], is_phantom=True)


def test_a_source_of_an_experiment_that_is_not_shown_opens_nothing(page):
    made = page
    rewritten(made.sources.tables["table3"], lambda held: held["sources"][0].__setitem__(1, "mean_sd gone f1.macro"))
    text = made.build().read_text()
    assert "gone f1.macro" not in text and 'data-source="mean_sd dsn_saal f1.macro"' in text


FLOW = {"files": 12, "excluded": {"not_dicom": 3, "localizer": 1}, "excluded_total": 4, "slices": 8, "series": 2,
        "cases": 0}  # fmt: skip
COUNTS = {"test": {"a": {"slices": 2, "cases": 0}}, "train": {"a": {"slices": 5, "cases": 1}}}


def test_the_flow_counts_what_was_left_out_and_draws_nothing_outside_its_frame():
    quality = {"slices": 8, "kept": 7}
    drawn = flow_view("set", "Set", {"a": "Class A"}, FLOW, quality, "by_case", {"counts": COUNTS})
    words = " | ".join(drawn["words"])
    for part in (
        "12 files found", "4 files left out:", "3 not dicom", "1 localizer", "8 slices read of 2 series of unknown",
        "1 slice without a lung mask left out", "7 slices preprocessed", "train: 5 slices; Class A: 5 of 1 case",
        "test: 2 slices; Class A: 2",
    ):  # fmt: skip
        assert part in words
    for box in drawn["boxes"]:
        assert box["left"] >= 0 and box["left"] + box["width"] <= drawn["width"]
        assert box["top"] + box["height"] <= drawn["height"]
        assert all(box["top"] < y < box["top"] + box["height"] for _, y, _ in box["texts"])
    tops = [(box["left"], box["top"], box["left"] + box["width"], box["top"] + box["height"]) for box in drawn["boxes"]]
    for i, (left, top, right, bottom) in enumerate(tops):
        assert not any(x < right and left < x2 and y < bottom and top < y2 for x, y, x2, y2 in tops[i + 1 :])


def test_any_other_file_of_numbers_becomes_tables_and_lists():
    held = {
        "n": 3,
        "nested": {"x": 0.123456, "rows": [{"a": 1, "b": None}, {"a": True, "c": [1, 2]}]},
        "names": ["p", "q"],
    }
    view = finding_view("some_thing", held)
    pairs, inner, rows, names = view["blocks"]
    assert view["title"] == "Some thing" and pairs["pairs"] == [("n", "3")] and inner["pairs"] == [("x", "0.1235")]
    assert rows["heads"] == ["a", "b", "c"] and rows["records"] == [["1", "–", "–"], ["yes", "–", "1, 2"]]
    assert names["lines"] == ["p", "q"]
    long = finding_view("long", [{"a": number} for number in range(MOST_ROWS + 1)])["blocks"][0]
    assert len(long["records"]) == MOST_ROWS and f"of {MOST_ROWS + 1}" in long["title"]


def test_a_finding_stands_on_the_page(page):
    made = page
    path = made.root / "findings" / "verdicts.json"
    path.parent.mkdir()
    claim = {"statement": "<i>better</i>", "table": "3", "verdict": "NOT COMPARABLE", "reason": "phantom data"}
    number = {"table": "3", "method": "m", "reported": {"value": 0.92, "sd": 0.01, "unit": "fraction"}, "verdict": "X"}
    times = {"NOT COMPARABLE": {"times": 1, "meaning": "other data"}}
    path.write_text(json.dumps({"claims": [claim], "numbers": [number], "verdicts": times}))
    made.sources.findings["verdicts"] = path
    text = made.build().read_text()
    assert (
        'id="finding-verdicts"' in text
        and "NOT COMPARABLE" in text
        and "&lt;i&gt;better" in text
        and "0.92 ± 0.01 fraction" in text
    )


def test_what_may_be_claimed_is_in_the_words_of_the_paired_comparison(page):
    """Two intervals that overlap say nothing of a paired difference: only the analysis of the difference may speak."""
    without = gather(page.job, page.sources)["claims"]
    page.sources.findings["comparisons"] = page.paper.analyses["comparisons"]
    compared = json.loads(page.paper.analyses["comparisons"].read_text())["families"]["table3"]["comparisons"][0]
    claims = gather(page.job, page.sources)["claims"]
    assert claims[0] == compared["claim"] and claims[-len(without) :] == without
    assert str(escape(compared["claim"])) in page.build().read_text()
