"""How lungs are found: everything that section 4.2 of the paper says or leaves open, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LungRecipe:
    """How lungs are found.

    Attributes:
        threshold: grey value of the binarisation.
        tissue_side: whether tissue is "at_or_above" the threshold or "above" it.
        order: "close_first" (close, open, choose) or "open_first" (open, choose, close).
        close_px: closing radius at 512.
        open_px: opening radius at 512.
        n_regions: how many of the largest regions are lung.
        fewest_px: smallest region at 512 that may be lung.
        candidates: "any" air inside the body, or "lung_density": only regions whose core is as dense as lung.
        dense_grey: largest median grey value of lung; denser regions are noise in fat.
        gas_grey: largest median grey value of gas (trachea, bowel).
        gas_share: a region of a larger share of the body's rectangle is lung however thin its tissue.
        core_px: how deep inside a region its density is judged, at 512.
        midline: "as_closed", or "split": each side of the body has one lung, which is closed by itself and stays whole.
        hull: "per_region" or "joint".
        bone_grey: smallest grey value of bone.
        bone_px: a region that is not larger than `gas_share` must have a rib's worth of bone so near, at 512; with 0
            it need not.
        airways: those that are joined to a lung are "cut_out" or "kept".
        pieces: "largest" region of each lung, or "all" of at least `fewest_px` (they count where lungs are split).
        cut_off: a lung that the field of view cuts off is "dropped", or "found" up to the image border.
    """

    threshold: int
    tissue_side: str
    order: str
    close_px: int
    open_px: int
    n_regions: int
    fewest_px: int
    candidates: str
    dense_grey: int
    gas_grey: int
    gas_share: float
    core_px: int
    midline: str
    hull: str
    bone_grey: int
    bone_px: int
    airways: str
    pieces: str
    cut_off: str
