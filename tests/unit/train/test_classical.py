"""Classical methods: plain features, scikit-learn's own answers, nothing fitted is kept, the same bytes twice."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier
from tiny_experiment import CLASSES, EVALUATE

from dsn_saal.cli import main
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.evaluate.experiment import evaluate_experiment
from dsn_saal.params.jobs import ClassicalJob, EvaluateJob, parse_job, parse_train_job
from dsn_saal.storage.listing import differences
from dsn_saal.storage.tables import write_table
from dsn_saal.train import classical
from dsn_saal.train.classical import features_of

TREE = {"kind": "decision_tree", "max_depth": 2, "min_leaf": 1}
BOOST = {"kind": "adaboost", "trees": 5, "depth": 1, "rate": 1.0}
FEATURES = {"histogram_bins": 8, "thumbnail_px": 4}


def block(classifier=TREE, **change):
    method = {"kind": "classical", "classifier": classifier, "features": FEATURES}
    job = {"name": "tiny", "classical": method, "runs": 2, "first_seed": 0, "classes": CLASSES, "accept": []}
    return json.dumps(job | change, separators=(",", ":"))


def train(here, text=None, code="abc"):
    given = [word if word != "abc" else code for word in here.arguments()]
    return main([*given, "--settings", text or block()])


def evaluate(here, runs=2):
    table = pd.read_parquet(here.split)
    write_table(here.images / "index.parquet", table[["row", "case", "label"]].assign(origin="phantom"))
    network = {"width": 0.03, "weights": "none", "conv1": "sum", "dropout": 0.5, "normalise": "imagenet_grey"}
    job = {"name": "tiny", "network": network, "model": None, "block": None, "evaluate": EVALUATE, "runs": runs}
    job |= {"threads": 1, "image_size": 32, "classes": CLASSES, "positive": "covid19"}
    parsed = parse_job(EvaluateJob, json.dumps(job))
    out = here.root / "evaluated"
    return evaluate_experiment(parsed, images=here.images, split=here.split, weights=here.out, out=out)


def test_features_are_shares_of_grey_values_and_means_of_squares():
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, :4, :4] = 255
    image[0, 7, 7] = 100
    found = features_of(image, histogram_bins=4, thumbnail_px=2)[0]
    np.testing.assert_allclose(found[:4], [47 / 64, 1 / 64, 0, 16 / 64])
    np.testing.assert_allclose(found[4:], [1, 0, 0, 100 / 255 / 16])


def test_the_answers_are_those_of_scikit_learn(place):
    here = place()
    assert train(here) == 0
    summary = evaluate(here)
    images = np.load(here.images / "images.npy")
    table = pd.read_parquet(here.split)
    learn, test = (table.loc[table["part"] == part, "row"].to_numpy() for part in ("train", "test"))
    features = features_of(images, **FEATURES)
    tree = DecisionTreeClassifier(max_depth=2, random_state=1).fit(features[learn], table["label"].to_numpy()[learn])
    found = pd.read_parquet(here.root / "evaluated/run-01/predictions.parquet")
    np.testing.assert_allclose(found[[f"p_{name}" for name in CLASSES]], tree.predict_proba(features[test]), atol=1e-6)
    assert summary["network"] is None and summary["n_failed"] == 0
    assert summary["training"][0]["weights_sha256"] is None


def test_a_run_leaves_its_answers_and_its_record_alone_and_the_same_bytes_twice(place):
    first, second = place("first"), place("second")
    for here in (first, second):
        train(here, block(BOOST))
    assert first.content() == second.content() and differences(first.out) == []
    assert sorted(first.content()) == [
        "SHA256SUMS", "run-00/run.json", "run-00/test_logits.safetensors", "run-01/run.json",
        "run-01/test_logits.safetensors",
    ]  # fmt: skip
    record = json.loads(first.content()["run-01/run.json"])
    assert (record["seed"], record["initialisation"], record["precision"]) == (1, "features, not pixels", "float64")
    assert record["counts"] == dict.fromkeys(CLASSES, 6)


def test_what_is_there_is_kept_and_what_is_altered_or_of_other_inputs_is_fitted_again(place, monkeypatch):
    here, fitted = place(), []
    train(here)
    whole, fit = here.content(), classical._fit
    monkeypatch.setattr(classical, "_fit", lambda *args: fitted.append(args[-1].name) or fit(*args))
    train(here)
    assert fitted == []
    (here.out / "run-01" / "test_logits.safetensors").write_bytes(b"x")
    train(here)
    assert fitted == ["run-01"] and here.content() == whole
    train(here, code="other")
    assert fitted == ["run-01", "run-00", "run-01"]
    train(here, block(runs=1))
    assert not (here.out / "run-01").exists()


def test_a_leaking_split_and_an_absent_class_are_refused(place, capsys):
    here = place()
    here.write_certificate("VIOLATED", case="VIOLATED")
    assert train(here) == 1 and "must be apart" in capsys.readouterr().err
    here.write_certificate("PROVEN", case="PROVEN")
    table = pd.read_parquet(here.split)
    here.write_split(table.assign(part=table["part"].where(table["label"] != 1, "test")))
    assert train(here) == 1 and "a class has no training image" in capsys.readouterr().err


def test_weights_where_none_can_be_are_refused(place):
    here = place()
    here.train(deep=False, epochs=1, runs=2)
    with pytest.raises(CheckFailed, match="a classical method has no weights"):
        evaluate(here)


def test_the_block_tells_which_kind_of_job_it_is():
    assert isinstance(parse_train_job(block()), ClassicalJob)
