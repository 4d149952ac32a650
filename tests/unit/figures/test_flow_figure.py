"""Figure 1: stages from a graph of rules, and what is drawn of it."""

import itertools
import json
import random

import pytest
from matplotlib.figure import Figure

from dsn_saal.domain.errors import BadRequest
from dsn_saal.figures import flow
from dsn_saal.params.figure_jobs import figure_job

GRAPH = {
    "rules": {
        "all": {"stage": "Snakefile", "jobs": 1}, "manifest": {"stage": "manifest", "jobs": 3},
        "ingest": {"stage": "ingest", "jobs": 5}, "train": {"stage": "train", "jobs": 36},
        "evaluate": {"stage": "evaluate", "jobs": 36}, "metrics": {"stage": "evaluate", "jobs": 1},
    },
    "edges": [["ingest", "train"], ["train", "evaluate"], ["ingest", "evaluate"], ["evaluate", "metrics"],
              ["metrics", "all"], ["manifest", "all"], ["train", "manifest"]],
}  # fmt: skip


def words(monkeypatch, graph, settings, tmp_path):
    drawn = []
    monkeypatch.setattr(flow, "write_figure_files", lambda figure, out: drawn.append(figure))
    flow.draw_figure(figure_job(settings, "figure1"), graph=json.dumps(graph), out=tmp_path / "f")
    figure: Figure = drawn[0]
    return [text.get_text() for text in figure.axes[0].texts], figure


def test_each_stage_stands_after_those_it_reads_with_its_rules_and_jobs():
    stages = flow.read_stages(json.dumps(GRAPH))
    assert [(stage.name, dict(stage.rules), stage.reads) for stage in stages] == [
        ("ingest", {"ingest": 5}, ()),
        ("train", {"train": 36}, ("ingest",)),
        ("evaluate", {"evaluate": 36, "metrics": 1}, ("ingest", "train")),
    ]


def test_every_rule_and_number_is_in_the_drawing(monkeypatch, small_settings, tmp_path):
    seen, _ = words(monkeypatch, GRAPH, small_settings(), tmp_path)
    for told in ("ingest\n5 jobs", "train\n36 jobs", "metrics\n1 job", "reads ingest, train"):
        assert told in seen
    assert any(text.startswith("78 jobs at scale demo") for text in seen)
    assert not any("manifest" in text for text in seen)


def test_a_changed_graph_is_drawn_otherwise(small_settings, tmp_path):
    job = figure_job(small_settings(), "figure1")
    flow.draw_figure(job, graph=json.dumps(GRAPH), out=tmp_path / "a")
    flow.draw_figure(job, graph=json.dumps(GRAPH), out=tmp_path / "b")
    fewer = {**GRAPH, "edges": GRAPH["edges"][:2]}
    flow.draw_figure(job, graph=json.dumps(fewer), out=tmp_path / "c")
    pictures = [(tmp_path / f"{name}.svg").read_bytes() for name in "abc"]
    assert pictures[0] == pictures[1] != pictures[2]


def reach(edges):
    """Who reaches whom, by brute force."""
    reached = set(edges)
    while True:
        more = {(a, d) for (a, b), (c, d) in itertools.product(reached, reached) if b == c} - reached
        if not more:
            return reached
        reached |= more


@pytest.mark.parametrize("seed", range(20))
def test_reduced_edges_reach_the_same_and_none_can_be_spared(seed):
    dice = random.Random(seed)
    edges = {(str(a), str(b)) for a, b in itertools.combinations(range(7), 2) if dice.random() < 0.5}
    kept = flow.reduced(edges)
    assert kept <= edges and reach(kept) == reach(edges)
    assert all(reach(kept - {edge}) != reach(edges) for edge in kept)
    layers = flow.layers_of({node for edge in edges for node in edge}, edges)
    assert all(layers[start] < layers[end] for start, end in edges)
    assert all(layer == 0 or any(end == node and layers[start] == layer - 1 for start, end in edges)
               for node, layer in layers.items())  # fmt: skip


@pytest.mark.parametrize("graph", ["", "[]", '{"rules": {}}', '{"rules": {"a": {}}, "edges": []}'])
def test_what_is_no_graph_is_refused(graph):
    with pytest.raises(BadRequest, match="not a graph of rules"):
        flow.read_stages(graph)


def test_a_circle_is_refused():
    with pytest.raises(BadRequest, match="in a circle"):
        flow.layers_of({"a", "b"}, {("a", "b"), ("b", "a")})
