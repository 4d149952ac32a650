"""One patient's thorax: its measures, and the outline of every organ at every height.

Millimetres; x to the patient's left, y to the back, and the height s from 0 (deepest recess) to 1 (apex of the lungs).
Proportions follow axial chest CT of adults, supine, arms raised, in deep inspiration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsn_saal.phantom.grid import Points, egg, ellipse, rippled

_S_WIDTH = (0.0, 0.15, 0.35, 0.55, 0.70, 0.80, 0.88, 0.94, 1.0)
_WIDTH = (0.93, 0.98, 1.0, 0.96, 0.88, 0.80, 0.69, 0.56, 0.40)
_FRONT = (0.86, 0.95, 1.0, 0.97, 0.86, 0.72, 0.50, 0.28, 0.06)
_BACK = (1.0, 1.0, 1.0, 0.99, 0.96, 0.92, 0.86, 0.78, 0.64)
_S_MEDIASTINUM = (0.0, 0.15, 0.30, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)
_RIGHT = (24, 30, 34, 32, 31, 29, 28, 29, 31, 36)
_LEFT = (24, 32, 33, 31, 31, 33, 31, 29, 31, 36)
_S_HEART = (0.05, 0.14, 0.28, 0.40, 0.50, 0.58)
_HEART = (0.50, 0.85, 1.0, 0.90, 0.62, 0.0)


def _at(s: float, heights: tuple[float, ...], values: tuple[float, ...]) -> float:
    return float(np.interp(s, heights, values))


@dataclass(frozen=True)
class Dome:
    """One side of the diaphragm. No two people's are alike, and the lowest slices show little else.

    Attributes:
        top: its height s.
        x, y: how far its middle lies from the usual place (mm; x away from the midline).
        wide, deep: its size, 1 for the usual one.
        turn: of its axis in radians.
        steep: exponent with which it opens downwards.
        ripples: how it departs from an ellipse (see `rippled`).
    """

    top: float
    x: float
    y: float
    wide: float
    deep: float
    turn: float
    steep: float
    ripples: tuple[float, ...]


@dataclass(frozen=True)
class Anatomy:
    """Measures of one patient (mm, or shares where no unit is named).

    Attributes:
        height: from the deepest recess to the apex.
        half_width, half_depth: of the thoracic cavity at its widest.
        square: how boxy the cavity is.
        fat, muscle: thickness of the layers round the ribs.
        breast: size of the breasts, 0 for none.
        heart: size of the heart; heart_turn: its axis in radians.
        dome_right, dome_left: the diaphragm.
        junction: half the distance of the lungs behind the sternum; behind: the same in front of the spine.
        waist_right, waist_left: width of the mediastinum, 1 for the usual one; waist_at: where its widest part lies,
            as a share of its depth.
        trachea: radius; carina: height s of its fork.
        gas: radius of the stomach's gas bubble, 0 for none.
        rib_phase: where in the rib cage's period the first rib lies.
        ripples: how the trunk departs from a perfect oval (see `rippled`).
    """

    height: float
    half_width: float
    half_depth: float
    square: float
    fat: float
    muscle: float
    breast: float
    heart: float
    heart_turn: float
    dome_right: Dome
    dome_left: Dome
    junction: float
    behind: float
    waist_right: float
    waist_left: float
    waist_at: float
    trachea: float
    carina: float
    gas: float
    rib_phase: float
    ripples: tuple[float, ...]

    @property
    def spine_y(self) -> float:
        """Middle of the vertebral bodies."""
        return 0.80 * self.half_depth

    @property
    def body_half_width(self) -> float:
        """Half the width of the trunk below the armpits."""
        return self.half_width + self.muscle + self.fat

    @property
    def back_y(self) -> float:
        """Where the skin of the back lies on the couch."""
        return self.half_depth + 30 + 0.8 * self.fat

    def cavity(self, s: float) -> Points:
        """Inner outline of the rib cage."""
        depth, wide = self.half_depth, self.half_width * _at(s, _S_WIDTH, _WIDTH)
        front, back = -depth * _at(s, _S_WIDTH, _FRONT), depth * _at(s, _S_WIDTH, _BACK)
        return rippled(egg(wide, front, back, square=self.square), self.ripples)

    def trunk(self, s: float, inset: float = 0.0) -> Points:
        """Outline of the body (skin), or of the layer `inset` mm below it."""
        wide = self.body_half_width * _at(s, (0, 0.6, 0.8, 1.0), (1.0, 1.0, 1.07, 1.15)) - inset
        lift = _at(s, (0, 0.6, 0.8, 0.95, 1.0), (1.0, 1.0, 0.86, 0.66, 0.58))
        front = -(self.half_depth + 20 + 0.7 * self.fat) * lift + inset
        outline = rippled(egg(wide, front, self.back_y - inset * 0.8, square=2.5), self.ripples, 0.8)
        groove = np.maximum(0, 1 - np.abs(outline[:, 0]) / 40) ** 2 * (outline[:, 1] > 0)
        outline[:, 1] -= (7 if inset else 4) * groove
        return outline

    def mediastinum(self, s: float) -> Points:
        """Everything between the lungs but the heart's bulge."""
        depth = self.half_depth
        front, back = -depth * _at(s, _S_WIDTH, _FRONT), depth * _at(s, _S_WIDTH, _BACK)
        wide_right = self.waist_right * _at(s, _S_MEDIASTINUM, _RIGHT)
        wide_left = self.waist_left * _at(s, _S_MEDIASTINUM, _LEFT)
        behind, waist = self.behind + 6 * abs(s - 0.5), front + self.waist_at * (back - front)
        heights = np.array([front - 12, front + 0.10 * depth, waist, max(0.45 * depth, waist + 4), back + 14])
        right = np.array([self.junction, self.junction + 1, wide_right, behind + 3, behind])
        left = np.array([self.junction, self.junction + 1, wide_left, behind + 7, behind])
        return np.concatenate([np.stack([-right, heights], 1), np.stack([left, heights], 1)[::-1]])

    def heart_outline(self, s: float) -> Points | None:
        """The heart with its sac, to the left of the midline; None above and below it."""
        size = self.heart * _at(s, _S_HEART, _HEART)
        if not 0.0 < s < _S_HEART[-1] or size < 0.15:
            return None
        lower = 1 - s / _S_HEART[-1]
        return ellipse(6 + 16 * lower, -0.36 * self.half_depth, 56 * size, 45 * size, self.heart_turn)

    def dome(self, s: float, side: int) -> Points | None:
        """What bulges up under the diaphragm on one side (-1 right: liver, +1 left: stomach, spleen); None above it."""
        dome = self.dome_right if side < 0 else self.dome_left
        if s >= dome.top:
            return None
        opened = float(((dome.top - s) / dome.top) ** dome.steep)
        wide, deep = 0.57 * dome.wide * self.half_width * opened, 0.97 * dome.deep * self.half_depth * opened
        x, y = 0.42 * self.half_width + dome.x, -0.22 * self.half_depth + dome.y
        return rippled(ellipse(side * x, y, wide, deep, -side * dome.turn), dome.ripples)

    def vertebra(self, s: float) -> Points:
        """Outline of a vertebral body with the soft tissue in front of it."""
        size = 1.0 + 0.12 * (0.5 - s)
        return ellipse(0, self.spine_y, 21 * size, 17 * size)

    def not_lung(self, s: float) -> list[Points]:
        """Outlines that the lungs leave free inside the cavity."""
        parts = [self.mediastinum(s), self.vertebra(s), self.heart_outline(s), self.dome(s, -1), self.dome(s, 1)]
        return [part for part in parts if part is not None]


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """A patient at random; nothing here knows the patient's class."""
    woman = bool(rng.integers(2))
    size = rng.uniform(0.90, 1.08)
    return Anatomy(
        height=rng.uniform(240, 290) * size,
        half_width=rng.uniform(124, 138) * size,
        half_depth=rng.uniform(86, 104) * size,
        square=rng.uniform(2.15, 2.5),
        fat=rng.uniform(5, 20) + rng.uniform(0, 14),
        muscle=rng.uniform(20, 30),
        breast=rng.uniform(25, 60) if woman else 0.0,
        heart=rng.uniform(0.88, 1.10),
        heart_turn=rng.uniform(0.25, 0.65),
        dome_right=_draw_dome(rng, 0.29, 0.38),
        dome_left=_draw_dome(rng, 0.24, 0.33),
        junction=rng.uniform(7.0, 13.0),
        behind=rng.uniform(17, 27),
        waist_right=rng.uniform(0.82, 1.22),
        waist_left=rng.uniform(0.82, 1.22),
        waist_at=rng.uniform(0.32, 0.58),
        trachea=rng.uniform(7.0, 9.5),
        carina=rng.uniform(0.57, 0.61),
        gas=rng.uniform(8, 20) if rng.random() < 0.5 else 0.0,
        rib_phase=rng.uniform(0, 1),
        ripples=_draw_ripples(rng, 0.014),
    )


def _draw_dome(rng: np.random.Generator, lowest: float, highest: float) -> Dome:
    return Dome(
        top=rng.uniform(lowest, highest),
        x=rng.uniform(-10, 10),
        y=rng.uniform(-12, 12),
        wide=rng.uniform(0.82, 1.12),
        deep=rng.uniform(0.82, 1.08),
        turn=rng.uniform(-0.1, 0.35),
        steep=rng.uniform(0.36, 0.50),
        ripples=_draw_ripples(rng, 0.025),
    )


def _draw_ripples(rng: np.random.Generator, most: float) -> tuple[float, ...]:
    return tuple(float(rng.uniform(-most, most) / wave) for wave in (1, 1, 1.3, 1.3, 2, 2, 3, 3))
