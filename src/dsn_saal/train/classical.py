"""Runs of classical methods: features of preprocessed images, a classifier of scikit-learn, answers for the test part.

Nothing that was fitted is kept: a run leaves its log-probabilities, which evaluate reads, and its record, from which
it can be fitted again to the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from dsn_saal.data import read_images
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.run import RunKey
from dsn_saal.params.jobs import ClassicalJob
from dsn_saal.params.methods import AdaBoost, DecisionTree
from dsn_saal.split.table import draw_of, read_split
from dsn_saal.storage.listing import sha256_of
from dsn_saal.train.identity import digest
from dsn_saal.train.inputs import TrainingSlices, cases_per_class, require_certificate, test_rows, training_slices
from dsn_saal.train.machine import DETERMINISM
from dsn_saal.train.publish import publish
from dsn_saal.train.results import read_run, write_answers

NO_NETWORK = "features, not pixels"
"""What stands in the place of an initialisation in the record of a run without a network."""

LEAST = float(np.finfo(np.float32).tiny)
"""Probability in the place of zero, whose logarithm no file of logits could hold as a number."""

GREY_VALUES = 256

Floats = NDArray[np.float64]


def train_classical(job: ClassicalJob, *, images: Path, split: Path, certificate: Path, out: Path, code: str) -> None:
    """Fit every run of the experiment that `out` does not hold already, and make `out` hold exactly these runs.

    Args:
        job: settings of the experiment.
        images: folder with images.npy.
        split: the split's table; run r uses its draw r modulo draws.
        certificate: the split's certificate.
        out: folder of the results; it belongs to this job.
        code: digest of the code that the job runs, a part of every run's identity.

    Raises:
        BadRequest: where an input is missing.
        CheckFailed: where the split leaks, or a class has no training image.
    """
    require_certificate(certificate, job.accept)
    pixels, table, finished = images / "images.npy", read_split(split), {}
    hashes = {"images_sha256": sha256_of(pixels), "split_sha256": sha256_of(split)}
    for number in range(job.runs):
        folder, draw = out / RunKey(job.name, number).run_name, draw_of(table, number)
        identity = identity_of(job, seed=job.first_seed + number, draw=draw, code=code, **hashes)
        held = read_run(folder)
        if held is None or held.record.get("identity") != digest(identity):
            _fit(job, identity, pixels, split, folder)
            held = read_run(folder)
        if held is None:
            raise CheckFailed("a run that was just written cannot be read back", where=folder, next_step="run again")
        finished[folder.name] = held
    publish(finished, out)


def identity_of(job: ClassicalJob, *, seed: int, draw: int, code: str, **hashes: str) -> dict[str, Any]:
    """Every input of one run, as plain JSON."""
    settings = job.model_dump(mode="json", exclude={"runs": True, "first_seed": True, "accept": True})
    versions = {"numpy": np.__version__, "sklearn": sklearn.__version__}
    machine = {"device": "cpu", "precision": "float64"}
    return {"settings": settings, "seed": seed, "draw": draw, **hashes, "code": code, **versions, **machine}


def _fit(job: ClassicalJob, identity: dict[str, Any], pixels: Path, split: Path, folder: Path) -> None:
    """One run: fit on the training part of its draw, answer for the test part, write both down."""
    part, rows = training_slices(split, identity["draw"]), test_rows(split, identity["draw"])
    _require_every_class(part, job.classes, split)
    features = job.classical.features.model_dump()
    model = new_classifier(job.classical.classifier, seed=identity["seed"])
    model.fit(features_of(read_images(pixels, part.rows), **features), part.labels)
    probabilities = model.predict_proba(features_of(read_images(pixels, rows), **features))
    record = {
        **identity,
        "identity": digest(identity),
        "initialisation": NO_NETWORK,
        "counts": {name: int((part.labels == label).sum()) for label, name in enumerate(job.classes)},
        "cases": cases_per_class(part.labels.tolist(), part.cases, job.classes),
        "threads": 1,
        "determinism": DETERMINISM,
    }
    write_answers(folder, np.log(np.maximum(probabilities, LEAST))[None], rows, record)


def _require_every_class(part: TrainingSlices, classes: tuple[str, ...], split: Path) -> None:
    missing = [name for label, name in enumerate(classes) if label not in part.labels]
    if missing:
        raise CheckFailed("a class has no training image", value=", ".join(missing), where=split)


def new_classifier(chosen: DecisionTree | AdaBoost, *, seed: int) -> DecisionTreeClassifier | AdaBoostClassifier:
    """The classifier before it saw anything; ties between equally good cuts are broken by the seed."""
    if isinstance(chosen, DecisionTree):
        return DecisionTreeClassifier(max_depth=chosen.max_depth, min_samples_leaf=chosen.min_leaf, random_state=seed)
    stump = DecisionTreeClassifier(max_depth=chosen.depth)
    return AdaBoostClassifier(stump, n_estimators=chosen.trees, learning_rate=chosen.rate, random_state=seed)


def features_of(images: NDArray[np.uint8], *, histogram_bins: int, thumbnail_px: int) -> Floats:
    """Features of images, whatever part they are of: nothing is learnt here.

    Args:
        images: (n, S, S) uint8.
        histogram_bins: bins of the grey values 0 to 255; each feature is the share of the image's pixels in a bin.
        thumbnail_px: side of the thumbnail, a divisor of S; each feature is the mean of a square over 255.

    Returns:
        (n, histogram_bins + thumbnail_px ** 2).
    """
    n, side = len(images), images.shape[1]
    bins = (np.arange(GREY_VALUES) * histogram_bins) // GREY_VALUES
    shares = np.stack([np.bincount(bins[image].ravel(), minlength=histogram_bins) for image in images]) / side**2
    square = side // thumbnail_px
    means = images.reshape(n, thumbnail_px, square, thumbnail_px, square).mean(axis=(2, 4), dtype=np.float64)
    return np.concatenate([shares, means.reshape(n, -1) / (GREY_VALUES - 1)], axis=1)
