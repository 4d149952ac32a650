"""Which epoch's weights a run leaves: the last, or the best by a validation part that is never trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dsn_saal.data import ResidentImages
from dsn_saal.models import Network
from dsn_saal.train.machine import Machine


@dataclass(frozen=True)
class Validation:
    """The held-out part.

    Attributes:
        images: on the device.
        labels: (n,) int64, on the device.
        batch_size: images a step.
    """

    images: ResidentImages
    labels: Tensor
    batch_size: int


@torch.no_grad()
def validation_loss(network: Network, validation: Validation, machine: Machine) -> float:
    """Mean cross-entropy of the final output, whatever the loss that is trained.

    A loss with weights of its own that are trained falls as they do: its values of two epochs say nothing of the
    network. Nothing is drawn; the network is left in evaluation mode.
    """
    network.eval()
    sums = torch.zeros((), dtype=torch.float64, device=validation.labels.device)
    for index in torch.arange(len(validation.labels), device=validation.labels.device).split(validation.batch_size):
        batch = validation.images.batch(index).contiguous(memory_format=machine.memory_format)
        with machine.autocast():
            logits = network(batch)[-1]
        sums += functional.cross_entropy(logits.double(), validation.labels.index_select(0, index), reduction="sum")
    return float(sums) / len(validation.labels)


class BestEpoch:
    """The weights of the epoch with the least validation loss, the first of equals.

    Args:
        network: gives the shapes.
    """

    def __init__(self, network: Network) -> None:
        self.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.found = {"epoch": torch.zeros((), dtype=torch.int64), "loss": torch.full((), torch.inf).double()}

    @property
    def epoch(self) -> int:
        """The epoch, from 1; 0 before there is one."""
        return int(self.found["epoch"])

    def tensors(self) -> dict[str, Tensor]:
        """Everything that changes, by name, sharing its memory."""
        return {f"weights.{name}": value for name, value in self.weights.items()} | self.found

    @torch.no_grad()
    def offer(self, network: Network, *, epoch: int, loss: float) -> None:
        """Keep the network's weights where `loss` is less than any before."""
        if loss < float(self.found["loss"]):
            self.found["epoch"].fill_(epoch)
            self.found["loss"].fill_(loss)
            for name, value in network.state_dict().items():
                self.weights[name].copy_(value)

    def put_back(self, network: Network) -> None:
        """Give the network the weights of the best epoch."""
        network.load_state_dict(self.weights)
