"""Probabilities from logits, and logits from networks."""

import numpy as np
import pytest
import torch
from scipy import special

from dsn_saal.data.inference import predict_logits
from dsn_saal.data.resident import ResidentImages
from dsn_saal.evaluate.predict import probabilities_of, softmax
from dsn_saal.models import build_network


@pytest.fixture
def network():
    generator = torch.Generator().manual_seed(1)
    side = {"tap": "after_relu", "channels": 3, "merge": "sum", "fuse_channels": 1, "side_bn": False}
    return build_network(
        "vgg16_bn", n_classes=3, image_size=32, width=0.02, conv1="sum", dropout=0.5, generator=generator,
        side={**side, "side_init": "framework"},
    ).eval()  # fmt: skip


@pytest.fixture
def images():
    pixels = np.random.default_rng(0).integers(0, 256, (11, 32, 32), dtype=np.uint8)
    return ResidentImages(pixels, device=torch.device("cpu"), normalise="unit")


def test_softmax_agrees_with_scipy_and_survives_large_logits():
    logits = np.random.default_rng(0).normal(scale=400, size=(2, 5, 3))
    np.testing.assert_allclose(softmax(logits), special.softmax(logits, axis=-1), rtol=1e-12)
    assert np.isfinite(softmax(np.array([1e5, -1e5, 0.0]))).all()


def test_final_takes_the_last_output_and_mean_softmax_all():
    logits = np.random.default_rng(1).normal(size=(6, 4, 3))
    np.testing.assert_array_equal(probabilities_of(logits, "final"), softmax(logits[5]))
    expected = sum(softmax(logits[i]) for i in range(6)) / 6
    np.testing.assert_allclose(probabilities_of(logits, "mean_softmax"), expected, rtol=1e-14)
    assert not np.allclose(probabilities_of(logits, "mean_softmax"), softmax(logits.mean(axis=0)))


def test_logits_are_those_of_the_network_in_the_order_of_the_images(network, images):
    logits = predict_logits(network, images, batch_size=4)
    with torch.no_grad():
        whole = torch.stack(network(images.batch(torch.arange(11)))).double().numpy()
    assert logits.shape == (6, 11, 3) and logits.dtype == np.float64
    np.testing.assert_allclose(logits, whole, atol=1e-5)
    assert np.ptp(logits[-1], axis=0).min() > 0


def test_predicting_twice_gives_the_same_bits(network, images):
    first, second = (predict_logits(network, images, batch_size=4) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_progress_sees_every_batch(network, images):
    seen = []

    def progress(items, total):
        for item in items:
            seen.append(total)
            yield item

    predict_logits(network, images, batch_size=4, progress=progress)
    assert seen == [3, 3, 3]
