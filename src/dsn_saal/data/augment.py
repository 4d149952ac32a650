"""Random changes of training images on the device; what is drawn for them comes from the run's one generator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

ASPECT = (3 / 4, 4 / 3)
"""Smallest and largest width over height of a random crop, as torchvision's RandomResizedCrop has it."""

BLUR_SD = (0.1, 2.0)
"""Smallest and largest standard deviation of the blur in pixels of a 224-pixel image, as MoCo v2 has it."""

BLUR_SIZE = 224
"""Side of the image that BLUR_SD speaks of."""


@dataclass(frozen=True)
class Augmentation:
    """A random crop resized to the whole image, mirroring, brightness and contrast, blur: in this order.

    Attributes:
        crop_area: smallest and largest share of the image's area that is kept.
        flip: share of images that are mirrored.
        jitter: largest relative change of brightness and of contrast.
        jitter_share: share of images whose brightness and contrast change.
        blur_share: share of images that are blurred.
    """

    crop_area: tuple[float, float]
    flip: float
    jitter: float
    jitter_share: float
    blur_share: float

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Changed images (B, 1, S, S), grey values 0 to 255, from the same; `generator` lives on the CPU.

        Everything is drawn on the CPU, a handful of numbers an image, so that every device sees the same draws.
        """
        count = len(images)
        drawn = torch.rand(count, 10, generator=generator)
        images = _cropped(images, self._boxes(drawn[:, :4], images.shape[-1]), mirrored=drawn[:, 4] < self.flip)
        if self.jitter:
            change = 1 + self.jitter * (2 * drawn[:, 5:7] - 1) * (drawn[:, 7:8] < self.jitter_share)
            images = _jittered(images, change)
        if self.blur_share:
            low, high = (sd * images.shape[-1] / BLUR_SIZE for sd in BLUR_SD)
            sd = torch.where(drawn[:, 8] < self.blur_share, low + (high - low) * drawn[:, 9], 0.0)
            images = _blurred(images, sd, radius=math.ceil(2 * high))
        return images

    def _boxes(self, drawn: Tensor, side: int) -> Tensor:
        """Width, height, left and top of each crop as shares of the image, (B, 4)."""
        low, high = self.crop_area
        area = low + (high - low) * drawn[:, 0]
        aspect = torch.exp(math.log(ASPECT[0]) + (math.log(ASPECT[1]) - math.log(ASPECT[0])) * drawn[:, 1])
        if low == high == 1:
            aspect = torch.ones_like(aspect)  # nothing is cut off
        width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
        return torch.stack([width, height, (1 - width) * drawn[:, 2], (1 - height) * drawn[:, 3]], dim=1)


def _cropped(images: Tensor, boxes: Tensor, *, mirrored: Tensor) -> Tensor:
    width, height, left, top = boxes.unbind(dim=1)
    sign = torch.where(mirrored, -1.0, 1.0)
    zero = torch.zeros_like(width)
    # affine_grid works in [-1, 1]: the centre of the crop is 2 (left + width / 2) - 1.
    across = torch.stack([sign * width, zero, 2 * left + width - 1], dim=1)
    down = torch.stack([zero, height, 2 * top + height - 1], dim=1)
    theta = torch.stack([across, down], dim=1).to(images)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _jittered(images: Tensor, change: Tensor) -> Tensor:
    brightness, contrast = change.to(images).view(-1, 2, 1, 1, 1).unbind(dim=1)
    bright = (images * brightness).clamp_(0, 255)
    mean = bright.mean(dim=(1, 2, 3), keepdim=True)
    return (mean + (bright - mean) * contrast).clamp_(0, 255)


def _blurred(images: Tensor, sd: Tensor, *, radius: int) -> Tensor:
    """Each image with its own Gaussian, rows then columns; a standard deviation of 0 leaves it as it is."""
    places = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernels = torch.exp(-0.5 * (places / sd.clamp(min=1e-3).unsqueeze(1)) ** 2)
    kernels = (kernels / kernels.sum(dim=1, keepdim=True)).to(images)  # (B, 2 radius + 1)
    size = images.shape[-1]
    padded = functional.pad(images, (radius,) * 4, mode="replicate").transpose(0, 1)  # (1, B, S + 2r, S + 2r)
    rows = functional.conv2d(padded, kernels.view(-1, 1, 1, 2 * radius + 1), groups=len(images))
    both = functional.conv2d(rows, kernels.view(-1, 1, 2 * radius + 1, 1), groups=len(images))
    return both.transpose(0, 1).reshape(-1, 1, size, size)
