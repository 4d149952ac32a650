"""One patient: anatomy, scan, lungs, vessels and disease, drawn once for all slices of the case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsn_saal.phantom.anatomy import Anatomy, draw_anatomy
from dsn_saal.phantom.disease import Disease, draw_disease
from dsn_saal.phantom.lungs import HIGHEST, LOWEST, lung_volume
from dsn_saal.phantom.scanner import Scan, draw_scan
from dsn_saal.phantom.texture import Field
from dsn_saal.phantom.vessels import Tree, draw_tree

SLICE_MM = 5.0
"""Slice thickness and distance of levels (paper section 4.1)."""


@dataclass(frozen=True)
class Lungs:
    """Density and dependent gradient of the lungs between the vessels (HU), mottle (share)."""

    air_hu: float
    gradient_hu: float
    dependent_hu: float
    mottle: float


@dataclass(frozen=True)
class Patient:
    """Everything that the slices of one case have in common."""

    anatomy: Anatomy
    scan: Scan
    levels: int
    lungs: Lungs
    arteries: dict[int, Tree]
    veins: dict[int, Tree]
    disease: Disease
    coarse: Field
    fine: Field
    web: Field

    def height_of(self, level: int) -> float:
        """Height s of a level (0 is the lowest with lung)."""
        return LOWEST + (HIGHEST - LOWEST) * (level + 0.5) / self.levels


def draw_patient(class_name: str, mild: bool, maker: str, n_slices: int, rng: np.random.Generator) -> Patient:
    """A patient at random. The class is used last, so that nothing but lesions can depend on it.

    Args:
        class_name: covid19, bacterial_pneumonia or normal.
        mild: few, small, faint lesions.
        maker: key of `scanner.MODELS`.
        n_slices: slices to be taken; lungs are made tall enough to give them.
        rng: the case's own generator.
    """
    anatomy = draw_anatomy(rng)
    levels = max(n_slices, int((HIGHEST - LOWEST) * anatomy.height / SLICE_MM))
    scan = draw_scan(anatomy, maker, rng)
    lungs = Lungs(
        air_hu=rng.uniform(-890, -815),
        gradient_hu=rng.uniform(20, 70),
        dependent_hu=rng.uniform(60, 180) if rng.random() < 0.4 else 0.0,
        mottle=rng.uniform(0.15, 0.45),
    )
    volume = lung_volume(anatomy, scan.grid)
    n_leaves = int(rng.integers(260, 440))
    arteries = {side: draw_tree(volume, side, n_leaves, rng) for side in (-1, 1)}
    veins = {side: draw_tree(volume, side, n_leaves // 2, rng) for side in (-1, 1)}
    coarse, fine, web = (Field(rng, levels, cells) for cells in (24, 72, 110))
    disease = draw_disease(class_name, mild, volume, arteries, rng)
    return Patient(anatomy, scan, levels, lungs, arteries, veins, disease, coarse, fine, web)
