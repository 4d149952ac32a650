"""A trained network's values on disk: safetensors, float32, the same bytes for the same values."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.storage.atomic import replacing


def write_weights(path: Path, network: nn.Module) -> None:
    """Write every parameter and buffer, whatever device and memory layout they have here."""
    values = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    with replacing(path) as part:
        save_file(values, part)


def read_weights(path: Path, network: nn.Module) -> None:
    """Load what `write_weights` wrote into a network of the same shape.

    Raises:
        BadRequest: where there is no such file.
        CheckFailed: where it is damaged or belongs to another network.
    """
    try:
        network.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise BadRequest("there are no weights", value=path, next_step="run dsn-saal train first") from None
    except (SafetensorError, RuntimeError) as error:
        raise CheckFailed(
            "the weights do not fit the network",
            value=str(error).splitlines()[0],
            where=path,
            next_step="train again with these settings",
        ) from None
