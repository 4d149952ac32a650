"""Scanners: what they write, how they reconstruct, and the couch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.anatomy import Anatomy
from dsn_saal.phantom.grid import MATRIX, Grid, Image, blur, ellipse
from dsn_saal.phantom.texture import correlated_noise

PADDING = -2000
"""Stored value outside the scan circle where the manufacturer pads."""

_LIFT = 2048


@dataclass(frozen=True)
class Model:
    """One scanner model.

    Attributes:
        manufacturer, name: as in the DICOM header.
        kernels: name, width of the blur (px), edge enhancement (share), grain of the noise (px), noise (HU).
        intercept: RescaleIntercept.
        pads: whether pixels outside the scan circle are padding.
    """

    manufacturer: str
    name: str
    kernels: tuple[tuple[str, float, float, float, float], ...]
    intercept: int
    pads: bool


MODELS = {
    "SIEMENS": (
        Model(
            "SIEMENS", "SOMATOM Definition AS", (("B31f", 0.9, 0.0, 1.1, 8), ("B60f", 0.6, 0.35, 0.8, 14)), -1024, False
        ),
        Model("SIEMENS", "Emotion 16 (2007)", (("B41s", 0.8, 0.0, 1.0, 10), ("B70s", 0.6, 0.5, 0.7, 15)), -1024, False),
    ),
    "GE": (
        Model(
            "GE MEDICAL SYSTEMS",
            "LightSpeed VCT",
            (("STANDARD", 0.9, 0.0, 1.1, 9), ("LUNG", 0.6, 0.5, 0.7, 15)),
            -1024,
            True,
        ),
        Model(
            "GE MEDICAL SYSTEMS", "BrightSpeed", (("STANDARD", 0.9, 0.0, 1.1, 10), ("CHST", 0.7, 0.2, 0.9, 12)), 0, True
        ),
    ),
}
"""Models by maker; a cohort holds as many cases of one maker as of the other in each class."""


@dataclass(frozen=True)
class Scan:
    """How one case was scanned: the model, kernel and noise, the grid, the couch."""

    model: Model
    kernel: tuple[str, float, float, float, float]
    noise_hu: float
    kvp: int
    current_ma: int
    grid: Grid
    couch_y: float
    blanket: float


def draw_scan(anatomy: Anatomy, maker: str, rng: np.random.Generator) -> Scan:
    """A scan of a patient at random on a scanner of one maker; nothing here knows the patient's class."""
    model = MODELS[maker][int(rng.integers(len(MODELS[maker])))]
    kernel = model.kernels[int(rng.integers(len(model.kernels)))]
    filled = rng.uniform(0.95, 1.12)  # above 1 the flanks lie outside the field of view
    spacing = min(0.85, max(0.55, 2 * anatomy.body_half_width / (MATRIX * filled)))
    middle = (anatomy.back_y - anatomy.half_depth - 20) / 2
    roll = rng.uniform(-0.06, 0.06)
    grid = Grid(
        spacing_mm=round(spacing * 512) / 512,
        centre_mm=(round(rng.uniform(-14, 14), 1), round(middle + rng.uniform(-14, 22), 1)),
        roll=(float(np.cos(roll)), float(np.sin(roll))),
    )
    size = anatomy.body_half_width / 165
    return Scan(
        model=model,
        kernel=kernel,
        noise_hu=kernel[4] * rng.uniform(0.8, 1.15) * min(1.15, size),
        kvp=int(rng.choice([100, 120, 120, 130])) if maker == "SIEMENS" else int(rng.choice([100, 120, 120, 140])),
        current_ma=int(rng.integers(60, 320)),
        grid=grid,
        couch_y=anatomy.back_y + rng.uniform(3, 8),
        blanket=rng.uniform(2, 9) if rng.random() < 0.4 else 0.0,
    )


def paint_couch(image: Image, scan: Scan) -> None:
    """Draw mattress and couch top: two thin shells with foam between, hollowed for the patient."""
    grid = scan.grid.upright()
    wide, deep = 255.0, 95.0
    y = scan.couch_y + 14
    for lower, value, width in ((0.0, -970, 13.0), (9.0, -180, 2.2), (17.0, -975, 13.0), (27.0, -120, 3.0)):
        arc = ellipse(0, y - deep + lower, wide, deep)
        grid.stroke(image, arc[arc[:, 1] > y - deep + 22], value, width)


def paint_blanket(image: Image, scan: Scan, anatomy: Anatomy, s: float, level: int) -> None:
    """Draw a blanket's fold above the body, if there is one."""
    if not scan.blanket:
        return
    cover = anatomy.trunk(min(s, 0.6), -scan.blanket)
    front = cover[cover[:, 1] < -0.2 * anatomy.half_depth]
    wave = np.sin(np.arange(len(front)) * 0.8 + level * 0.5) * 2.5
    scan.grid.stroke(image, front + np.stack([0 * wave, wave - 4], axis=1), -760, 1.6)


def reconstruct(image: NDArray[np.int16], scan: Scan, s: float, rng: np.random.Generator) -> NDArray[np.int16]:
    """Blur, edge enhancement and noise of the scanner: HU (512, 512) in, HU out, nothing below -1024."""
    _, sigma, edge, grain, _ = scan.kernel
    lifted = blur((image.astype(np.int32) + _LIFT).astype(np.uint16), sigma)
    sharp = lifted.astype(np.float32)
    if edge:
        sharp += np.float32(edge) * (sharp - blur(lifted, 1.4).astype(np.float32))
    noise = correlated_noise(rng, grain)
    noise *= _noise_map(np.float32(scan.noise_hu * (1 + 5 * max(0.0, s - 0.84))))
    sharp += noise
    return np.clip(np.rint(sharp) - _LIFT, -1024, 3071).astype(np.int16)


_OFF_CENTRE = (np.arange(MATRIX, dtype=np.float32) - np.float32((MATRIX - 1) / 2)) ** 2
_RADIUS_SQUARED = _OFF_CENTRE[:, None] + _OFF_CENTRE[None, :]


def _noise_map(level_hu: np.float32) -> NDArray[np.float32]:
    """Noise is strongest where the rays have passed most tissue: in the middle."""
    return level_hu * (np.float32(1.15) - _RADIUS_SQUARED * np.float32(0.45 / (MATRIX / 2) ** 2))


def outside_scan_circle() -> NDArray[np.bool_]:
    """Pixels beyond the circle that a padding scanner reconstructs, (512, 512)."""
    return np.greater(_RADIUS_SQUARED, np.float32((MATRIX / 2) ** 2))
