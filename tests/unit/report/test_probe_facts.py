"""What the paper says of shortcuts, maps and other data sets."""

import json

import numpy as np
import pytest
from fake_probes import write_cam, write_cross

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.evaluate.summaries import read_summary
from dsn_saal.report.probes import even_reading, probe_facts, shortcut_reading

CHANCE = 1 / 3


@pytest.fixture
def facts(paper):
    def make(origin="phantom", **change):
        one = paper(origin, **change)
        summaries = {name: read_summary(path, name) for name, path in one.summaries.items()}
        return one, lambda: probe_facts(one.job, summaries, cams=one.cams, crosses=one.crosses), summaries

    return make


@pytest.mark.parametrize(
    ("runs", "cases", "told", "undone"),
    [
        ((0.4, 0.5), (0.35, 0.6), "SHORTCUT WARNING", False),
        ((0.4, 0.5), (0.3, 0.6), "SHORTCUT WARNING", True),
        ((0.3, 0.4), (0.3, 0.4), "tells nothing, as it should be", False),
        ((0.2, 0.3), (0.2, 0.4), "lies below it", True),
        ((0.2, 0.3), (0.2, 0.3), "lies below it", False),
        (None, (0.2, 0.3), "No interval", False),
    ],
)
def test_the_shortcut_is_read_by_its_interval_over_runs(runs, cases, told, undone):
    words = shortcut_reading(runs, cases, CHANCE)
    assert told in words and ("contain it" in words or "contains it" in words) == undone


def test_a_network_that_reads_the_surroundings_raises_the_warning(facts):
    one, make, summaries = facts()
    assert not make()["shortcut_warning"]
    name = one.settings.report.shortcut
    one.fake.evaluate(name, skill=4.0, settings=one.settings)
    summaries[name] = read_summary(one.summaries[name], name)
    held = make()
    values = summaries[name]["metrics"]["sensitivity.macro"]["values"]
    assert held["shortcut_warning"] and held["shortcut_sentence"].startswith("SHORTCUT WARNING")
    assert held["shortcut_recall"].startswith(f"{np.mean(values):.3f}") and held["shortcut_chance"] == "0.333"


def test_without_a_shortcut_experiment_nothing_is_said_of_it(facts):
    assert facts(report__shortcut=None)[1]()["has_shortcut"] is False


def test_shares_and_correlations_are_those_of_the_files(facts):
    one, make, _ = facts()
    words = make()["cam_methods"][0]["words"]
    for told in (
        "VGG-16, run 1",
        "14 × 14",
        "0.400 [0.300, 0.500]",
        "an even map would have 0.200",
        "favour the lungs",
    ):
        assert told in words
    assert "0.620 [0.520, 0.720] with the last layer" in make()["cam_sanity"]
    assert "−0.050 [−0.150, 0.050] with every layer" in make()["cam_sanity"] and not make()["cam_warning"]
    steps = json.loads(one.cams["dsn_saal"].read_text())["sanity"]
    steps["steps"][-1] |= {"mean": 0.4, "interval": [0.2, 0.6]}
    write_cam(one.cams["dsn_saal"], "dsn_saal", sanity=steps)
    assert make()["cam_warning"]


@pytest.mark.parametrize(
    ("bounds", "told"), [([0.3, 0.4], "so the maps favour"), ([0.1, 0.15], "avoid"), ([0.1, 0.3], "do not favour"),
                         (None, "too few")]
)  # fmt: skip
def test_an_even_map_is_what_a_share_is_held_against(bounds, told):
    assert told in even_reading({"interval": bounds, "even": 0.2})


def test_missing_weights_are_said_with_their_reason(facts):
    one, make, _ = facts()
    write_cam(one.cams["dsn_saal"], "dsn_saal", missing_because="no weights were kept (train.keep_weights)")
    write_cross(one.crosses["vgg16_bn_ce"], one.settings, "vgg16_bn_ce", missing_because="every run diverged", runs=[])
    held = make()
    assert held["cam_methods"][1]["words"] == "DSN-SAAL: no maps, no weights were kept (train.keep_weights)."
    assert held["cross_methods"][0]["words"] == "VGG-16 was not tested elsewhere: every run diverged."
    assert not held["cam_warning"]


def test_the_other_data_sets_are_set_beside_the_own(facts):
    words = facts()[1]()["cross_methods"][0]["words"]
    assert words == (
        "VGG-16 of COVID19-Diag ranks with an area of 0.900 ± 0.020 at home and of 0.500–0.800 on 4 other data sets."
    )


def test_foreign_and_missing_files_are_refused(facts):
    one, make, _ = facts()
    write_cam(one.cams["dsn_saal"], "vgg16_bn_ce")
    with pytest.raises(CheckFailed, match="not the maps of dsn_saal"):
        make()
    one.cams.pop("dsn_saal")
    with pytest.raises(BadRequest, match="missing"):
        make()


def test_the_paper_prints_the_warnings_and_the_numbers(paper):
    from pypdf import PdfReader

    one = paper()
    text = " ".join(" ".join(page.extract_text().split()) for page in PdfReader(one.build()).pages)
    for told in ("What the networks look at", "Shortcut probe", "an even map would have 0.200", "on 4 other data sets"):
        assert told in text
    assert "SHORTCUT WARNING" not in text
    one.fake.evaluate(one.settings.report.shortcut, skill=4.0, settings=one.settings)
    warned = " ".join(" ".join(page.extract_text().split()) for page in PdfReader(one.build("warned.pdf")).pages)
    assert "SHORTCUT WARNING" in warned
