"""Augmentation against torchvision, PIL-like arithmetic and what its parameters say."""

import pytest
import torch
from torchvision.transforms import functional as vision

from dsn_saal.data import Augmentation, ResidentImages
from dsn_saal.data import augment as module

NOTHING = {"crop_area": (1.0, 1.0), "flip": 0.0, "jitter": 0.0, "jitter_share": 0.0, "blur_share": 0.0}


def images(count=6, side=32):
    return torch.randint(0, 256, (count, 1, side, side), generator=torch.Generator().manual_seed(5)).float()


def changed(which, seed=0, **change):
    return Augmentation(**{**NOTHING, **change})(which.clone(), torch.Generator().manual_seed(seed))


def test_without_any_change_the_images_stay():
    assert torch.allclose(changed(images()), images(), atol=1e-3)


def test_mirroring_is_mirroring_of_the_asked_share():
    assert torch.allclose(changed(images(), flip=1.0), images().flip(-1), atol=1e-3)
    many = images(2000, 8)
    mirrored = (changed(many, flip=0.3) - many).abs().amax(dim=(1, 2, 3)) > 1
    assert 0.25 < mirrored.float().mean() < 0.35


def test_a_crop_keeps_the_asked_area_and_is_torchvisions_resize_of_it():
    generator = torch.Generator().manual_seed(1)
    boxes = Augmentation(**{**NOTHING, "crop_area": (0.5, 1.0)})._boxes(torch.rand(5000, 4, generator=generator), 32)
    width, height, left, top = boxes.unbind(dim=1)
    assert (
        (left >= 0).all() and (top >= 0).all() and (left + width <= 1 + 1e-6).all() and (top + height <= 1 + 1e-6).all()
    )
    area = (width * height)[(width < 1) & (height < 1)]
    assert area.min() >= 0.5 and area.max() <= 1
    one = images(1, 32)
    box = torch.tensor([[0.5, 0.25, 0.25, 0.5]])  # 16 wide, 8 high, from column 8, row 16
    ours = module._cropped(one, box, mirrored=torch.tensor([False]))
    theirs = vision.resize(one[:, :, 16:24, 8:24], [32, 32], antialias=False)
    assert torch.allclose(ours[..., 4:-4, 2:-2], theirs[..., 4:-4, 2:-2], atol=1e-2)  # inside: edges see the neighbours


def test_jitter_is_torchvisions_brightness_then_contrast():
    one = images(1)
    ours = module._jittered(one, torch.tensor([[1.15, 0.8]]))
    theirs = vision.adjust_contrast(vision.adjust_brightness(one / 255, 1.15), 0.8) * 255
    assert torch.allclose(ours, theirs, atol=1e-3)


def test_blur_is_torchvisions_for_each_image_its_own():
    two = images(2)
    ours = module._blurred(two, torch.tensor([0.0, 1.3]), radius=4)
    assert torch.allclose(ours[0], two[0], atol=1e-3)
    theirs = vision.gaussian_blur(two[1:], [9, 9], [1.3, 1.3])
    assert torch.allclose(ours[1, 0, 4:-4, 4:-4], theirs[0, 0, 4:-4, 4:-4], atol=1e-2)


@pytest.mark.parametrize(
    "change", [{"crop_area": (0.2, 1.0)}, {"jitter": 0.4, "jitter_share": 0.8}, {"blur_share": 0.5}]
)
def test_the_generator_alone_decides(change):
    before = torch.get_rng_state()
    assert torch.equal(changed(images(), **change), changed(images(), **change))
    assert not torch.equal(changed(images(), **change), changed(images(), seed=1, **change))
    assert torch.equal(torch.get_rng_state(), before)


def test_images_are_changed_before_they_are_normalised():
    pixels = images().squeeze(1).byte().numpy()
    resident = ResidentImages(pixels, device=torch.device("cpu"), normalise="unit")
    index = torch.arange(6)
    assert torch.allclose(resident.batch(index, lambda grey: 255 - grey), (255 - resident.pixels.float()) / 255)
