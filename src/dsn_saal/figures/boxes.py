"""Boxes with words and arrows between them: what the drawn charts are made of."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

FILLS = ("#CFE3F1", "#FBE3B5", "#CDEBDF", "#F3D5E5", "#DDDDDD", "#D6EAF8", "#F9D9C3", "#EFEFC6", "#E3DAF0", "#F7F7F7")
"""Light tints of the palette: a stage each; words on them stay black, and order tells what colour does."""

INK = "#333333"
"""Colour of arrows and borders."""


def blank(figure: Figure, width: float, height: float) -> Axes:
    """An axis without frame over the whole figure, in inches from the upper left corner, x to the right, y down."""
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.set_axis_off()
    return axis


def draw_box(
    axis: Axes,
    place: tuple[float, float],
    size: tuple[float, float],
    text: str,
    *,
    fill: str,
    points: float = 6.5,
    weight: str = "normal",
) -> None:
    """A rounded box, its upper left corner at `place`, with words in its middle."""
    (x, y), (width, height) = place, size
    axis.add_patch(
        FancyBboxPatch(
            (x, y), width, height, boxstyle="round,pad=0,rounding_size=0.05", facecolor=fill, edgecolor=INK,
            linewidth=0.6,
        )
    )  # fmt: skip
    axis.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=points, fontweight=weight)


def draw_arrow(
    axis: Axes, start: tuple[float, float], end: tuple[float, float], *, bend: float = 0.0, strong: bool = True
) -> None:
    """An arrow; `bend` is its bow as a share of its length, a faint one is grey and thin."""
    axis.add_patch(
        FancyArrowPatch(
            start, end, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>", mutation_scale=7 if strong else 5,
            color=INK if strong else "#9a9a9a", linewidth=1.1 if strong else 0.5, shrinkA=0, shrinkB=0,
            zorder=3 if strong else 2,
        )
    )  # fmt: skip
