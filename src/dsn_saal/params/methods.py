"""The section `methods`: what a method does besides choosing a network and a loss."""

from __future__ import annotations

from typing import Literal

from dsn_saal.params.base import Name, Section, ours


class Supervised(Section):
    """Learn from labels by one regimen."""

    kind: Literal["supervised"]
    regimen: Name = ours("regimen of the classifier")


Method = Supervised
