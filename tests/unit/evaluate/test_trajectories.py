"""Histories of alpha, betas and weights, read back and refused where they do not belong."""

import json

import numpy as np
import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.evaluate.summaries import read_summary
from dsn_saal.evaluate.trajectories import read_trajectories
from dsn_saal.storage.listing import write_listing


@pytest.fixture
def trained(cohort):
    fake = cohort()
    folder = fake.train("dsn_saal", ends=(0.9, 0.999, 0.6))
    return folder, read_summary(fake.evaluate("dsn_saal") / "summary.json", "dsn_saal")


def test_start_and_every_epoch_in_label_order_whatever_the_order_of_the_files_keys(trained):
    runs = read_trajectories(*trained)
    assert [run.alpha[-1] for run in runs] == [0.9, 0.999, 0.6] and all(run.alpha[0] == 0.5 for run in runs)
    first = runs[0]
    assert (first.alpha.shape, first.betas.shape, first.weights.shape) == ((4,), (4, 6), (4, 3))
    for place, k in enumerate((9, 19, 7)):
        np.testing.assert_allclose(first.weights[:, place], (1 - first.alpha) / (1 - first.alpha**k), rtol=1e-12)
    np.testing.assert_allclose(first.relative_weights.mean(axis=1), 1)
    assert first.ratio[-1] == pytest.approx(first.weights[-1, 2] / first.weights[-1, 1])


def edit(folder, name, change):
    path = folder / "run-01" / name
    path.write_text(change(path.read_text()))


def test_an_altered_history_is_refused(trained):
    edit(trained[0], "history.csv", lambda text: text.replace("0.9", "0.8"))
    with pytest.raises(CheckFailed, match=r"history\.csv was altered"):
        read_trajectories(*trained)


def test_a_history_of_another_training_is_refused(trained):
    edit(trained[0], "run.json", lambda text: json.dumps(json.loads(text) | {"identity": "other"}))
    write_listing(trained[0])
    with pytest.raises(CheckFailed, match="another training"):
        read_trajectories(*trained)


def test_a_loss_without_alpha_is_refused(trained):
    edit(trained[0], "run.json", lambda text: json.dumps(json.loads(text) | {"start": {}}))
    write_listing(trained[0])
    with pytest.raises(BadRequest, match="no trajectory"):
        read_trajectories(*trained)


def test_nothing_trained_says_what_to_do(trained, tmp_path):
    with pytest.raises(BadRequest, match="no trained runs"):
        read_trajectories(tmp_path / "none", trained[1])
