"""ImageNet weights: found or fetched, checked by their hash, fitted to one input channel and our classes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

import torch
from torch import Tensor
from torchvision.models import VGG16_BN_Weights

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.models.vgg import PUBLISHED_GRID, Vgg16Bn

Conv1 = Literal["sum", "mean", "repeat", "random"]

FOLDER_VARIABLE = "DSN_SAAL_WEIGHTS"
"""Environment variable that names the folder with downloaded weights; torch hub's cache is used without it."""


@dataclass(frozen=True)
class WeightsFile:
    """A published file of weights; as torch hub does, its name ends in the first digits of its SHA-256."""

    url: str

    @property
    def name(self) -> str:
        """File name."""
        return PurePosixPath(urlsplit(self.url).path).name

    @property
    def sha256_prefix(self) -> str:
        """First hexadecimal digits of the SHA-256."""
        return PurePosixPath(self.name).stem.rpartition("-")[2]


IMAGENET = WeightsFile(VGG16_BN_Weights.IMAGENET1K_V1.url)


def weights_folder() -> Path:
    """Where weights are looked for and put."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(torch.hub.get_dir()) / "checkpoints"


def require_weights(wanted: WeightsFile, folder: Path) -> Path:
    """The checked file, fetched where it is missing.

    Raises:
        BadRequest: where it is neither in the folder nor to be had.
        CheckFailed: where it has another hash.
    """
    path = folder / wanted.name
    if not path.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(wanted.url, str(path), hash_prefix=wanted.sha256_prefix, progress=False)
        except (OSError, RuntimeError) as error:
            raise BadRequest(
                f"the ImageNet weights are not in the weights folder and could not be fetched ({type(error).__name__})",
                value=f"{wanted.name}, SHA-256 starting {wanted.sha256_prefix}",
                where=folder,
                next_step=f"put the file there (or name its folder in {FOLDER_VARIABLE}), or set network.weights: none",
            ) from error
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(wanted.sha256_prefix):
        raise CheckFailed(
            "the file of ImageNet weights has another SHA-256 than its name says",
            value=found,
            where=path,
            next_step="remove it and fetch it again",
        )
    return path


def load_imagenet(
    network: Vgg16Bn, *, width: float, conv1: Conv1, wanted: WeightsFile = IMAGENET, folder: Path | None = None
) -> None:
    """Load ImageNet's values into every layer that has them; the last layer and the side branches keep theirs.

    Raises:
        BadRequest: where the network has other shapes than the published one, or the file cannot be had.
        CheckFailed: where the file is not the published one.
    """
    if width != 1.0 or network.grid != PUBLISHED_GRID:
        raise BadRequest(
            "ImageNet weights fit the published network only: width 1.0 and images of 224 pixels",
            value=f"width {width}, images of {network.grid * 32} pixels",
            where="network.weights",
            next_step="set network.weights: none, or network.width: 1.0 and preprocess.image_size: 224",
        )
    path = require_weights(wanted, folder or weights_folder())
    published = torch.load(path, map_location="cpu", weights_only=True)
    ours = network.state_dict()
    last = f"classifier.{len(network.classifier) - 1}."
    taken = {name: value for name, value in published.items() if not name.startswith(last)}
    if conv1 == "random":
        taken["features.0.weight"] = ours["features.0.weight"]
    else:
        taken["features.0.weight"] = grey_kernels(published["features.0.weight"], conv1)
    kept = {name: value for name, value in ours.items() if name not in taken}
    unexpected = sorted(set(kept) - {name for name in ours if name.startswith((last, "sides."))})
    if unexpected:
        raise CheckFailed("the file of weights lacks layers of the network", value=", ".join(unexpected), where=path)
    network.load_state_dict({**taken, **kept})


def grey_kernels(kernels: Tensor, conv1: Conv1) -> Tensor:
    """First-layer kernels (O, 3, k, k) for a grey image; the sum equals feeding the image three times."""
    if conv1 == "sum":
        return kernels.sum(dim=1, keepdim=True)
    if conv1 == "mean":
        return kernels.mean(dim=1, keepdim=True)
    return kernels
