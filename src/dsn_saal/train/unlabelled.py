"""Slices of other data sets that an experiment learns from without their labels: certified first, then read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsn_saal.data import open_images
from dsn_saal.domain.errors import CheckFailed
from dsn_saal.domain.named import require_named
from dsn_saal.params.jobs import TrainJob
from dsn_saal.params.methods import SelfTrans
from dsn_saal.storage.listing import sha256_of
from dsn_saal.train.inputs import require_certificate


@dataclass(frozen=True)
class Unlabelled:
    """Unlabelled data sets of an experiment, by name in the method's order.

    Attributes:
        images: folder with images.npy of each.
        certificates: certificate of each against the experiment's split.
    """

    images: Mapping[str, Path]
    certificates: Mapping[str, Path]

    def require_named(self, job: TrainJob) -> None:
        """Raise BadRequest where the command names other data sets than the method."""
        wanted = job.method.unlabelled if isinstance(job.method, SelfTrans) else ()
        for option, given in (("--unlabelled", self.images), ("--unlabelled-certificate", self.certificates)):
            require_named(option, given, wanted)

    def require_certified(self, job: TrainJob, hashes: Mapping[str, Any]) -> list[set[str]]:
        """Refuse slices that are in the test part, and certificates of other files.

        Args:
            job: settings of the experiment.
            hashes: SHA-256 of the experiment's images, of its split and of each unlabelled set's images, as a run's
                identity names them.

        Returns:
            Per certificate the accepted findings that name nothing in it.

        Raises:
            BadRequest: where a certificate is missing or none.
            CheckFailed: where it has a finding that is not accepted, or speaks of other files.
        """
        unused = []
        for name, path in self.certificates.items():
            leaks = f"slices of {name} are in the test part of the split, and would be learned from"
            unused.append(set(require_certificate(path, job.accept, leaks=leaks, command="dsn-saal certify")))
            certified = json.loads(path.read_text(encoding="utf-8")).get("certified", {})
            here = {**hashes, "unlabelled_sha256": hashes["unlabelled_sha256"][name]}
            differing = [key for key, digest in here.items() if certified.get(key) != digest]
            if differing:
                raise CheckFailed(
                    "the certificate speaks of other files than those that train",
                    value=", ".join(differing),
                    where=path,
                    next_step="run dsn-saal certify again",
                )
        return unused

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each set's images."""
        return {name: sha256_of(folder / "images.npy") for name, folder in self.images.items()}

    def read(self, image_size: int) -> NDArray[np.uint8] | None:
        """All slices (n, S, S), the sets one after another; None where there is none.

        Raises:
            BadRequest: where a file is missing or no array.
            CheckFailed: where a set has images of another size.
        """
        found = [open_images(folder / "images.npy") for folder in self.images.values()]
        for folder, images in zip(self.images.values(), found, strict=True):
            if images.shape[1] != image_size:
                raise CheckFailed(
                    "unlabelled images have another size than the network's",
                    value=f"{images.shape[1]}, not {image_size} pixels",
                    where=folder,
                    next_step="run preprocess again",
                )
        return np.concatenate(found) if found else None
