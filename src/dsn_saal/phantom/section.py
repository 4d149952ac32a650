"""A slice of a patient at any level of the chest: HU and true lungs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.disease import paint_ellipsoids
from dsn_saal.phantom.grid import MATRIX, Grid
from dsn_saal.phantom.lungs import lung_mask
from dsn_saal.phantom.organs import AIR, paint_cavity, paint_trunk
from dsn_saal.phantom.patient import Patient
from dsn_saal.phantom.scanner import paint_blanket, paint_couch, reconstruct
from dsn_saal.phantom.skeleton import paint_bones
from dsn_saal.phantom.vessels import beside, cut, only, paint

_HAZE_HU, _DENSE_HU, _VESSEL_HU, _BRONCHUS_HU = -310, 30, 45, -960
_MOST_SOLID = 0.5
"""Share of a lung's cut that may be airless: the rest, in front of a fissure, keeps its air."""

_WALLED_LEAVES, _OPEN_LEAVES = 60, 6

Layer = NDArray[np.uint8]


@dataclass(frozen=True)
class Slice:
    """One slice: HU int16 (512, 512), true lungs bool, whether any lesion was drawn into it."""

    hu: NDArray[np.int16]
    lungs: NDArray[np.bool_]
    lesion: bool


def draw_slice(patient: Patient, level: int, rng: np.random.Generator) -> Slice:
    """The slice at a level (0 lowest); `rng` gives its noise."""
    anatomy, grid, s = patient.anatomy, patient.scan.grid, patient.height_of(level)
    image = np.full((MATRIX, MATRIX), AIR, np.int16)
    paint_couch(image, patient.scan)
    paint_blanket(image, patient.scan, anatomy, s, level)
    paint_trunk(image, grid, anatomy, s)
    paint_cavity(image, grid, anatomy, s)
    mask = lung_mask(anatomy, grid, s)
    fluid = _effusion(mask, patient, s)
    paint_bones(image, grid, anatomy, s)
    image[fluid > 0] = 12
    mask &= ~fluid
    lesion = bool(fluid.any())
    if mask.any():
        lesion |= _paint_lungs(image, mask, patient, level)
    return Slice(reconstruct(image, patient.scan, s, rng), mask > 0, lesion)


def _effusion(mask: Layer, patient: Patient, s: float) -> Layer:
    """Free fluid: a crescent behind the lungs, thicker towards the base, none in the margins."""
    fluid = np.zeros_like(mask)
    grid = patient.scan.grid
    if not 0.14 < s < 0.5 or not any(patient.disease.effusion_mm):
        return fluid
    middle = int(grid.fixed_point(np.zeros((1, 2)))[0, 0]) // 16
    for part, depth in ((slice(None, middle), 0), (slice(middle, None), 1)):
        rows = grid.pixels(max(0.1, patient.disease.effusion_mm[depth] * (1 - s / 0.5)))
        if patient.disease.effusion_mm[depth] and rows >= 3:
            lifted = np.zeros_like(mask)
            lifted[:-rows] = mask[rows:]
            back = int(grid.fixed_point(np.array([[0, 0.35 * patient.anatomy.half_depth]]))[0, 1]) // 16
            fluid[back:, part] = (mask & ~lifted)[back:, part]
    return fluid


