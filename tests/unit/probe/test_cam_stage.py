"""From made runs to maps, shares and the check; where nothing can be looked into, a reason."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import make_runs, network_of

from dsn_saal.data.resident import NORMALISATIONS
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.models import read_weights
from dsn_saal.params.probe_jobs import cam_job
from dsn_saal.probe.cam import COLUMNS, probe_cam
from dsn_saal.probe.energy import energy_shares
from dsn_saal.probe.gradcam import activation_maps, last_map
from dsn_saal.probe.sanity import sanity_positions
from dsn_saal.storage.listing import sha256_of


class Probe:
    def __init__(self, root, cohort, settings, **runs):
        self.cohort, self.job = cohort, cam_job(settings, "dsn_saal")
        self.weights, self.out = make_runs(root / "train", self.job.experiment, cohort, **runs), root / "cam"

    def run(self):
        probe_cam(self.job, images=self.cohort.images, split=self.cohort.split, weights=self.weights, out=self.out)
        report = json.loads((self.out / "cam.json").read_text())
        return report, pd.read_parquet(self.out / "slices.parquet"), np.load(self.out / "maps.npy")


@pytest.fixture
def made(tmp_path, cohort, small_settings):
    settings = small_settings(network__width=0.1, probe__sanity_draws=2, probe__sanity_slices=2)
    return lambda **runs: Probe(tmp_path, cohort(), settings, **runs)


def test_every_test_slice_has_the_map_of_the_median_run(made):
    probe = made(losses=(0.5, 0.1, 0.3))
    report, slices, maps = probe.run()
    test = probe.cohort.index[probe.cohort.parts == "test"]
    assert slices["row"].tolist() == test["row"].tolist() and list(slices) == list(COLUMNS)
    assert report["run"] == {
        "run": 2, "because": "its training loss is the median of 3 runs",
        "weights_sha256": sha256_of(probe.weights / "run-02" / "weights.safetensors"),
    }  # fmt: skip
    network = network_of(probe.job.experiment)
    read_weights(probe.weights / "run-02" / "weights.safetensors", network)
    factor, offset = NORMALISATIONS[probe.job.experiment.network.normalise]
    pixels = torch.tensor(np.load(probe.cohort.images / "images.npy")[test["row"]]).float().unsqueeze(1)
    logits = network(pixels * factor + offset)[-1]
    assert slices["predicted"].tolist() == logits.argmax(dim=1).tolist() == slices["target"].tolist()
    expected = activation_maps(network, last_map(network, "after_relu"), pixels * factor + offset, logits.argmax(dim=1))
    np.testing.assert_allclose(maps, expected.numpy(), rtol=1e-4, atol=1e-7)
    masks = np.unpackbits(np.load(probe.cohort.images / "masks.npy")[test["row"]], axis=1).reshape(-1, 32, 32)
    np.testing.assert_allclose(slices["share"], energy_shares(maps, masks.astype(bool)))
    np.testing.assert_allclose(slices["lung"], masks.mean(axis=(1, 2)))


def test_the_means_are_those_of_the_slices_and_the_check_tells_every_layer(made):
    report, slices, _ = made().run()
    for label, name in enumerate(report["classes"]):
        of_class = slices[slices["label"] == label]
        assert report["energy"][name]["mean"] == pytest.approx(of_class["share"].mean())
        assert report["energy"][name]["slices"] == len(of_class)
        low, high = report["energy"][name]["interval"]
        assert low <= report["energy"][name]["mean"] <= high
    steps = report["sanity"]["steps"]
    assert [step["layer"] for step in steps][:2] == ["classifier.6", "classifier.3"] and len(steps) == 16
    assert all(step["of"] == 2 * report["sanity"]["slices"] == 12 for step in steps)


def test_twice_the_same_bytes_and_the_trained_weights_are_what_maps_come_from(made):
    probe = made()
    digests = []
    for _ in range(2):
        probe.run()
        digests.append({path.name: sha256_of(path) for path in probe.out.iterdir()})
    assert digests[0] == digests[1] and len(digests[0]) == 3


def test_maps_of_the_label_where_params_say_so(made):
    probe = made()
    probe.job = probe.job.model_copy(update={"target": "label"})
    slices = probe.run()[1]
    assert slices["target"].tolist() == slices["label"].tolist() != slices["predicted"].tolist()


@pytest.mark.parametrize(
    ("runs", "because"),
    [
        ({"failed": (0, 1, 2)}, "every run diverged"),
        ({"kept": ()}, "no weights were kept"),
        ({"failed": (0,), "kept": ()}, "no weights were kept"),
    ],
)
def test_where_no_weights_are_there_is_a_reason_and_no_map(made, runs, because):
    report, slices, maps = made(**runs).run()
    assert because in report["missing_because"] and len(slices) == len(maps) == 0 and list(slices) == list(COLUMNS)


def test_the_only_run_with_weights_is_taken(made):
    assert made(kept=(1,)).run()[0]["run"]["because"] == "the only one whose weights were kept"


def test_an_altered_history_and_foreign_images_are_refused(made):
    probe = made()
    (probe.weights / "run-01" / "history.csv").write_text("epoch,loss\n1,0\n2,0\n")
    with pytest.raises(CheckFailed, match=r"history\.csv was altered"):
        probe.run()
    images = np.load(probe.cohort.images / "images.npy")
    np.save(probe.cohort.images / "images.npy", images[::-1])
    with pytest.raises(CheckFailed, match="images_sha256 differs"):
        probe.run()
    assert not probe.out.exists()


def test_the_slices_of_the_check_are_chosen_by_rule():
    table = pd.DataFrame(
        {
            "row": range(6),
            "case": list("bbaacd"),
            "label": [0, 0, 0, 0, 0, 1],
            "lung_share": [0.1, 0.3, 0.2, 0.2, 0.9, 0.5],
        }
    )
    assert sanity_positions(table, 2).tolist() == [2, 1, 5] and sanity_positions(table, 9).tolist() == [2, 1, 4, 5]
