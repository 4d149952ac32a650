"""Sums over one epoch, kept on the device so that no step waits for them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dsn_saal.domain.errors import CheckFailed


class Diverged(CheckFailed):
    """A run that cannot go on, because something in it is no number any more.

    Attributes:
        found: epoch and step, both from 1, and the term that was the first to break.
    """

    def __init__(self, epoch: int, step: int, term: str) -> None:
        self.found = {"epoch": epoch, "step": step, "term": term}
        super().__init__(
            "training diverged: a loss is not finite",
            value=term,
            where=f"epoch {epoch}, step {step}",
            next_step="lower lr of the regimen, or look at the inputs of this run",
        )


NEVER = torch.iinfo(torch.int64).max


class Tally:
    """Loss terms and hits of one epoch.

    Args:
        parts: names of the addends of each output's loss.
        n_outputs: outputs of the network, the final one last.
        device: where the sums live.
    """

    def __init__(self, parts: Sequence[str], n_outputs: int, device: torch.device) -> None:
        self.parts = tuple(parts)
        self.outputs = (*(f"side{i}" for i in range(1, n_outputs)), "final")
        shape = (len(self.parts), n_outputs)
        self.tensors = {
            "terms": torch.zeros(shape, dtype=torch.float64, device=device),
            "hits": torch.zeros((), dtype=torch.int64, device=device),
            "seen": torch.zeros((), dtype=torch.int64, device=device),
            "broken_at": torch.full(shape, NEVER, dtype=torch.int64, device=device),
        }

    def reset(self) -> None:
        """Start an epoch."""
        for name, tensor in self.tensors.items():
            tensor.fill_(NEVER if name == "broken_at" else 0)

    @torch.no_grad()
    def add(self, terms: Tensor, logits: Tensor, targets: Tensor, step: int) -> None:
        """Count one step: terms (P, O) as means over the batch, the final output's logits (B, C), targets (B,)."""
        self.tensors["terms"] += terms * len(targets)
        self.tensors["hits"] += (logits.argmax(dim=1) == targets).sum()
        self.tensors["seen"] += len(targets)
        self.tensors["broken_at"].clamp_(max=torch.where(torch.isfinite(terms), NEVER, step))

    def first_broken(self) -> int:
        """The first step, from 0, with a term that was no number; NEVER where there is none."""
        return int(self.tensors["broken_at"].min())

    def require_finite(self, epoch: int) -> None:
        """Raise Diverged with the first step and term that was no number; `epoch` counts from 1."""
        broken = self.tensors["broken_at"].cpu()
        first = int(broken.min())
        if first == NEVER:
            return
        part, output = divmod(int(broken.flatten().argmin()), len(self.outputs))
        raise Diverged(epoch, first + 1, f"{self.parts[part]} of output {self.outputs[output]}")

    def means(self, side_weight: float) -> dict[str, float]:
        """Means over the epoch's images: the whole loss, each output's, each part's, and the share of hits."""
        seen = int(self.tensors["seen"])
        terms = self.tensors["terms"].cpu() / seen
        per_output = terms.sum(dim=0)
        row = {"loss": float(per_output[-1] + side_weight * per_output[:-1].sum())}
        row |= {f"loss_{name}": float(value) for name, value in zip(self.outputs, per_output, strict=True)}
        if len(self.parts) > 1:
            row |= {f"loss_{name}": float(value) for name, value in zip(self.parts, terms.sum(dim=1), strict=True)}
        return row | {"train_accuracy": int(self.tensors["hits"]) / seen}
