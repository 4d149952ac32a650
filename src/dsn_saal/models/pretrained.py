"""ImageNet weights: found or fetched, checked by their hash, fitted to one input channel and our classes."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

import torch
from torch import Tensor
from torchvision import models

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.models.backbone import Network
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


IMAGENET = {
    "vgg16_bn": WeightsFile(models.VGG16_BN_Weights.IMAGENET1K_V1.url),
    "resnet50": WeightsFile(models.ResNet50_Weights.IMAGENET1K_V1.url),
    "resnext50": WeightsFile(models.ResNeXt50_32X4D_Weights.IMAGENET1K_V1.url),
    "densenet121": WeightsFile(models.DenseNet121_Weights.IMAGENET1K_V1.url),
    "densenet169": WeightsFile(models.DenseNet169_Weights.IMAGENET1K_V1.url),
    "mobilenet_v2": WeightsFile(models.MobileNet_V2_Weights.IMAGENET1K_V1.url),
}
"""The first published ImageNet weights of each backbone: those that existed when the paper was written."""

_OLD_DENSE_NAME = re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..+)")
"""Names of DenseNet's layers in its published file, from before torch forbade dots in them."""


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
    network: Network, *, width: float, conv1: Conv1, wanted: WeightsFile, folder: Path | None = None
) -> None:
    """Load ImageNet's values into every layer that has them; the last layer and the side branches keep theirs.

    Raises:
        BadRequest: where the network has other shapes than the published one, or the file cannot be had.
        CheckFailed: where the file is not the published one.
    """
    fixed_size = isinstance(network, Vgg16Bn)  # its head is fully connected; the others average their last map
    if width != 1.0 or (fixed_size and network.grid != PUBLISHED_GRID):
        raise BadRequest(
            "ImageNet weights fit the published network only: width 1.0" + " and images of 224 pixels" * fixed_size,
            value=f"width {width}, images of {network.grid * 32} pixels",
            where="network.weights",
            next_step="set network.weights: none, or network.width: 1.0 and preprocess.image_size: 224",
        )
    path = require_weights(wanted, folder or weights_folder())
    published = {_present_name(name): value for name, value in _read_file(path).items()}
    ours = network.state_dict()
    first, last = f"{network.first_conv}.weight", f"{network.last_layer}."
    taken = {name: value for name, value in published.items() if not name.startswith(last)}
    taken[first] = ours[first] if conv1 == "random" else grey_kernels(published[first], conv1)
    kept = {name: value for name, value in ours.items() if name not in taken}
    ours_alone = (last, "sides.")
    lacking = sorted(
        name for name in kept if not name.startswith(ours_alone) and not name.endswith(".num_batches_tracked")
    )
    if lacking:
        raise CheckFailed("the file of weights lacks layers of the network", value=", ".join(lacking), where=path)
    network.load_state_dict({**taken, **kept})


def _read_file(path: Path) -> dict[str, Tensor]:
    return torch.load(path, map_location="cpu", weights_only=True)


def _present_name(name: str) -> str:
    old = _OLD_DENSE_NAME.fullmatch(name)
    return f"{old[1]}{old[2]}" if old else name


def grey_kernels(kernels: Tensor, conv1: Conv1) -> Tensor:
    """First-layer kernels (O, 3, k, k) for a grey image; the sum equals feeding the image three times."""
    if conv1 == "sum":
        return kernels.sum(dim=1, keepdim=True)
    if conv1 == "mean":
        return kernels.mean(dim=1, keepdim=True)
    return kernels
