"""What training will cost before it starts: runs to do, operations, hours on this device, disk.

Meta-Weight-Net's step passes each training image through the network in the virtual step (forward and backward), in the
pass of second order (what torch does there: four convolutions a layer, two where the input needs no slope), and in the
real step; and each meta image once forward and backward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from dsn_saal.data import open_images
from dsn_saal.domain.errors import BadRequest
from dsn_saal.models import build_network
from dsn_saal.models.flops import Flops, count_flops
from dsn_saal.params.jobs import TrainJob, network_arguments
from dsn_saal.params.methods import MetaWeight, SelfTrans
from dsn_saal.train.disk import Disk, disk_of
from dsn_saal.train.inputs import training_slices
from dsn_saal.train.pretrain import encoder_of
from dsn_saal.train.speed import images_per_second, meta_share
from dsn_saal.train.tracks import Places, Tracks, tracks_of


@dataclass(frozen=True)
class Plan:
    """The cost of one experiment.

    Attributes:
        name: of the experiment.
        runs: how many it has.
        tracks: how many of them lie finished in the results or the state, and how many of other inputs do.
        parameters: of the network, side branches included.
        images: training images, None where the split is not made yet; those that leave for a meta set among them.
        flops_per_image: operations of all passes that a training image causes.
        epochs: of each run.
        images_per_second: measured on this device, None where it was not measured.
        pretraining_flops: operations of a run's contrastive phases, None where their images are not known yet.
        disk: that of one run.
        kept: how many runs keep their weights.
    """

    name: str
    runs: int
    tracks: Tracks
    parameters: int
    images: int | None
    flops_per_image: int
    epochs: int
    images_per_second: float | None
    pretraining_flops: int | None
    disk: Disk
    kept: int

    @property
    def done(self) -> int:
        """Runs that training will not train again."""
        return self.tracks.done

    @property
    def flops(self) -> float | None:
        """Operations of the runs still to do."""
        return None if self._left is None else float(self.flops_per_image * self._left)

    @property
    def hours(self) -> float | None:
        """Time of the runs still to do, at the measured speed; that of contrastive phases by their operations."""
        if self.done == self.runs:
            return 0.0
        if self._left is None or self.images_per_second is None:
            return None
        return self._left / self.images_per_second / 3600

    @property
    def weight_bytes(self) -> int:
        """Disk that the weights take that are kept."""
        return self.kept * self.disk.weights

    @property
    def peak_bytes(self) -> int:
        """Disk that weights and checkpoints take at most, while the last run trains.

        Which run is the median is known when that run is finished.
        """
        return (self.runs - 1) * self.disk.weights + self.disk.while_training

    @property
    def _left(self) -> float | None:
        """Images still to go through training, an image of a contrastive phase counting by its operations."""
        if self.images is None or self.pretraining_flops is None:
            return None
        return (self.runs - self.done) * (self.epochs * self.images + self.pretraining_flops / self.flops_per_image)


def plan_experiment(job: TrainJob, places: Places, *, device: str, measure: bool, code: str | None = None) -> Plan:
    """The cost of one experiment.

    A run counts as done where training would accept it, as far as that can be known here: its settings, seed, versions
    and device are compared always; its draw and the hashes of split and images where those files lie here; the digest
    of the code where it is given.

    Args:
        job: settings of the experiment.
        places: where its files lie, or will.
        device: "auto", "cpu", "cuda" or "cuda:N".
        measure: whether to time a step, where something is known to be to do.
        code: digest of the code that would train.
    """
    with torch.device("meta"):
        network = build_network(**network_arguments(job))
    tracks = tracks_of(job, places, device=device, code=code)
    n_images = _images(places.split)
    asked = measure and n_images is not None and tracks.done < job.train.runs
    return Plan(
        name=job.name,
        runs=job.train.runs,
        kept={"all": job.train.runs, "median": 1, "none": 0}[job.train.keep_weights],
        tracks=tracks,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        images=n_images,
        flops_per_image=flops_per_image(job, count_flops(network, job.image_size)),
        epochs=job.regimen.epochs,
        images_per_second=images_per_second(job, device) if asked else None,
        pretraining_flops=_of_phases(job, n_images, places.unlabelled),
        disk=disk_of(job, network),
    )


def flops_per_image(job: TrainJob, flops: Flops) -> int:
    """Operations that a training image causes, its share of the meta images among them."""
    if not isinstance(job.method, MetaWeight):
        return flops.training
    second_order = 2 * (flops.training - flops.forward)
    return 2 * flops.training + second_order + round(flops.training * meta_share(job, job.method))


def _of_phases(job: TrainJob, training: int | None, unlabelled: Sequence[Path]) -> int | None:
    """Operations of a run's contrastive phases: both passes of the query encoder, the forward pass of the key's."""
    if not isinstance(job.method, SelfTrans):
        return 0
    try:
        others = sum(len(open_images(folder / "images.npy")) for folder in unlabelled)
    except BadRequest:
        return None
    if training is None:
        return None
    images = {"unlabelled": others, "training_part": training}
    flops = count_flops(encoder_of(job, job.method.contrast, None, "none"), job.image_size)
    return sum(phase.regimen.epochs * images[phase.on] for phase in job.phases) * (flops.training + flops.forward)


def _images(split: Path) -> int | None:
    try:
        return len(training_slices(split, 0).rows)
    except BadRequest:
        return None
