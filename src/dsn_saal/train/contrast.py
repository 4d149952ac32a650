"""Momentum contrast (He et al. 2020, Algorithm 1; MoCo v2): learn features that tell two views of a slice from others.

The shuffled batch normalisation of that work hides from the query encoder which keys share its batch by normalising
them on another device; on one device it has no counterpart and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from dsn_saal.models import Network
from dsn_saal.train.machine import Machine
from dsn_saal.train.tally import Tally


class Queue:
    """Features of the latest keys; the oldest are overwritten first.

    Args:
        dim: length of a feature vector.
        size: how many are kept.
        device: where they live; the place that is written next is known to the host, so that no step waits for it.
    """

    def __init__(self, dim: int, size: int, device: torch.device) -> None:
        self.keys = torch.zeros(dim, size, device=device)
        self.pointer = torch.zeros((), dtype=torch.int64)

    @torch.no_grad()
    def refill(self, generator: torch.Generator) -> None:
        """Start anew with random directions drawn from `generator`, which lives on the CPU."""
        self.keys.copy_(functional.normalize(torch.randn(self.keys.shape, generator=generator), dim=0))
        self.pointer.zero_()

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Put keys (B, dim), B at most the queue's size, in the place of the oldest."""
        size, begin = self.keys.shape[1], int(self.pointer)
        fitting = min(len(keys), size - begin)
        self.keys[:, begin : begin + fitting] = keys[:fitting].T
        self.keys[:, : len(keys) - fitting] = keys[fitting:].T
        self.pointer.fill_((begin + len(keys)) % size)


def contrast_logits(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Similarities (B, 1 + K) of each query to its own key, which comes first, and to the queue, over the temperature.

    Args:
        queries: (B, dim), of length 1.
        keys: (B, dim), of length 1: row i is another view of the slice of query i.
        queue: (dim, K), of length 1.
        temperature: divisor.
    """
    own = (queries * keys).sum(dim=1, keepdim=True)
    return torch.cat([own, queries @ queue], dim=1) / temperature


@torch.no_grad()
def follow(key: nn.Module, query: nn.Module, momentum: float) -> None:
    """Move the parameters of the key encoder towards the query encoder's: momentum * key + (1 - momentum) * query."""
    ours: list[Tensor] = list(key.parameters())
    theirs: list[Tensor] = list(query.parameters())
    torch._foreach_mul_(ours, momentum)
    torch._foreach_add_(ours, theirs, alpha=1 - momentum)


@dataclass
class Contrast:
    """Everything that changes while encoders learn by contrast, over all phases.

    Attributes:
        query: the encoder that is trained.
        key: the encoder that follows it; no gradient reaches it.
        queue: keys of earlier slices.
        optimizers: one per phase, over the query encoder.
        generators: as in loop.Run.
        tally: sums of the running epoch.
        order: order of the images in the running epoch, in its first places.
        epoch: epochs that are complete, those of earlier phases included: it tells the phase.
        step: steps of the running epoch that are complete.
        history: one row per complete epoch.
    """

    query: Network
    key: Network
    queue: Queue
    optimizers: dict[str, torch.optim.Optimizer]
    generators: dict[str, torch.Generator]
    tally: Tally
    order: Tensor
    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that changes, by name, sharing its memory."""
        tensors = {f"query.{name}": tensor for name, tensor in self.query.state_dict().items()}
        tensors |= {f"key.{name}": tensor for name, tensor in self.key.state_dict().items()}
        tensors |= {f"tally.{name}": tensor for name, tensor in self.tally.tensors.items()}
        return tensors | {"queue": self.queue.keys, "pointer": self.queue.pointer, "order": self.order}

    def begin_phase(self) -> None:
        """Go on from the query encoder alone: the key encoder equals it, queue and optimizers forget."""
        self.key.load_state_dict(self.query.state_dict())
        self.queue.refill(self.generators["order"])
        for optimizer in self.optimizers.values():
            optimizer.state.clear()


def contrast_step(
    run: Contrast,
    views: tuple[Tensor, Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    momentum: float,
    temperature: float,
    machine: Machine,
) -> tuple[Tensor, Tensor]:
    """One step on two views (B, 1, S, S) of the same slices.

    Args:
        run: changed in place.
        views: the query encoder's and the key encoder's.
        optimizer: that of the phase.
        momentum: see `follow`.
        temperature: see `contrast_logits`.
        machine: device and arithmetic.

    Returns:
        The loss (InfoNCE: cross-entropy whose right answer is the own key), and the logits (B, 1 + K).
    """
    queries = _features(run.query, views[0], machine)
    with torch.no_grad():
        follow(run.key, run.query, momentum)
        keys = _features(run.key, views[1], machine)
    logits = contrast_logits(queries, keys, run.queue.keys, temperature)
    loss = functional.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    run.queue.enqueue(keys)
    return loss.detach(), logits.detach()


def _features(encoder: Network, images: Tensor, machine: Machine) -> Tensor:
    """Feature vectors (B, dim) of length 1, float32 whatever the arithmetic of the encoder."""
    with machine.autocast():
        outputs = encoder(images.contiguous(memory_format=machine.memory_format))
    return functional.normalize(outputs[-1].float(), dim=1)
