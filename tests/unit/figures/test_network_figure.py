"""Figure 2: what the network says of itself is what is drawn."""

import json

import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures import network
from dsn_saal.params.figure_jobs import figure_job
from dsn_saal.params.probe_jobs import network_job
from dsn_saal.probe.network import probe_network


@pytest.fixture
def described(small_settings, tmp_path):
    settings = small_settings(network__width=0.125)
    probe_network(network_job(settings), tmp_path / "network.json")
    return figure_job(settings, "figure2"), tmp_path / "network.json"


def words(monkeypatch, described):
    drawn = []
    monkeypatch.setattr(network, "write_figure_files", lambda figure, out: drawn.append(figure))
    network.draw_figure(described[0], network=described[1], out=described[1].with_name("f"))
    return [text.get_text() for text in drawn[0].axes[0].texts]


def test_every_size_channel_and_count_is_the_models(monkeypatch, described):
    held, seen = json.loads(described[1].read_text()), words(monkeypatch, described)
    for number, stage in enumerate(held["stages"], start=1):
        assert f"stage {number}: {stage['convs'][0]['size']}²" in seen
        taps = stage["side"]["taps"]
        assert f"{len(taps)} × (1×1: {taps[0]['channels']} → 21)\nsummed" in seen
        assert f"{stage['side']['parameters']} parameters" in seen
    assert [text for text in seen if text.isdigit()] == [
        str(conv["out"]) for stage in held["stages"] for conv in stage["convs"]
    ]
    assert any("6 outputs to 3 classes" in text and "after the activation" in text for text in seen)


def test_another_model_is_another_drawing(monkeypatch, described):
    before = words(monkeypatch, described)
    held = json.loads(described[1].read_text())
    held["stages"][2]["convs"][1]["out"] = 77
    described[1].write_text(json.dumps(held))
    assert "77" in words(monkeypatch, described) and "77" not in before


def test_missing_damaged_and_foreign_descriptions_are_refused(described):
    job, path = described
    for change, error, told in (
        (lambda held: held | {"classes": ["a", "b"]}, CheckFailed, "other classes"),
        (lambda held: {key: value for key, value in held.items() if key != "head"}, CheckFailed, "damaged"),
    ):
        kept = path.read_text()
        path.write_text(json.dumps(change(json.loads(kept))))
        with pytest.raises(error, match=told):
            network.draw_figure(job, network=path, out=path.with_name("f"))
        path.write_text(kept)
    path.unlink()
    with pytest.raises(BadRequest, match="no description"):
        network.draw_figure(job, network=path, out=path.with_name("f"))
