from typing import get_args

import numpy as np
import pytest
import torch

from dsn_saal.data import NORMALISATIONS, ResidentImages, class_counts, dealt_anew, read_images
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.pixels import Normalisation

CPU = torch.device("cpu")


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (10, 8, 8), dtype=np.uint8)


def test_rows_come_in_the_order_asked_for(tmp_path, pixels):
    np.save(tmp_path / "images.npy", pixels)
    assert np.array_equal(read_images(tmp_path / "images.npy", [7, 2, 2]), pixels[[7, 2, 2]])


@pytest.mark.parametrize(
    "normalise, low, high",
    [
        ("imagenet_grey", -0.449 / 0.226, (1 - 0.449) / 0.226),
        ("covid_ct", -0.45271412 / 0.33165374, (1 - 0.45271412) / 0.33165374),
        ("unit", 0.0, 1.0),
        ("none", 0.0, 255.0),
    ],
)
def test_batches_are_normalised_on_the_device(normalise, low, high):
    images = ResidentImages(np.array([[[0, 255]] * 2], dtype=np.uint8), device=CPU, normalise=normalise)
    batch = images.batch(torch.tensor([0, 0]))
    assert batch.shape == (2, 1, 2, 2) and batch.dtype == torch.float32
    assert batch[1, 0, 1].tolist() == pytest.approx([low, high], abs=1e-6)
    assert images.pixels.dtype == torch.uint8 and set(NORMALISATIONS) == set(get_args(Normalisation))


def test_a_batch_leaves_the_images_as_they_are(pixels):
    images = ResidentImages(pixels, device=CPU, normalise="unit")
    first = images.batch(torch.tensor([3]))
    first.zero_()
    assert np.array_equal(images.pixels[:, 0].numpy(), pixels) and images.batch(torch.tensor([3])).any()


def test_missing_file_damaged_file_and_foreign_rows_are_named(tmp_path, pixels):
    path = tmp_path / "images.npy"
    with pytest.raises(BadRequest, match="no images"):
        read_images(path, [0])
    np.save(path, pixels)
    with pytest.raises(CheckFailed, match="do not belong together"):
        read_images(path, [10])
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadRequest, match="not an array file"):
        read_images(path, [0])
    np.save(path, pixels.astype(np.float32))
    with pytest.raises(CheckFailed, match="uint8"):
        read_images(path, [0])


def test_counts_follow_the_classes_and_an_empty_class_is_an_error():
    assert class_counts(torch.tensor([0, 2, 1, 2]), ("a", "b", "c")) == {"a": 1, "b": 1, "c": 2}
    with pytest.raises(CheckFailed, match=r"(?s)no training image.*b"):
        class_counts(torch.tensor([0, 2]), ("a", "b", "c"))
    with pytest.raises(CheckFailed, match="names no class"):
        class_counts(torch.tensor([0, 3]), ("a", "b", "c"))


def test_labels_dealt_anew_keep_their_counts_and_lose_their_meaning():
    labels = torch.arange(3).repeat_interleave(100)
    dealt = dealt_anew(labels, torch.Generator().manual_seed(0))
    assert torch.equal(dealt.bincount(), labels.bincount())
    assert (dealt == labels).float().mean() == pytest.approx(1 / 3, abs=0.1)
    assert torch.equal(dealt, dealt_anew(labels, torch.Generator().manual_seed(0)))
    assert not torch.equal(dealt, dealt_anew(labels, torch.Generator().manual_seed(1)))
