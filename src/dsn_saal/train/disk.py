"""What one run takes of the disk, as far as it grows with the network."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from dsn_saal.params.jobs import TrainJob
from dsn_saal.params.methods import SelfTrans
from dsn_saal.params.regimens import Regimen
from dsn_saal.train.pretrain import encoder_of

FLOAT_BYTES = 4


@dataclass(frozen=True)
class Disk:
    """Bytes of one run.

    Attributes:
        weights: of a finished run, of every epoch that votes.
        while_training: at most, before it is finished: the weights of earlier epochs that vote, and the checkpoints.
    """

    weights: int
    while_training: int


def disk_of(job: TrainJob, network: nn.Module) -> Disk:
    """The disk of one run: a checkpoint lies there twice while the next one takes its place.

    The encoders' checkpoint stays until the run is finished.
    """
    one, earlier = _of_state(network), job.regimen.vote_epochs - 1
    best = one if job.train.select_epoch == "best_validation" else 0
    checkpoint = one + best + _of_optimizer(network, job.regimen)
    encoders = _of_encoders(job)
    return Disk(
        weights=(earlier + 1) * one, while_training=max(earlier * one + 2 * checkpoint + encoders, 2 * encoders)
    )


def _of_encoders(job: TrainJob) -> int:
    """A checkpoint of query, key, queue and the optimizer of a phase."""
    if not isinstance(job.method, SelfTrans):
        return 0
    settings = job.method.contrast
    encoder = encoder_of(job, settings, None, "none")
    optimizer = max(_of_optimizer(encoder, phase.regimen) for phase in job.phases)
    return 2 * _of_state(encoder) + optimizer + FLOAT_BYTES * settings.dim * settings.queue


def _of_state(network: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())


def _of_optimizer(network: nn.Module, regimen: Regimen) -> int:
    """What an optimizer remembers of each parameter: Adam two averages, gradient descent its momentum."""
    chosen = regimen.optimizer
    remembered = 2 if chosen.kind == "adam" else int(chosen.momentum > 0)
    return remembered * FLOAT_BYTES * sum(parameter.numel() for parameter in network.parameters())