def _paint_lungs(image: NDArray[np.int16], mask: Layer, patient: Patient, level: int) -> bool:
    """Draw lung, lesions, vessels and bronchi inside the mask; says whether there was a lesion."""
    grid, z = patient.scan.grid, patient.height_of(level) * patient.anatomy.height
    fine = patient.fine.at(level)
    lung = _parenchyma(patient, grid, level, fine)
    haze, dense = _lesion_layers(mask, patient, level, z)
    if haze is not None:
        _blend(lung, haze, _HAZE_HU + fine // 2)
        if patient.disease.paving:
            web = (np.abs(patient.web.at(level)) < 11) * np.int32(round(200 * patient.disease.paving))
            lung += (haze * web // 255).astype(np.int16)
    if dense is not None:
        _blend(lung, dense, _DENSE_HU + fine // 6)
    vessels, bronchi = _tree_layers(patient, grid, z)
    _blend(lung, vessels, np.maximum(lung, _VESSEL_HU))
    _blend(lung, bronchi, np.int16(_BRONCHUS_HU))
    np.copyto(image, lung, where=mask > 0)
    return haze is not None or dense is not None


def _blend(below: NDArray[np.int16], share: Layer, above: NDArray[Any] | np.int16) -> None:
    """Mix `above` into `below` by share / 255, in place, in whole numbers."""
    below += ((above - below.astype(np.int32)) * share // 255).astype(np.int16)


def _parenchyma(patient: Patient, grid: Grid, level: int, fine: NDArray[np.int16]) -> NDArray[np.int16]:
    lungs, depth = patient.lungs, patient.anatomy.half_depth
    y = (np.arange(MATRIX) - (MATRIX - 1) / 2) * grid.spacing_mm + grid.centre_mm[1]
    share = np.clip(y / depth, -1, 1)
    dependent = np.clip((y / depth - 0.62) / 0.3, 0, 1)
    rows = np.rint(lungs.air_hu + lungs.gradient_hu * share + lungs.dependent_hu * dependent * dependent)
    field = patient.coarse.at(level) // 2 + fine // 2
    mottle = np.int32(round(256 * lungs.mottle))
    return (rows.astype(np.int32)[:, None] + ((field * mottle) >> 8)).astype(np.int16)


def _lesion_layers(mask: Layer, patient: Patient, level: int, z: float) -> tuple[Layer | None, Layer | None]:
    """How much of the air is gone, 0 to 255, by ground glass and by consolidation; None where there is none."""
    disease, grid, height = patient.disease, patient.scan.grid, patient.anatomy.height
    layers: list[Layer | None] = []
    for found, strength, soft in (
        (disease.haze, disease.haze_strength, 3.5),
        (disease.dense, disease.dense_strength, 4.0),
    ):
        layer = np.zeros_like(mask)
        if not paint_ellipsoids(layer, grid, found, height, z) or not (layer & mask).any():
            layers.append(None)
            continue
        shape = grid.blur(layer, soft).astype(np.int16) + patient.coarse.at(level) // 3 + patient.fine.at(level) // 2
        edge = np.clip((shape - 96) * 2, 0, 255)
        layers.append((edge * np.int32(round(256 * strength)) >> 8).astype(np.uint8))
    haze, dense = layers
    return haze, None if dense is None else _aerated(dense, mask, grid)


def _aerated(dense: Layer, mask: Layer, grid: Grid) -> Layer:
    """Consolidation that leaves some air: in a rim below the pleura, and in front of a fissure where it fills a lung.

    Without it a threshold would lose the lung altogether, as it does in real slices, but here in too many.
    """
    inner = cv2.blur(mask, (2 * grid.pixels(8.0) + 1,) * 2).astype(np.int32)
    kept = np.clip((inner - 120) * 2, 150, 255) * dense // 255
    middle = int(grid.fixed_point(np.zeros((1, 2)))[0, 0]) // 16
    rows, columns = (np.arange(side, dtype=np.int32) for side in mask.shape)
    depth = MATRIX + rows[:, None] - np.abs(columns - middle) // 3  # a fissure slants forward from the hilum
    for side in (slice(None, middle), slice(middle, None)):
        solid = (dense[:, side] > 127) & (mask[:, side] > 0)
        most = round(_MOST_SOLID * cv2.countNonZero(mask[:, side]))
        if np.count_nonzero(solid) > most:
            behind = np.cumsum(np.bincount(depth[:, side][solid], minlength=2 * MATRIX)[::-1])[::-1]
            fissure = int(np.flatnonzero(behind > most)[-1])
            kept[:, side] = kept[:, side] * np.clip((depth[:, side] - fissure) * 24, 0, 255) // 255
    return kept.astype(np.uint8)


def _tree_layers(patient: Patient, grid: Grid, z: float) -> tuple[Layer, Layer]:
    """Vessels with bronchial walls, and the air in the bronchi, as 0 to 255."""
    vessels, bronchi = (np.zeros((MATRIX, MATRIX), np.uint8) for _ in range(2))
    for side in (-1, 1):
        paint(vessels, grid, cut(patient.veins[side], z))
        arteries = cut(patient.arteries[side], z)
        airways = beside(only(arteries, arteries.served >= _OPEN_LEAVES), (2.2 * side, -1.8), 0.60)
        walled = only(airways, airways.served >= _WALLED_LEAVES)
        paint(vessels, grid, walled, wider_mm=0.8, strength=0.55)
        paint(vessels, grid, arteries)
        paint(bronchi, grid, airways)
    return grid.blur(vessels, 0.35), grid.blur(bronchi, 0.3)
