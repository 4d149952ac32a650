"""The self-adaptive auxiliary loss, equations (5) to (10), in the form that never overflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.losses.objective import Loss, log_probabilities

Start = Literal["normal", "uniform"] | float

LARGEST_RAW = 700.0
"""Beyond it exp(-x) underflows float64; the weight equals its limit 1/k to the last bit long before."""


def class_weights(raw_alpha: Tensor, counts: Tensor) -> Tensor:
    """Inverse effective numbers w(k) = (1 - a) / (1 - a^k) with a = sigmoid(raw_alpha), equation (5).

    Args:
        raw_alpha: scalar, float64.
        counts: training images per class, (C,), float64, at least 1.

    Returns:
        Weights (C,), float64. The relative error stays below 1e-12 for a in [0, 1 - 1e-12] and k up to 30 000, where
        the printed formula in float32 is 0/0 from raw_alpha 16.7 on.
    """
    raw = raw_alpha.clamp(max=LARGEST_RAW)
    return functional.logsigmoid(-raw).exp() / -torch.expm1(counts * functional.logsigmoid(raw))


def start_values(start: Start, count: int, generator: torch.Generator) -> Tensor:
    """Raw values (before the sigmoid), float64: N(0, 1), U(0, 1) or a constant."""
    values = torch.empty(count, dtype=torch.float64)
    if start == "uniform":
        return values.uniform_(generator=generator)
    # A constant draws too: what a run draws after it, such as the order of images, stays that of the same seed.
    values.normal_(generator=generator)
    return values if start == "normal" else values.fill_(float(start))


class Saal(Loss):
    """w(k_y) [ -log p_y + beta_o |A| (1 - p_y) ] for each output o, a mean over the batch, equation (10).

    alpha is one scalar, beta one per stage; both are sigmoids of raw parameters that are trained with the network.

    Args:
        counts: training images per class; a class without images has no weight.
        n_outputs: outputs of the network, the final one last.
        n_beta: 1 (all share one), one less than the outputs (the final output shares the last stage's), or one each.
        alpha_init: start of alpha's raw value.
        beta_init: start of each beta's raw value.
        log_zero: A < 0, the value of log 0.
        normalise_weights: rescale the class weights to sum to C, as the parent loss does and the paper does not.
        effective_number: weight the classes; without, every weight is one (ablation).
        reverse: add the reverse cross-entropy; without, beta has nothing to do (ablation).
        learn_alpha: train alpha; without, it stays where it starts (ablation).
        learn_beta: train the betas; without, they stay where they start (ablation).
        generator: source of random starts.

    Raises:
        CheckFailed: where a class has no training image.
        BadRequest: where n_beta does not fit the outputs.
    """

    parts = ("dce", "drce")
    counts: Tensor
    sharing: Tensor

    def __init__(
        self,
        counts: Sequence[int],
        *,
        n_outputs: int,
        n_beta: int,
        alpha_init: Start,
        beta_init: Start,
        log_zero: float,
        normalise_weights: bool,
        generator: torch.Generator,
        effective_number: bool = True,
        reverse: bool = True,
        learn_alpha: bool = True,
        learn_beta: bool = True,
    ) -> None:
        super().__init__()
        if min(counts) < 1:
            raise CheckFailed("a class without training images has no effective number of samples", value=list(counts))
        if n_beta not in (1, n_outputs - 1, n_outputs) or n_beta < 1:
            raise BadRequest(
                f"a network with {n_outputs} outputs has room for 1, {n_outputs - 1} or {n_outputs} betas",
                value=n_beta,
                where="n_beta of the loss",
                next_step="without deep supervision set n_beta: 1",
            )
        self.raw_alpha = nn.Parameter(start_values(alpha_init, 1, generator)[0], learn_alpha and effective_number)
        self.raw_beta = nn.Parameter(start_values(beta_init, n_beta, generator), learn_beta and reverse)
        self.effective_number, self.reverse = effective_number, reverse
        self.log_zero = log_zero
        self.normalise_weights = normalise_weights
        self.register_buffer("counts", torch.tensor(counts, dtype=torch.float64), persistent=False)
        sharing = torch.zeros(n_outputs, n_beta, dtype=torch.float64)
        sharing[torch.arange(n_outputs), torch.arange(n_outputs).clamp(max=n_beta - 1)] = 1.0
        self.register_buffer("sharing", sharing, persistent=False)

    def weights(self) -> Tensor:
        """Class weights (C,), float64."""
        if not self.effective_number:
            return torch.ones_like(self.counts)
        weights = class_weights(self.raw_alpha, self.counts)
        return weights * (len(weights) / weights.sum()) if self.normalise_weights else weights

    def betas(self) -> Tensor:
        """The beta of each output (O,), float64; zero without the reverse term."""
        if not self.reverse:
            return torch.zeros_like(self.sharing[:, 0])
        return self.sharing @ torch.sigmoid(self.raw_beta)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Terms (2, O), weighted cross-entropy and beta times weighted reverse cross-entropy, a mean over the batch."""
        chosen = functional.one_hot(targets, logits.shape[-1]).double()
        log_p = (log_probabilities(logits) * chosen).sum(dim=-1)  # (O, B)
        weight = chosen @ self.weights()  # (B,)
        # A mean over the images, not over the sum of weights: that would normalise the weights unseen.
        forward = (weight * -log_p).mean(dim=-1)
        reverse = (weight * -self.log_zero * -torch.expm1(log_p)).mean(dim=-1)
        return torch.stack([forward, self.betas() * reverse])

    @torch.no_grad()
    def state(self, classes: Sequence[str]) -> dict[str, float]:
        """The sigmoids of alpha and each beta, and the weight of each class, as they stand."""
        betas = torch.sigmoid(self.raw_beta).tolist()
        return (
            {"alpha": torch.sigmoid(self.raw_alpha).item()}
            | {f"beta_{i}": beta for i, beta in enumerate(betas, start=1)}
            | {f"w_{name}": weight for name, weight in zip(classes, self.weights().tolist(), strict=True)}
        )
