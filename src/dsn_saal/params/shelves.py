"""Where a table or a figure stands in the reports that are read on a screen: its shelf, and a figure's title."""

from __future__ import annotations

from dsn_saal.params.base import Name, Section
from dsn_saal.params.figure_jobs import CONTACT_SHEET

SHELVES = {
    "results": "Results",
    "comparisons": "Comparisons and what may be claimed",
    "verdicts": "Reported beside reproduced",
    "training": "What training does",
    "calibration": "Probabilities and decisions",
    "errors": "Errors and where the network looks",
    "shortcuts": "Controls and shortcuts",
    "data": "Data and splits",
    "choices": "Definitions and choices",
    "further": "Further results",
}
"""Shelf to its heading, in the order of the pages. What no entry below names stands under the last."""

FURTHER = "further"


class Place(Section):
    """Where an item stands.

    Attributes:
        shelf: a key of SHELVES.
        title: of a figure, in words; a table has its own.
    """

    shelf: Name
    title: str


_TABLES = {
    "table1": "data", "table2": "data", "datasets": "data", "certificates": "data",
    **dict.fromkeys(("table3", "table4", "table5", "table6", "table7a", "table7b", "table8", "table9"), "results"),
    "comparisons": "comparisons", "levels": "comparisons", "forensics": "verdicts", "verdicts": "verdicts",
    "cross": "shortcuts", "saal_ablation": "training", "switchboard": "choices",
}  # fmt: skip

_FIGURES = {
    "figure1": ("data", "The workflow, from the files to the report"),
    "figure2": ("training", "The network with its side classifiers"),
    "figure3": ("data", "Samples of the classes with their lung masks"),
    "figure4": ("results", "ROC curves, with a band over runs"),
    "figure5": ("results", "Confusion matrices with fewer and fewer slices of one class"),
    "figure6": ("errors", "Slices told right and wrong, with their probabilities"),
    "figure7": ("errors", "Where the networks look: Grad-CAM"),
    "failures": ("errors", "Failures: the worst slices of every kind of error"),
    "margins": ("verdicts", "How many reported numbers hold as the margin grows"),
    "calibration": ("calibration", "Calibration: said and found probabilities"),
    "decision_curve": ("calibration", "Decision curve: net benefit against a threshold"),
    "positions": ("errors", "Performance by the position of a slice"),
    "training_curves": ("training", "Training curves"),
    "saal_trajectories": ("training", "Alpha, betas and class weights over training"),
}


def table_shelf(name: str) -> str:
    """The shelf of a table."""
    return _TABLES.get(name, FURTHER)


def figure_place(name: str, dataset_titles: dict[str, str]) -> Place:
    """Shelf and title of a figure; a figure that nothing is said of bears its name as title."""
    if name.startswith(CONTACT_SHEET):
        dataset = name.removeprefix(CONTACT_SHEET)
        return Place(shelf="data", title=f"Slices and lung masks of {dataset_titles.get(dataset, dataset)}")
    shelf, title = _FIGURES.get(name, (FURTHER, name.replace("_", " ").capitalize()))
    return Place(shelf=shelf, title=title)


def shelf_title(name: str) -> str:
    """Heading of the shelf of a table or a figure."""
    if name in _TABLES:
        return SHELVES[_TABLES[name]]
    return SHELVES[figure_place(name, {}).shelf]


def item_title(name: str, dataset_titles: dict[str, str]) -> str:
    """How a list of items names a table or a figure."""
    if name in _TABLES:
        return name.replace("_", " ").replace("table", "Table ").capitalize()
    return figure_place(name, dataset_titles).title
