"""Published weights: found or fetched, checked by their hash, fitted to one input channel and our classes."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
from dataclasses import dataclass
from http.client import HTTPException
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

_CHEXNET_PREFIX = re.compile(r"^(?:module\.)?(?:densenet121\.)?")
"""What stands before DenseNet's own names in a CheXNet checkpoint."""


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
        except (OSError, HTTPException, RuntimeError) as error:  # HTTPException: a connection that breaks off
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
    _fill(network, {_present_name(name): value for name, value in _read_file(path).items()}, conv1=conv1, path=path)


def load_checkpoint(network: Network, *, width: float, conv1: Conv1, path: str, sha256: str) -> None:
    """Load a CheXNet checkpoint into every layer but the last.

    The widely used one is a dictionary whose `state_dict` holds DenseNet-121 below `module.densenet121.`, with the old
    names of its layers and a classifier of 14 findings; a plain state dict is read too. Nothing but tensors and plain
    values is ever unpickled, and the file is hashed before it is opened.

    Args:
        network: a DenseNet-121.
        width: share of the published channel numbers.
        conv1: how its three input channels become one.
        path: of the file.
        sha256: its whole SHA-256.

    Raises:
        BadRequest: where the network is narrower than the published one, or there is no such file.
        CheckFailed: where the file has another hash, cannot be read as tensors, or holds another network.
    """
    file = Path(path)
    if width != 1.0:
        raise BadRequest(
            "a checkpoint fits the published network only: width 1.0",
            value=f"width {width}",
            where="models.<name>.checkpoint",
            next_step="set it to null, or network.width to 1.0",
        )
    if not file.is_file():
        raise BadRequest(
            "there is no such checkpoint",
            value=file,
            where="models.<name>.checkpoint.path",
            next_step="put the file there, or set the checkpoint to null: every table says which start a run had",
        )
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise CheckFailed(
            "the checkpoint has another SHA-256 than the params say",
            value=found,
            where=file,
            next_step="get the file anew, or name this one's hash in models.<name>.checkpoint.sha256",
        )
    values = {_CHEXNET_PREFIX.sub("", name): value for name, value in _checkpoint_values(file).items()}
    _fill(network, {_present_name(name): value for name, value in values.items()}, conv1=conv1, path=file)


def _checkpoint_values(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise CheckFailed(
            "the checkpoint cannot be read as tensors and plain values",
            value=str(error).splitlines()[0],
            where=path,
            next_step="save its state_dict alone with torch.save, and name the new file's hash",
        ) from None
    values = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(values, dict) or not all(isinstance(value, Tensor) for value in values.values()):
        raise CheckFailed("the checkpoint holds no state_dict", value=type(content).__name__, where=path)
    return values


def _fill(network: Network, published: dict[str, Tensor], *, conv1: Conv1, path: Path) -> None:
    """Put published values into every layer but the last one and the side branches, or refuse them by name."""
    ours = network.state_dict()
    first, last = f"{network.first_conv}.weight", f"{network.last_layer}."
    taken = {name: value for name, value in published.items() if not name.startswith(last)}
    if first in published:
        taken[first] = ours[first] if conv1 == "random" else grey_kernels(published[first], conv1)
    kept = {name: value for name, value in ours.items() if name not in taken}
    ours_alone = (last, "sides.")
    lacking = sorted(
        name for name in kept if not name.startswith(ours_alone) and not name.endswith(".num_batches_tracked")
    )
    if lacking:
        raise CheckFailed("the file of weights lacks layers of the network", value=_first_of(lacking), where=path)
    strange = sorted(name for name in taken if name not in ours or taken[name].shape != ours[name].shape)
    if strange:
        raise CheckFailed("the file of weights holds layers of another network", value=_first_of(strange), where=path)
    network.load_state_dict({**taken, **kept})


def _first_of(names: list[str], shown: int = 5) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


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
