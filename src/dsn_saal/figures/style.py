"""One look for all figures, and bytes that depend on the numbers only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from dsn_saal.domain.origin import PHANTOM_MARK, Origin
from dsn_saal.storage.atomic import replacing

LINES = (
    ("#0072B2", (0, (5, 2))), ("#D55E00", "solid"), ("#009E73", (0, (1, 1.5))), ("#CC79A7", (0, (6, 2, 1, 2))),
    ("#56B4E9", "solid"), ("#E69F00", (0, (3, 1, 1, 1, 1, 1))), ("#000000", (0, (1, 3))),
    ("#882255", "solid"), ("#666666", (0, (2, 1))), ("#999933", (0, (8, 2, 2, 2))),
)  # fmt: skip
"""Colour and dash of each line: Okabe and Ito's palette for the colour-blind, then Tol's; dashes for grey print."""

OUTLINE = "#E69F00"
"""Colour of a mask's outline: bright against every grey of a lung."""

DPI = 300
"""Dots per inch of the PNG."""

_STYLE: Any = {
    "font.family": "DejaVu Sans",  # shipped with matplotlib, so the same everywhere
    "font.size": 8,
    "axes.titlesize": 8,
    # right above the axes, as where nothing is in the way, and not searched for: that measures every tick, seen or not
    "axes.titley": 1.0,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "svg.fonttype": "path",
    "svg.hashsalt": "dsn-saal",
    "path.simplify": True,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw and save inside this context."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def mark_origin(figure: Figure, origin: Origin) -> None:
    """Print across the top that the data are phantoms, where they are."""
    if origin == "phantom":
        figure.suptitle(PHANTOM_MARK.upper(), fontsize=9, fontweight="bold", color="#B00020")


def write_figure_files(figure: Figure, stem: Path) -> None:
    """Write STEM.svg and STEM.png without dates, versions or random names in them."""
    with replacing(stem.with_name(f"{stem.name}.svg")) as part:
        FigureCanvasSVG(figure).print_svg(part, metadata={"Date": None, "Creator": None})
    with replacing(stem.with_name(f"{stem.name}.png")) as part:
        figure.set_dpi(DPI)
        FigureCanvasAgg(figure).print_png(part, metadata={"Software": None})
